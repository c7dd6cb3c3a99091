import assert from 'node:assert/strict';
import { RetryPolicy } from '../../src/replay/core-retry.ts';
import type { CoreRetryOptions, RetryPolicyOptions } from '../../src/replay/core-retry.ts';
import type { RetryContext } from '../../src/replay/retry.ts';
import type { OrchestratorSession, TurnResult } from '../../src/replay/session.ts';
import {
  childFailed,
  executionStarted,
  START_AT,
  taskCompleted,
  taskFailed,
  timerFired,
  turnStarted,
} from './support/events.ts';
import { classic, core, IDS, lines, live, liveLater, now } from './support/orchestrators.ts';

const FAILURE = { errorType: 'E', errorMessage: 'broken' };
const BASE: RetryPolicyOptions = {
  maxNumberOfAttempts: 3,
  firstRetryIntervalInMilliseconds: 1000,
};

function retrying(retry: CoreRetryOptions): OrchestratorSession {
  const session = core(function* (context) {
    return (yield context.callActivity('A', 1, { retry })) as unknown;
  });
  live(session, executionStarted());
  return session;
}

function policy(options: Partial<RetryPolicyOptions> = {}): RetryPolicy {
  return new RetryPolicy({ ...BASE, ...options });
}

const GAVE_UP = '2 failed TaskFailedError: Activity task #1 failed: broken';

describe('retry policies', () => {
  it('wait on a timer and call again under a new id, with growing intervals', () => {
    const session = retrying(policy({ backoffCoefficient: 3 }));

    assert.deepEqual(lines(live(session, taskFailed(1, FAILURE)).actions), ['2 timer +1s']);
    assert.deepEqual(lines(live(session, timerFired(2)).actions), ['3 activity A(1)']);
    assert.deepEqual(lines(live(session, taskFailed(3, FAILURE)).actions), ['4 timer +3s']);
    assert.deepEqual(lines(live(session, timerFired(4)).actions), ['5 activity A(1)']);
    assert.deepEqual(lines(live(session, taskFailed(5, FAILURE)).actions), [
      '6 failed TaskFailedError: Activity task #5 failed: broken',
    ]);
  });

  it('end with the first success', () => {
    const session = retrying(policy());
    live(session, taskFailed(1, FAILURE));
    live(session, timerFired(2));

    assert.deepEqual(lines(live(session, taskCompleted(3, 'ok')).actions), ['4 completed "ok"']);
  });

  it('take a repeated failure of one attempt once', () => {
    const turn = live(retrying(policy()), taskFailed(1, FAILURE), taskFailed(1, FAILURE));

    assert.deepEqual(lines(turn.actions), ['2 timer +1s']);
  });

  it('cap the interval', () => {
    const session = retrying(
      policy({ backoffCoefficient: 9, maxRetryIntervalInMilliseconds: 2000 }),
    );
    live(session, taskFailed(1, FAILURE));
    live(session, timerFired(2));

    assert.deepEqual(lines(live(session, taskFailed(3, FAILURE)).actions), ['4 timer +2s']);
  });

  it('give up when the next attempt would come after the timeout', () => {
    const session = retrying(policy({ retryTimeoutInMilliseconds: 1500 }));
    live(session, taskFailed(1, FAILURE));
    live(session, timerFired(2));
    const late = [turnStarted(START_AT + 1000), taskFailed(3, FAILURE)];

    const turn = now(session.turn({ pastEvents: [], newEvents: late }));

    assert.match(lines(turn.actions)[0] ?? '', /^4 failed TaskFailedError/);
  });

  it('give up on failures that are marked as not retriable', () => {
    const turn = live(retrying(policy()), taskFailed(1, { ...FAILURE, isNonRetriable: true }));

    assert.deepEqual(lines(turn.actions), [GAVE_UP]);
  });

  it('give up when the predicate says no or throws', () => {
    const seen: unknown[] = [];
    const refusing = policy({
      handleFailure: (failure) => {
        seen.push(failure.errorType, failure.message);
        return false;
      },
    });
    const throwing = policy({
      handleFailure: () => {
        throw new Error('predicate');
      },
    });

    assert.deepEqual(lines(live(retrying(refusing), taskFailed(1, FAILURE)).actions), [GAVE_UP]);
    assert.deepEqual(lines(live(retrying(throwing), taskFailed(1, FAILURE)).actions), [GAVE_UP]);
    assert.deepEqual(seen, ['E', 'broken']);
  });

  it('use the instance id of a child again', () => {
    const session = classic(function* ({ df }) {
      yield df.callSubOrchestratorWithRetry('C', {
        firstRetryIntervalInMilliseconds: 1000,
        maxNumberOfAttempts: 2,
        maxRetryIntervalInMilliseconds: 500,
        retryTimeoutInMilliseconds: 60_000,
        backoffCoefficient: 2,
      });
    });
    const child = `child C() ${IDS.executionId}:0001`;

    assert.deepEqual(lines(live(session, executionStarted()).actions), [`1 ${child}`]);
    assert.deepEqual(lines(live(session, childFailed(1, FAILURE)).actions), ['2 timer +0.5s']);
    assert.deepEqual(lines(live(session, timerFired(2)).actions), [`3 ${child}`]);
    assert.deepEqual(lines(live(session, childFailed(3, FAILURE)).actions), [
      '4 failed TaskFailedError: Sub-orchestration task #3 failed: broken',
    ]);
  });

  it('work for classic activities with the defaults of durable-functions', () => {
    const session = classic(function* ({ df }) {
      const retry = { firstRetryIntervalInMilliseconds: 1000, maxNumberOfAttempts: 5 };
      yield df.callActivityWithRetry('A', retry, 'x');
    });
    live(session, executionStarted());

    for (const id of [1, 3, 5]) {
      assert.deepEqual(lines(live(session, taskFailed(id)).actions), [`${id + 1} timer +1s`]);
      live(session, timerFired(id + 1));
    }
  });

  it('refuse values that make no sense', () => {
    const refused = (options: Partial<RetryPolicyOptions>): string => {
      try {
        policy(options);
        return 'accepted';
      } catch (error) {
        return (error as Error).message;
      }
    };

    assert.deepEqual(
      [
        refused({ maxNumberOfAttempts: 0 }),
        refused({ firstRetryIntervalInMilliseconds: NaN }),
        refused({ backoffCoefficient: 0.5 }),
        refused({ maxRetryIntervalInMilliseconds: 1 }),
        refused({ retryTimeoutInMilliseconds: 1 }),
        refused({ maxRetryIntervalInMilliseconds: -1, retryTimeoutInMilliseconds: -1 }),
      ],
      [
        'maxNumberOfAttempts must be a finite number greater than zero',
        'firstRetryIntervalInMilliseconds must be a finite number greater than zero',
        'backoffCoefficient must be a finite number greater than or equal to 1.0',
        'maxRetryIntervalInMilliseconds must be a finite number greater than or equal to firstRetryIntervalInMilliseconds',
        'retryTimeoutInMilliseconds must be a finite number greater than or equal to firstRetryIntervalInMilliseconds',
        'accepted',
      ],
    );
  });

  it('must be policies or functions', () => {
    const session = core((context) => {
      context.callActivity('A', 1, { retry: {} as unknown as RetryPolicy });
    });

    assert.match(
      lines(live(session, executionStarted()).actions)[0] ?? '',
      /failed TypeError: options\.retry must be a RetryPolicy or a retry handler function/,
    );
  });
});

