import type { BackoffOptions } from '../base/backoff.ts';
import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import { TaskHubError } from '../core/errors.ts';
import type { CallOptions } from './connection.ts';
import { TimeoutError } from './connection.ts';

export interface PatientCallOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** False once trying again is pointless: the caller closed, or nothing ever answered. */
  readonly isWorthRetry: () => boolean;
  readonly clock: Clock;
  readonly ids: IdSource;
}

const RETRY_BACKOFF: BackoffOptions = { firstMs: 250, maxMs: 5_000, factor: 2 };

/**
 * A call that may last for long, such as a wait, and that changes nothing: made again when the
 * scheduler goes away meanwhile, until the time is over.
 */
export async function callPatiently<T>(
  call: (options: CallOptions) => Promise<T>,
  options: PatientCallOptions,
): Promise<T> {
  const { timeoutMs, signal, clock, ids } = options;
  const endAt = clock.now() + timeoutMs;
  for (let attempt = 1; ; attempt++) {
    let failure: TaskHubError;
    try {
      return await call({ signal, timeoutMs: Math.max(0, endAt - clock.now()) });
    } catch (error) {
      const isAway = error instanceof TaskHubError && error.code === 'UNAVAILABLE';
      if (!isAway || !options.isWorthRetry()) throw error;
      failure = error;
    }
    const retryAt = clock.now() + backoffMs(attempt, RETRY_BACKOFF, () => ids.random());
    if (retryAt >= endAt) throw new TimeoutError(failure.message, { cause: failure });
    await clock.sleepUntil(retryAt, { signal: signal ?? NEVER });
  }
}

const NEVER = new AbortController().signal;
