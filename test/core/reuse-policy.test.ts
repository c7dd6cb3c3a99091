import assert from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { alreadyExists, assertReusePolicy, mayReplace } from '../../src/core/reuse-policy.ts';
import { isTerminal, statusName } from '../../src/core/instance.ts';
import {
  OrchestrationIdReusePolicySchema,
  OrchestrationStatus,
  type OrchestrationIdReusePolicy,
} from '../../src/proto/orchestrator_service_pb.ts';

const { RUNNING, COMPLETED, FAILED, CANCELED, TERMINATED, PENDING, SUSPENDED, CONTINUED_AS_NEW } =
  OrchestrationStatus;
const LIVE: OrchestrationStatus[] = [RUNNING, PENDING, SUSPENDED];
const ENDED: OrchestrationStatus[] = [COMPLETED, FAILED, CANCELED, TERMINATED];
const ALL = [...LIVE, ...ENDED, CONTINUED_AS_NEW];

function policy(...replaceableStatus: OrchestrationStatus[]): OrchestrationIdReusePolicy {
  return create(OrchestrationIdReusePolicySchema, { replaceableStatus });
}

describe('id reuse policy', () => {
  it('that is absent lets ended instances be replaced, and no live one', () => {
    for (const status of LIVE) assert.equal(mayReplace(status, undefined), false);
    for (const status of ENDED) assert.equal(mayReplace(status, undefined), true);
    assertReusePolicy(undefined);
  });

  it('that is empty lets nothing be replaced', () => {
    for (const status of ALL) assert.equal(mayReplace(status, policy()), false);
    assertReusePolicy(policy());
  });

  it('replaces exactly the states of its list', () => {
    fc.assert(
      fc.property(fc.subarray(ALL), (listed) => {
        for (const status of ALL) {
          assert.equal(mayReplace(status, policy(...listed)), listed.includes(status));
        }
      }),
    );
  });

  it('is refused if it could replace a live instance but not a terminated one', () => {
    for (let bits = 0; bits < 2 ** ALL.length; bits += 1) {
      const listed = ALL.filter((_, index) => (bits & (2 ** index)) !== 0);
      const isAllowed = listed.includes(TERMINATED) || !listed.some((s) => LIVE.includes(s));
      if (isAllowed) {
        assertReusePolicy(policy(...listed));
      } else {
        assert.throws(() => assertReusePolicy(policy(...listed)), {
          code: 'INVALID_ARGUMENT',
          message:
            "Invalid reusable statuses: cannot exclude 'Terminated' while also allowing reuse of running instances",
        });
      }
    }
  });

  it('has the text that clients match on', () => {
    const { code, message } = alreadyExists('a');
    assert.deepEqual(
      [code, message],
      ['INSTANCE_ALREADY_EXISTS', 'An Orchestration instance with the ID a already exists.'],
    );
  });
});

describe('instance status', () => {
  it('is terminal once nothing can follow', () => {
    for (const status of ALL) assert.equal(isTerminal(status), ENDED.includes(status));
  });

  it('has a word for messages, an unknown one its number', () => {
    assert.equal(statusName(RUNNING), 'RUNNING');
    assert.equal(statusName(99 as OrchestrationStatus), 'status 99');
  });
});
