import type { CoreFailureDetails } from './errors.ts';
import type { RetryHandler, RetrySpec } from './retry.ts';

/** Options of `RetryPolicy` (names of durabletask-js). */
export interface RetryPolicyOptions {
  /** The first call included; 1 or more. */
  readonly maxNumberOfAttempts: number;
  readonly firstRetryIntervalInMilliseconds: number;
  /** Default 1: no back-off. */
  readonly backoffCoefficient?: number;
  /** Default one hour; -1 is no limit. */
  readonly maxRetryIntervalInMilliseconds?: number;
  /** Default -1: no limit. */
  readonly retryTimeoutInMilliseconds?: number;
  /** Says which failures are worth another attempt. Default: all. */
  readonly handleFailure?: (failure: CoreFailureDetails) => boolean;
}

const HOUR_MS = 60 * 60 * 1000;
const NO_LIMIT = -1;

/** A declarative retry policy of the core style. Throws on values that make no sense. */
export class RetryPolicy {
  readonly maxNumberOfAttempts: number;
  readonly firstRetryIntervalInMilliseconds: number;
  readonly backoffCoefficient: number;
  readonly maxRetryIntervalInMilliseconds: number;
  readonly retryTimeoutInMilliseconds: number;
  readonly handleFailure: (failure: CoreFailureDetails) => boolean;

  constructor(options: RetryPolicyOptions) {
    this.maxNumberOfAttempts = options.maxNumberOfAttempts;
    this.firstRetryIntervalInMilliseconds = options.firstRetryIntervalInMilliseconds;
    this.backoffCoefficient = options.backoffCoefficient ?? 1;
    this.maxRetryIntervalInMilliseconds = options.maxRetryIntervalInMilliseconds ?? HOUR_MS;
    this.retryTimeoutInMilliseconds = options.retryTimeoutInMilliseconds ?? NO_LIMIT;
    this.handleFailure = options.handleFailure ?? (() => true);
    this.#check();
  }

  /** Whether the policy's predicate wants another attempt after this failure. */
  shouldRetry(failure: CoreFailureDetails): boolean {
    return this.handleFailure(failure);
  }

  #check(): void {
    assertRule(isAbove(this.maxNumberOfAttempts, 0), 'maxNumberOfAttempts', 'greater than zero');
    const first = this.firstRetryIntervalInMilliseconds;
    assertRule(isAbove(first, 0), 'firstRetryIntervalInMilliseconds', 'greater than zero');
    assertRule(
      isAtLeast(this.backoffCoefficient, 1),
      'backoffCoefficient',
      'greater than or equal to 1.0',
    );
    for (const name of ['maxRetryIntervalInMilliseconds', 'retryTimeoutInMilliseconds'] as const) {
      assertRule(
        this[name] === NO_LIMIT || isAtLeast(this[name], first),
        name,
        'greater than or equal to firstRetryIntervalInMilliseconds',
      );
    }
  }
}

/** What `options.retry` may be: a policy (ours or durabletask-js's own) or a handler. */
export type CoreRetryOptions = RetryPolicy | RetryHandler;

/** The engine's form of `options.retry`. Throws a `TypeError` for anything else. */
export function coreRetrySpec(retry: CoreRetryOptions | undefined): RetrySpec | undefined {
  if (retry === undefined) return undefined;
  if (typeof retry === 'function') return { kind: 'handler', handler: retry };
  // Duck-typed, so that the class of @microsoft/durabletask-js is as good as ours.
  if (typeof retry.shouldRetry !== 'function' || typeof retry.maxNumberOfAttempts !== 'number') {
    throw new TypeError('options.retry must be a RetryPolicy or a retry handler function.');
  }
  return {
    kind: 'policy',
    firstIntervalMs: retry.firstRetryIntervalInMilliseconds,
    attemptsMax: retry.maxNumberOfAttempts,
    backoffCoefficient: retry.backoffCoefficient,
    intervalMaxMs: unlimited(retry.maxRetryIntervalInMilliseconds),
    timeoutMs: unlimited(retry.retryTimeoutInMilliseconds),
    accepts: ({ errorType, errorMessage, stackTrace }) =>
      retry.shouldRetry({ errorType, message: errorMessage, stackTrace }),
  };
}

function unlimited(value: number): number {
  return value === NO_LIMIT ? Infinity : value;
}

function isAbove(value: number, bound: number): boolean {
  return Number.isFinite(value) && value > bound;
}

function isAtLeast(value: number, bound: number): boolean {
  return Number.isFinite(value) && value >= bound;
}

function assertRule(holds: boolean, name: string, rule: string): void {
  if (!holds) throw new Error(`${name} must be a finite number ${rule}`);
}
