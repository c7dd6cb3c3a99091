/**
 * Every bound of the protocol, with its unit and source. Bounds of the engine that an operator may
 * change are in scheduler/settings.ts.
 */

/** Characters in an instance or entity id (product limit, wire-protocol 2). */
export const INSTANCE_ID_LENGTH_MAX = 100;

/** Characters in the name of an orchestrator, activity or event (no product limit is known). */
export const NAME_LENGTH_MAX = 1000;

/** Bytes of all tags of an orchestration written as JSON (product limit). */
export const TAGS_BYTES_MAX = 1000;

/**
 * Bytes of encoded `newEvents` in one orchestration work item; the rest waits for the next turn.
 * Clients with the gRPC default receive at most 4 MiB per message, history and frame included.
 */
export const NEW_EVENTS_BYTES_MAX = 3 * 1024 * 1024;

/** Events handed out in one orchestration work item. */
export const NEW_EVENTS_MAX = 10_000;

/** Instances on one page of a list, when the client names no number, and at most. */
export const PAGE_SIZE_DEFAULT = 100;
export const PAGE_SIZE_MAX = 1000;

/** The time at which a parked item is due: never, until somebody retries it. Later than any timer. */
export const PARKED_AT = 9_000_000_000_000_000;

/** Ids in one `InstanceBatch` (proto: InstanceBatch). */
export const INSTANCE_BATCH_MAX = 500;

/** Payload limits in bytes of UTF-8 text, per data type (product: 1 MB each; here they are settings). */
export interface PayloadLimits {
  readonly orchestrationInput: number;
  readonly orchestrationOutput: number;
  readonly activityInput: number;
  readonly activityOutput: number;
  readonly eventData: number;
  readonly customStatus: number;
  readonly entityState: number;
  /** Of one operation: the input of a call or signal. */
  readonly entityInput: number;
  /** Of one operation: the result of a call. */
  readonly entityOutput: number;
}

export type PayloadKind = keyof PayloadLimits;

const ONE_MB = 1024 * 1024;

export const DEFAULT_PAYLOAD_LIMITS: PayloadLimits = {
  orchestrationInput: ONE_MB,
  orchestrationOutput: ONE_MB,
  activityInput: ONE_MB,
  activityOutput: ONE_MB,
  eventData: ONE_MB,
  customStatus: ONE_MB,
  entityState: ONE_MB,
  entityInput: ONE_MB,
  entityOutput: ONE_MB,
};

/** Deliveries that ended with the loss of the worker's stream before an item goes out alone. */
export const SUSPECT_ATTEMPTS = 2;

/** Operations in one entity work item; more wait for the next. */
export const ENTITY_BATCH_MAX = 100;

/** Bytes of operations in one entity work item; its state comes on top (proto: EntityRequest). */
export const ENTITY_BATCH_BYTES_MAX = 2 * 1024 * 1024;

/** How often a worker may report that it could not run a batch at all before its calls fail and its signals are dropped. */
export const ENTITY_BATCH_FAILURES_MAX = 5;
