import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import type { OrchestrationStatus } from '../proto/orchestrator_service_pb.ts';
import type { SchedulerAddress } from './open-connection.ts';

export interface TaskHubClientOptions extends SchedulerAddress {
  /** Version of orchestrations that are started without one. */
  readonly defaultVersion?: string | undefined;
  /** How long a call that does not wait for an orchestration may take. Default 30,000. */
  readonly requestTimeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
  readonly ids?: IdSource | undefined;
}

/** What a request belongs to when no span is active in this process. */
export interface TraceParentOptions {
  /** W3C `traceparent` that the trace goes on from. */
  readonly traceParent?: string | undefined;
  readonly traceState?: string | undefined;
}

export interface StartOrchestrationOptions extends TraceParentOptions {
  /** Default: a random UUID. At most 100 characters. */
  readonly instanceId?: string | undefined;
  /** Default: at once; so is a time in the past. */
  readonly startAt?: Date | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly version?: string | undefined;
  /**
   * In which states an existing instance with this id is replaced. Default: once it has ended.
   * An empty list: never.
   */
  readonly replaceableStatuses?: readonly OrchestrationStatus[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Options of a request that starts something elsewhere. */
export interface SendOptions extends RequestOptions, TraceParentOptions {}

export interface WaitOptions extends RequestOptions {
  /** Default 60,000. Later the wait rejects with `TimeoutError`. */
  readonly timeoutMs?: number | undefined;
}

/** An orchestrator by name, or the function itself, whose name is then meant. */
export type NamedFunction = { readonly name: string };
