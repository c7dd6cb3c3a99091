import assert from 'node:assert/strict';
import type { RetentionPolicy } from '../../src/core/retention.ts';
import { OrchestrationStatus } from '../../src/proto/orchestrator_service_pb.ts';
import { Retention } from '../../src/scheduler/retention.ts';
import type { Commit, EndedQuery } from '../../src/storage/store.ts';
import { ManualClock } from '../support/manual-clock.ts';

const { FAILED } = OrchestrationStatus;
const DAY = 86_400_000;

function open(ids: readonly string[], policy: RetentionPolicy) {
  const clock = new ManualClock();
  const left = new Set(ids);
  const asked: EndedQuery[] = [];
  const purged: Commit[] = [];
  let inForce = policy;
  const retention = new Retention({
    clock,
    settings: { retentionMs: 1000 },
    taskHubs: () => ['h'],
    store: {
      retention: async () => inForce,
      setRetention: async (next) => {
        inForce = next;
      },
      listEnded: async (query) => {
        asked.push(query);
        const items = [...left].slice(0, query.limit);
        return { items, next: left.size > query.limit ? [1, 1] : undefined };
      },
    },
    submit: async (commit) => {
      purged.push(commit);
      if ('instanceId' in commit) left.delete(commit.instanceId);
      return { ok: true, count: 1 };
    },
  });
  return { retention, clock, asked, purged, left };
}

describe('retention sweep', () => {
  it('purges what ended before the limit of its status, in bounded steps', async () => {
    const ids = Array.from({ length: 150 }, (_, index) => `i${index}`);
    const { retention, clock, asked, purged, left } = open(ids, [{ status: FAILED, days: 2 }]);

    assert.equal(await retention.tick(), true);
    assert.equal(left.size, 50);
    assert.equal(await retention.tick(), false);

    assert.equal(purged.length, 150);
    assert.ok(purged.every((commit) => commit.kind === 'purge' && commit.onLive === 'skip'));
    assert.deepEqual(asked[0]?.statuses, [FAILED]);
    assert.equal(asked[0].completedTo, clock.now() - 2 * DAY);
    assert.deepEqual([asked[0].after, asked[1]?.after], [undefined, [1, 1]]);
  });

  it('begins anew when the policy changes, and stops when there is none', async () => {
    const { retention, asked } = open([], [{ status: FAILED, days: 2 }]);
    await retention.tick();
    await retention.setPolicy([]);
    await retention.tick();
    assert.equal(asked.length, 1);
    await assert.rejects(retention.setPolicy([{ status: FAILED, days: 91 }]), {
      code: 'INVALID_ARGUMENT',
    });
  });

  it('is told beforehand, by the same question that the sweep asks, and nothing is deleted', async () => {
    const ids = Array.from({ length: 10_001 }, (_, index) => `i${index}`);
    const { retention, clock, asked, left } = open(ids, []);

    assert.deepEqual(await retention.preview([{ status: FAILED, days: 2 }]), [
      { status: FAILED, before: clock.now() - 2 * DAY, count: 10_000, isCapped: true },
    ]);

    assert.deepEqual(asked[0]?.statuses, [FAILED]);
    assert.equal(asked[0].completedTo, clock.now() - 2 * DAY);
    assert.equal(left.size, 10_001);
    await assert.rejects(retention.preview([{ status: FAILED, days: 91 }]), /from 0 to 90, got 91/);
  });

  it('runs by the clock until it is told to stop', async () => {
    const { retention, clock, left } = open(['a'], [{ status: FAILED, days: 0 }]);
    const stop = new AbortController();
    const errors: unknown[] = [];
    const running = retention.run({ signal: stop.signal, onError: (error) => errors.push(error) });
    clock.advance(1000);
    for (let turn = 0; turn < 20 && left.size > 0; turn += 1) await Promise.resolve();
    stop.abort(new Error('stop'));
    await running;
    assert.deepEqual([left.size, errors], [0, []]);
  });
});
