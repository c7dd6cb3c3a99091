import assert from 'node:assert/strict';
import { assertRetention, DEFAULT_RETENTION, expiries } from '../../src/core/retention.ts';
import { OrchestrationStatus } from '../../src/proto/orchestrator_service_pb.ts';

const { COMPLETED, FAILED, CANCELED, TERMINATED, RUNNING } = OrchestrationStatus;
const DAY = 86_400_000;
const NOW = 100 * DAY;

describe('retention', () => {
  it('keeps every ended instance for thirty days by default', () => {
    assert.deepEqual(
      expiries(DEFAULT_RETENTION, NOW),
      [COMPLETED, FAILED, CANCELED, TERMINATED].map((status) => ({ status, before: 70 * DAY })),
    );
  });

  it('lets the rule of a status outrank the default', () => {
    const policy = [
      { status: undefined, days: 10 },
      { status: FAILED, days: 90 },
      { status: COMPLETED, days: 0 },
    ];
    assert.deepEqual(
      expiries(policy, NOW).map(({ status, before }) => [status, (NOW - before) / DAY]),
      [
        [COMPLETED, 0],
        [FAILED, 90],
        [CANCELED, 10],
        [TERMINATED, 10],
      ],
    );
  });

  it('deletes nothing that has no rule', () => {
    assert.deepEqual(expiries([], NOW), []);
    const [only, ...rest] = expiries([{ status: FAILED, days: 1 }], NOW);
    assert.deepEqual([only?.status, rest], [FAILED, []]);
  });

  it('refuses what it could not keep', () => {
    const refuses = (rule: { status: OrchestrationStatus | undefined; days: number }): void => {
      assert.throws(() => assertRetention([rule]), { code: 'INVALID_ARGUMENT' });
    };
    for (const days of [-1, 91, 1.5]) refuses({ status: undefined, days });
    refuses({ status: RUNNING, days: 1 });
    const twice = { status: FAILED, days: 1 };
    assert.throws(() => assertRetention([twice, twice]), /given twice/);
    assertRetention([twice, { status: undefined, days: 90 }]);
  });
});
