import { createRequire } from 'node:module';
import type * as df from 'durable-functions';

/**
 * The value classes of `durable-functions` itself, so that `instanceof` and types agree between code
 * that imports it and code that imports us. Loaded file by file: its main entry costs some 200 ms of
 * every cold start (an HTTP client, date library …) for code that we replace.
 */
const require = createRequire(import.meta.url);
const load = <K extends keyof typeof df>(file: string, name: K): (typeof df)[K] =>
  (require(`durable-functions/lib/src/${file}.js`) as Pick<typeof df, K>)[name];

/** Names an entity: `new EntityId(name, key)`, both non-blank. */
export const EntityId: typeof df.EntityId = load('entities/EntityId', 'EntityId');
export type EntityId = df.EntityId;

/** What reading an entity's state gives: whether it exists, and its state. */
export const EntityStateResponse: typeof df.EntityStateResponse = load(
  'entities/EntityStateResponse',
  'EntityStateResponse',
);
export type EntityStateResponse<T> = df.EntityStateResponse<T>;

/** The handle of a critical section; `release()` or `using` ends it. */
export const DurableLock: typeof df.DurableLock = load('entities/DurableLock', 'DurableLock');
export type DurableLock = df.DurableLock;

/** What `context.df.isLocked()` says. */
export const LockState: typeof df.LockState = load('entities/LockState', 'LockState');
export type LockState = df.LockState;

/** Thrown where the rules of critical sections are broken. */
export const LockingRulesViolationError: typeof df.LockingRulesViolationError = load(
  'error/LockingRulesViolationError',
  'LockingRulesViolationError',
);
export type LockingRulesViolationError = df.LockingRulesViolationError;

/** A failed activity or sub-orchestration, with the failure as the worker reported it. */
export const TaskFailedError: typeof df.TaskFailedError = load(
  'error/TaskFailedError',
  'TaskFailedError',
);
export type TaskFailedError = df.TaskFailedError;

/** An error of the library itself; declared by durable-functions, absent there at run time. */
export const DurableError: typeof df.DurableError = load('error/DurableError', 'DurableError');
export type DurableError = df.DurableError;

/** Several failures in one; declared by durable-functions, absent there at run time. */
export const AggregatedError: typeof df.AggregatedError = load(
  'error/AggregatedError',
  'AggregatedError',
);
export type AggregatedError = df.AggregatedError;

/** Asks for a managed identity token for a resource, in `callHttp`. */
export const ManagedIdentityTokenSource: typeof df.ManagedIdentityTokenSource = load(
  'ManagedIdentityTokenSource',
  'ManagedIdentityTokenSource',
);
export type ManagedIdentityTokenSource = df.ManagedIdentityTokenSource;

/** How a call is repeated: `new RetryOptions(firstRetryIntervalInMilliseconds, maxNumberOfAttempts)`. */
export const RetryOptions: typeof df.RetryOptions = load('RetryOptions', 'RetryOptions');
export type RetryOptions = df.RetryOptions;

/** The states of an instance, as texts. */
export const OrchestrationRuntimeStatus: typeof df.OrchestrationRuntimeStatus = load(
  'orchestrations/OrchestrationRuntimeStatus',
  'OrchestrationRuntimeStatus',
);
export type OrchestrationRuntimeStatus = df.OrchestrationRuntimeStatus;

/** The status of an instance; declared by durable-functions, absent there at run time. */
export const DurableOrchestrationStatus = load(
  'orchestrations/DurableOrchestrationStatus',
  'DurableOrchestrationStatus',
) as unknown as new (init: DurableOrchestrationStatusInit) => df.DurableOrchestrationStatus;
export type DurableOrchestrationStatus = df.DurableOrchestrationStatus;

/** What a status is made of: `input` and `output` are `null` when absent, never `undefined`. */
export interface DurableOrchestrationStatusInit {
  readonly name: string;
  readonly instanceId: string;
  readonly createdTime: Date;
  readonly lastUpdatedTime: Date;
  readonly input: unknown;
  readonly output: unknown;
  readonly runtimeStatus: df.OrchestrationRuntimeStatus;
  readonly customStatus?: unknown;
  readonly history?: readonly unknown[] | undefined;
}

/** How many instances a purge deleted; declared by durable-functions, absent there at run time. */
export const PurgeHistoryResult: typeof df.PurgeHistoryResult = load(
  'durableClient/PurgeHistoryResult',
  'PurgeHistoryResult',
);
export type PurgeHistoryResult = df.PurgeHistoryResult;

/** The URLs that manage an instance; declared by durable-functions, absent there at run time. */
export const HttpManagementPayload: typeof df.HttpManagementPayload = load(
  'http/HttpManagementPayload',
  'HttpManagementPayload',
);
export type HttpManagementPayload = df.HttpManagementPayload;
