import type { RetryPolicySpec } from './retry.ts';
import { AtomicTask } from './tasks.ts';
import type { ActivityWork, SubOrchestrationWork } from './tasks.ts';

/** `RetryOptions` of durable-functions; unset fields mean: coefficient 1, 6 days, no limit. */
export interface ClassicRetryOptions {
  readonly firstRetryIntervalInMilliseconds: number;
  readonly maxNumberOfAttempts: number;
  readonly backoffCoefficient?: number | undefined;
  readonly maxRetryIntervalInMilliseconds?: number | undefined;
  readonly retryTimeoutInMilliseconds?: number | undefined;
}

/** The host's default for `maxRetryIntervalInMilliseconds`. */
const RETRY_INTERVAL_MAX_MS = 6 * 24 * 60 * 60 * 1000;

/**
 * A call that exists before any context knows it: what `app.activity(...)` and `app.orchestration(...)`
 * of durable-functions return calls of. It asks for nothing until an orchestrator yields it.
 */
export class LazyCallTask extends AtomicTask {
  readonly #call: ActivityWork | SubOrchestrationWork;

  constructor(work: ActivityWork | SubOrchestrationWork) {
    super('classic', work);
    this.#call = work;
  }

  /** The same call with retries; only as long as this one was not yielded. */
  readonly withRetry = (retryOptions: ClassicRetryOptions): AtomicTask => {
    if (this.owner !== undefined) {
      const kind = this.#call.kind === 'activity' ? 'activity' : 'subOrchestrator';
      throw new Error(
        'Invalid use of `.withRetry`: attempted to create a retriable task from an already scheduled ' +
          `task. A task to call ${kind} ${this.#call.name} has already been scheduled. ` +
          'Make sure to only invoke `.withRetry` on tasks that have not previously been yielded.',
      );
    }
    return new AtomicTask('classic', { ...this.#call, retry: classicRetryPolicy(retryOptions) });
  };
}

/** A lazy call of an activity. Needs no context. */
export function createLazyActivityTask(name: string, input?: unknown): LazyCallTask {
  assertNotBlank(name, 'functionName');
  return new LazyCallTask({ kind: 'activity', name, input });
}

/** What a lazy call of a sub-orchestrator may add. */
export interface LazySubOrchestrationOptions {
  readonly input?: unknown;
  readonly instanceId?: string | undefined;
  readonly version?: string | undefined;
}

/** A lazy call of a sub-orchestrator. Needs no context. */
export function createLazySubOrchestrationTask(
  name: string,
  options: LazySubOrchestrationOptions = {},
): LazyCallTask {
  return new LazyCallTask(subOrchestrationWork(name, options));
}

/** A checked description of a child call (error texts of durable-functions). */
export function subOrchestrationWork(
  name: string,
  { input, instanceId, version }: LazySubOrchestrationOptions,
): SubOrchestrationWork {
  if (!name) {
    throw new Error(
      'A sub-orchestration function name must be provided when attempting to create a suborchestration',
    );
  }
  assertNotBlank(name, 'functionName');
  if (instanceId) assertNotBlank(instanceId, 'instanceId');
  // An empty id means "make one", as in durable-functions.
  return { kind: 'subOrchestration', name, input, instanceId: instanceId || undefined, version };
}

/** A complete policy from duck-typed `RetryOptions`. Throws the `TypeError` of durable-functions. */
export function classicRetryPolicy(options: ClassicRetryOptions): RetryPolicySpec {
  if (!isRetryOptions(options)) {
    throw new TypeError(
      `retryOptions: Expected object of type RetryOptions but got ${typeof options}; ` +
        'are you missing properties?',
    );
  }
  return {
    kind: 'policy',
    firstIntervalMs: options.firstRetryIntervalInMilliseconds,
    attemptsMax: options.maxNumberOfAttempts,
    backoffCoefficient: options.backoffCoefficient ?? 1,
    intervalMaxMs: options.maxRetryIntervalInMilliseconds ?? RETRY_INTERVAL_MAX_MS,
    timeoutMs: options.retryTimeoutInMilliseconds ?? Infinity,
    accepts: () => true,
  };
}

/** Throws what durable-functions throws for names that are no strings or blank. */
export function assertNotBlank(value: unknown, label: string): asserts value is string {
  const expected = `${label}: Expected non-empty, non-whitespace string but got`;
  if (typeof value !== 'string') throw new TypeError(`${expected} ${typeof value}`);
  if (value.trim() === '') throw new Error(`${expected} empty string`);
}

function isRetryOptions(options: unknown): boolean {
  return (
    typeof options === 'object' &&
    options !== null &&
    Object.hasOwn(options, 'firstRetryIntervalInMilliseconds') &&
    Object.hasOwn(options, 'maxNumberOfAttempts')
  );
}
