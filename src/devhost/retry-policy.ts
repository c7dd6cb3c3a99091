import { isAbort } from '../base/abort.ts';
import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { RetryContext, RetryOptions } from './core-types.ts';
import type { InvocationOutcome } from './invoker.ts';

export interface RetryDeps {
  readonly clock: Clock;
  readonly random: () => number;
  /** Runs the function once; the context is `undefined` for the first attempt. */
  readonly attempt: (retryContext: RetryContext | undefined) => Promise<InvocationOutcome>;
}

/**
 * Runs a function under its retry policy: again after each failure, until it succeeds, its retries
 * are used up (-1 never are) or the signal aborts.
 */
export async function runWithRetries(
  deps: RetryDeps,
  options: RetryOptions | undefined,
  signal: AbortSignal,
): Promise<void> {
  const max = options?.maxRetryCount ?? 0;
  const maxRetryCount = max < 0 ? Infinity : max;
  let outcome = await deps.attempt(undefined);
  for (let retryCount = 1; outcome.kind === 'failed' && retryCount <= maxRetryCount; retryCount++) {
    const { clock } = deps;
    try {
      const delayMs = delayOf(options, retryCount, deps.random);
      await clock.sleepUntil(clock.now() + delayMs, { signal });
    } catch (error) {
      if (isAbort(error, signal)) return;
      throw error;
    }
    const { error } = outcome;
    const message = error instanceof Error ? error.message : String(error);
    outcome = await deps.attempt({ retryCount, maxRetryCount: max, exception: { message } });
  }
}

function delayOf(
  options: RetryOptions | undefined,
  retryCount: number,
  random: () => number,
): number {
  const ms = (duration: RetryOptions['delayInterval']): number => (duration?.seconds ?? 0) * 1000;
  if (options?.retryStrategy !== 'exponentialBackoff') return ms(options?.delayInterval);
  const firstMs = ms(options.minimumInterval);
  return backoffMs(retryCount, { firstMs, maxMs: ms(options.maximumInterval), factor: 2 }, random);
}
