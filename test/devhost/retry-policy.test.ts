import assert from 'node:assert/strict';
import type { Clock } from '../../src/base/clock.ts';
import type { RetryContext, RetryOptions } from '../../src/devhost/core-types.ts';
import { runWithRetries } from '../../src/devhost/retry-policy.ts';

interface Run {
  readonly contexts: readonly (RetryContext | undefined)[];
  readonly sleptMs: readonly number[];
}

/** Runs a function that fails so often, with no real waiting. */
async function run(
  options: RetryOptions | undefined,
  { failures, abortAfter = Infinity }: { failures: number; abortAfter?: number },
): Promise<Run> {
  const contexts: (RetryContext | undefined)[] = [];
  const sleptMs: number[] = [];
  const stop = new AbortController();
  const clock: Clock = {
    now: () => 0,
    sleepUntil: async (atMs, { signal }) => {
      sleptMs.push(atMs);
      if (sleptMs.length >= abortAfter) stop.abort();
      signal.throwIfAborted();
    },
  };
  const attempt = async (context: RetryContext | undefined) => {
    contexts.push(context);
    return contexts.length <= failures
      ? ({ kind: 'failed', error: new Error('no') } as const)
      : ({ kind: 'succeeded', response: {}, hasResult: false } as const);
  };
  await runWithRetries({ clock, attempt, random: () => 0 }, options, stop.signal);
  return { contexts, sleptMs };
}

const FIXED: RetryOptions = {
  retryStrategy: 'fixedDelay',
  maxRetryCount: 2,
  delayInterval: { seconds: 3 },
};

describe('retry policy', () => {
  it('runs a function once when it has none or the function succeeds', async () => {
    assert.deepEqual(await run(undefined, { failures: 1 }), { contexts: [undefined], sleptMs: [] });
    assert.deepEqual(await run(FIXED, { failures: 0 }), { contexts: [undefined], sleptMs: [] });
  });

  it('runs it again after a fixed delay, with what went wrong, until retries are used up', async () => {
    const exception = { message: 'no' };
    assert.deepEqual(await run(FIXED, { failures: 9 }), {
      contexts: [
        undefined,
        { retryCount: 1, maxRetryCount: 2, exception },
        { retryCount: 2, maxRetryCount: 2, exception },
      ],
      sleptMs: [3000, 3000],
    });
  });

  it('grows the delay from the minimum to the maximum, without end for -1', async () => {
    const options: RetryOptions = {
      retryStrategy: 'exponentialBackoff',
      maxRetryCount: -1,
      minimumInterval: { seconds: 1 },
      maximumInterval: { seconds: 5 },
    };
    const { sleptMs } = await run(options, { failures: 5 });
    assert.deepEqual(sleptMs, [1000, 2000, 4000, 5000, 5000]);
  });

  it('ends when it is told to', async () => {
    const { contexts } = await run(FIXED, { failures: 9, abortAfter: 2 });
    assert.equal(contexts.length, 2);
  });
});