describe('retry handlers', () => {
  it('are told what failed and decide about the wait', () => {
    const told: RetryContext[] = [];
    const session = retrying((context) => {
      told.push(context);
      return context.lastAttemptNumber === 1 ? 2500 : context.lastAttemptNumber === 2;
    });

    assert.deepEqual(lines(live(session, taskFailed(1, FAILURE)).actions), ['2 timer +2.5s']);
    assert.deepEqual(lines(live(session, timerFired(2)).actions), ['3 activity A(1)']);
    assert.deepEqual(lines(live(session, taskFailed(3, FAILURE)).actions), ['4 activity A(1)']);
    assert.match(lines(live(session, taskFailed(4, FAILURE)).actions)[0] ?? '', /^5 failed/);
    assert.deepEqual(
      told.map(({ lastAttemptNumber, lastFailure, totalRetryTimeInMilliseconds }) => [
        lastAttemptNumber,
        lastFailure.message,
        totalRetryTimeInMilliseconds,
      ]),
      [
        [1, 'broken', 0],
        [2, 'broken', 0],
        [3, 'broken', 0],
      ],
    );
    assert.equal(
      (told[0]?.orchestrationContext as { instanceId: string }).instanceId,
      'instance-1',
    );
  });

  it('give up when they throw, forget to answer, or the failure is final', () => {
    const throwing = retrying(() => {
      throw new Error('handler');
    });
    const silent = retrying((() => undefined) as unknown as () => boolean);
    const eager = retrying(() => true);
    const final = { ...FAILURE, isNonRetriable: true };

    assert.deepEqual(lines(live(throwing, taskFailed(1, FAILURE)).actions), [GAVE_UP]);
    assert.deepEqual(lines(live(silent, taskFailed(1, FAILURE)).actions), [GAVE_UP]);
    assert.deepEqual(lines(live(eager, taskFailed(1, final)).actions), [GAVE_UP]);
  });

  it('may be async', async () => {
    const answer = async (retry: () => Promise<boolean | number>): Promise<TurnResult> =>
      liveLater(retrying(retry), taskFailed(1, FAILURE));

    const again = await answer(() => Promise.resolve(0));
    const rejected = await answer(() => Promise.reject(new Error('handler')));
    const hanging = await answer(() => new Promise(() => undefined));

    assert.deepEqual(
      [again, rejected, hanging].map(({ actions }) => lines(actions)),
      [['2 activity A(1)'], [GAVE_UP], [GAVE_UP]],
    );
  });
});
