import type { FailureDetails } from './failure.ts';
import type { CoreFailureDetails } from './errors.ts';

/** A complete retry policy; unlimited values are `Infinity`. Attempts include the first call. */
export interface RetryPolicySpec {
  readonly kind: 'policy';
  readonly firstIntervalMs: number;
  readonly attemptsMax: number;
  readonly backoffCoefficient: number;
  readonly intervalMaxMs: number;
  readonly timeoutMs: number;
  /** Says no to failures that are not worth another attempt. Throwing means no. */
  readonly accepts: (failure: FailureDetails) => boolean;
}

/** What a retry handler of the core style is told (names of durabletask-js). */
export interface RetryContext {
  readonly orchestrationContext: unknown;
  /** 1 after the first failure. */
  readonly lastAttemptNumber: number;
  readonly lastFailure: CoreFailureDetails;
  readonly totalRetryTimeInMilliseconds: number;
}

/** `true` retries at once, a positive number after that many milliseconds, anything else gives up. */
export type RetryHandler = (context: RetryContext) => boolean | number | Promise<boolean | number>;

export interface RetryHandlerSpec {
  readonly kind: 'handler';
  readonly handler: RetryHandler;
}

export type RetrySpec = RetryPolicySpec | RetryHandlerSpec;

/** What is known when an attempt has failed. */
export interface FailedAttempt {
  readonly failure: FailureDetails;
  /** Attempts made so far, the failed one included. */
  readonly attempts: number;
  /** Orchestration time since the first attempt was scheduled. */
  readonly elapsedMs: number;
}

/** Milliseconds to wait before the next attempt, or `undefined` when there is none. */
export function nextDelayMs(policy: RetryPolicySpec, attempt: FailedAttempt): number | undefined {
  if (attempt.failure.isNonRetriable || attempt.attempts >= policy.attemptsMax) return undefined;
  if (!isAccepted(policy, attempt.failure)) return undefined;
  const delayMs = Math.min(
    policy.firstIntervalMs * policy.backoffCoefficient ** (attempt.attempts - 1),
    policy.intervalMaxMs,
  );
  const leftMs = policy.timeoutMs - attempt.elapsedMs;
  return leftMs > 0 && delayMs <= leftMs ? delayMs : undefined;
}

/** The wait that a handler's answer stands for: 0 is "at once", `undefined` is "no more". */
export function delayFromAnswer(answer: unknown): number | undefined {
  if (answer === true) return 0;
  // Only an explicit yes counts: a forgotten return must not retry for ever.
  return typeof answer === 'number' && Number.isFinite(answer) ? Math.max(answer, 0) : undefined;
}

function isAccepted(policy: RetryPolicySpec, failure: FailureDetails): boolean {
  try {
    return policy.accepts(failure);
  } catch {
    // The task's own failure says more than a broken predicate: it is what user code gets.
    return false;
  }
}
