/**
 * The store as the engine sees it. Everything that changes state goes through `exchange`: one transaction
 * that commits what was finished and claims what can be handed out next. Reads do not go through rounds.
 */
import type {
  EntityBatchResult,
  OrchestrationIdReusePolicy,
  OrchestratorAction,
  TaskFailureDetails,
} from '../proto/orchestrator_service_pb.ts';
import type { OperationMessage } from '../core/entity-message.ts';
import type { TaskHubError } from '../core/errors.ts';
import type { RuntimeStatus } from '../core/instance.ts';
import type { PageToken } from '../core/page-token.ts';
import type { RetentionPolicy } from '../core/retention.ts';
import type { StoredEvent } from '../wire/events.ts';
import type { Inspection } from './inspection.ts';
import type { RoleStore } from './role-store.ts';

export const WORK_KINDS = ['orchestration', 'activity', 'entity'] as const;
export type WorkKind = (typeof WORK_KINDS)[number];

/** Creates an instance, or replaces one where the reuse policy allows. ALREADY_EXISTS otherwise. */
export interface StartCommit {
  readonly kind: 'start';
  readonly hub: string;
  readonly instanceId: string;
  readonly executionId: string;
  readonly name: string;
  /** Empty text: unversioned. */
  readonly version: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Epoch ms; `undefined`: now. */
  readonly scheduledAt: number | undefined;
  readonly policy: OrchestrationIdReusePolicy | undefined;
  /** `executionStarted` without a time. */
  readonly started: StoredEvent;
}

/** An event for an instance: raise, terminate, suspend, resume. NOT_FOUND if missing; dropped if terminal. */
export interface DeliverCommit {
  readonly kind: 'deliver';
  readonly hub: string;
  readonly instanceId: string;
  /** Without a time. */
  readonly event: StoredEvent;
}

/** What a worker answered to an orchestration work item. LEASE_LOST when the token is not the current one. */
export interface TurnCommit {
  readonly kind: 'turn';
  readonly hub: string;
  readonly token: string;
  readonly actions: readonly OrchestratorAction[];
  readonly customStatus: string | undefined;
  /** Encoded `OrchestrationTraceContext`, given back with the next work item of this execution. */
  readonly traceContext: Uint8Array | undefined;
  /** New events processed, the `orchestratorStarted` counted; `undefined`: all of them. */
  readonly eventsProcessed: number | undefined;
  /** The worker forgot the history: nothing is applied, the item is handed out again with it. */
  readonly requiresHistory: boolean;
}

/** The end of an activity. LEASE_LOST when the token is not the current one. */
export interface ActivityCommit {
  readonly kind: 'activity';
  readonly hub: string;
  readonly token: string;
  readonly result: string | undefined;
  readonly failureDetails: TaskFailureDetails | undefined;
}

/** A signal from a client; a request id that the entity has seen is not applied again. */
export interface SignalCommit {
  readonly kind: 'signal';
  readonly hub: string;
  readonly message: OperationMessage;
}

/** Frees an entity of locks and lock requests of executions that are over; `count` says how many. */
export interface FreeLocksCommit {
  readonly kind: 'freeLocks';
  readonly hub: string;
  readonly entityId: string;
}

/** What a worker answered to an entity work item. LEASE_LOST when the token is not the current one. */
export interface EntityCommit {
  readonly kind: 'entity';
  readonly hub: string;
  readonly token: string;
  readonly result: EntityBatchResult;
}

/** Gives an item back unprocessed; it is handed out again after a growing delay. Never fails. */
export interface AbandonCommit {
  readonly kind: 'abandon';
  readonly hub: string;
  readonly work: WorkKind;
  readonly token: string;
}

/** Items whose worker's stream ended. Their tokens stay good until somebody else claims the item. */
export interface ReleaseCommit {
  readonly kind: 'release';
  readonly hub: string;
  readonly work: WorkKind;
  readonly token: string;
  /** Epoch ms from which the item may be handed out again. */
  readonly readyAt: number;
  /**
   * The worker was lost with it: counts as a failed delivery, and after `parkAfter` of them in a row the item is
   * parked. `undefined`: the scheduler itself took it back.
   */
  readonly loss: { readonly parkAfter: number } | undefined;
}

/** Runs a FAILED instance again from where it failed. NOT_FOUND, WRONG_STATE. */
export interface RewindCommit {
  readonly kind: 'rewind';
  readonly hub: string;
  readonly instanceId: string;
  readonly reason: string | undefined;
}

/** Deletes an ended instance; `count` says how many. A missing one counts 0. */
export interface PurgeCommit {
  readonly kind: 'purge';
  readonly hub: string;
  readonly instanceId: string;
  /** A live instance: WRONG_STATE, or left alone with count 0. */
  readonly onLive: 'refuse' | 'skip';
}

/** Ends a live orchestration without its worker; `count` is 0 when there was nothing to end. */
export interface EndCommit {
  readonly kind: 'end';
  readonly hub: string;
  readonly instanceId: string;
  /** `executionTerminated` without a time. */
  readonly event: StoredEvent;
}

/** Starts an ended instance's id again; WRONG_STATE while it is live. */
export interface RestartCommit extends Omit<StartCommit, 'kind'> {
  readonly kind: 'restart';
}

export interface CreateHubCommit {
  readonly kind: 'createHub';
  readonly hub: string;
  /** Wipe the hub if it exists. */
  readonly recreate: boolean;
}

export interface DeleteHubCommit {
  readonly kind: 'deleteHub';
  readonly hub: string;
}

/** How the history of a turn travels: in the message, known to the worker already, or fetched by it. */
export type HistoryMode = 'inline' | 'cached' | 'streamed';

export type Commit =
  | StartCommit
  | DeliverCommit
  | TurnCommit
  | ActivityCommit
  | SignalCommit
  | EntityCommit
  | FreeLocksCommit
  | AbandonCommit
  | ReleaseCommit
  | RewindCommit
  | PurgeCommit
  | EndCommit
  | RestartCommit
  | CreateHubCommit
  | DeleteHubCommit;

/** One commit's own result; a refusal leaves no trace of that commit and does not touch the others. */
export type Outcome =
  | { readonly ok: true; readonly count?: number }
  | { readonly ok: false; readonly error: TaskHubError };

/** Names (and versions) that a worker takes. Empty `versions`: any; `''` stands for unversioned. */
export interface TypeFilter {
  readonly name: string;
  readonly versions: readonly string[];
}

/** Execution ids, or the numbers of activities. */
export interface KeySet {
  has(key: string): boolean;
}

/** Room on one worker's stream for one kind of work. */
export interface Taker {
  /** The engine's own number for the stream. */
  readonly id: number;
  readonly hub: string;
  readonly kind: WorkKind;
  /** How many items it can take now, at least 1. */
  readonly credit: number;
  /** `undefined`: everything. An empty list: nothing. */
  readonly filters: readonly TypeFilter[] | undefined;
  /** Nothing is in flight on this stream, of any kind. */
  readonly isIdle: boolean;
  /** The largest message that the client accepts; `Infinity` for those known to have no limit. */
  readonly messageBytesMax: number;
  /** The worker fetches a history that is left out for its size (`HISTORY_STREAMING`). */
  readonly fetchesHistory: boolean;
  /** Executions, as of one turn, that the worker has in memory: their history is left out. */
  readonly caches: KeySet;
  /** Items that this worker gave back: others are preferred for them. */
  readonly avoids: KeySet;
}

export interface ClaimedOrchestration {
  readonly kind: 'orchestration';
  readonly taker: number;
  readonly hub: string;
  readonly token: string;
  readonly instanceId: string;
  readonly executionId: string;
  /** Committed history of this execution, framed as `pastEvents`; empty when it does not travel inline. */
  readonly history: readonly Uint8Array[];
  readonly historyMode: HistoryMode;
  /** Names the item to `Taker.avoids`. */
  readonly key: string;
  /** Names to `Taker.caches` what a worker knew before this turn, and knows once it has completed it. */
  readonly memory: { readonly before: string | undefined; readonly after: string };
  /** `orchestratorStarted` first. */
  readonly newEvents: readonly StoredEvent[];
  readonly traceContext: Uint8Array | undefined;
  /** Deliveries of this item before this one that ended with the loss of the worker's stream. */
  readonly attempts: number;
}

export interface ClaimedActivity {
  readonly kind: 'activity';
  readonly taker: number;
  readonly hub: string;
  readonly token: string;
  /** Encoded `ActivityRequest`. */
  readonly request: Uint8Array;
  /** Names the item to `Taker.avoids`. */
  readonly key: string;
  readonly attempts: number;
}

export interface ClaimedEntity {
  readonly kind: 'entity';
  readonly taker: number;
  readonly hub: string;
  readonly token: string;
  readonly instanceId: string;
  readonly executionId: string;
  /** UTF-8 text; `undefined`: no state, or one that the worker knows. */
  readonly state: Uint8Array | undefined;
  /** The worker has the state in memory: it does not travel. */
  readonly isStateCached: boolean;
  readonly operations: readonly StoredEvent[];
  readonly key: string;
  readonly memory: ClaimedOrchestration['memory'];
  readonly attempts: number;
}

export type Claimed = ClaimedOrchestration | ClaimedActivity | ClaimedEntity;

/** A change that somebody may wait for; a hint, never the truth. */
export interface StatusChange {
  readonly hub: string;
  readonly instanceId: string;
  readonly status: RuntimeStatus;
}

export interface Round {
  /** Epoch ms. The store reads no clock of its own. */
  readonly now: number;
  /** In arrival order. */
  readonly commits: readonly Commit[];
  /** In order of preference. */
  readonly takers: readonly Taker[];
  /** All commits and takers are of this hub, and nothing else is looked at; `undefined`: all hubs. */
  readonly hub?: string | undefined;
}

export interface RoundResult {
  /** One for each commit, in the same order. */
  readonly outcomes: readonly Outcome[];
  readonly claimed: readonly Claimed[];
  readonly changes: readonly StatusChange[];
  /** True when something due was left over because of a bound of the round: come back at once. */
  readonly hasMore: boolean;
  /** Epoch ms of the next timer, scheduled start or delayed redelivery that this node knows of. */
  readonly wakeAt: number | undefined;
}

/** What `GetInstance` shows of an instance. */
export interface InstanceRecord {
  readonly instanceId: string;
  readonly executionId: string;
  readonly name: string;
  readonly version: string;
  readonly status: RuntimeStatus;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly completedAt: number | undefined;
  readonly scheduledAt: number | undefined;
  readonly parentInstanceId: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly customStatus: string | undefined;
  /** Present when asked for and there is one. */
  readonly input: string | undefined;
  readonly output: string | undefined;
  readonly failureDetails: TaskFailureDetails | undefined;
}

export interface HistoryOptions {
  readonly hub: string;
  readonly instanceId: string;
  /** Only if this is the current execution; `undefined`: whatever it is. */
  readonly executionId: string | undefined;
  /** Exactly what the worker of this execution is to replay: `executionRewound` stays out, a missing instance throws. */
  readonly forWorker: boolean;
  readonly signal: AbortSignal;
}

export interface ParkedItem {
  readonly kind: WorkKind;
  readonly instanceId: string;
  /** Of the orchestrator, activity or entity. */
  readonly name: string;
  /** Deliveries that ended with the loss of the worker. */
  readonly attempts: number;
}

export interface RetryParkedOptions {
  /** `undefined`: all of the hub. */
  readonly instanceId: string | undefined;
  readonly now: number;
}

/** Which instances; empty or `undefined` parts leave them in. */
export interface InstanceFilter {
  readonly statuses: readonly RuntimeStatus[];
  /** Epoch ms, inclusive. */
  readonly createdFrom: number | undefined;
  /** Epoch ms, exclusive. */
  readonly createdTo: number | undefined;
  /** Case-sensitive. */
  readonly idPrefix: string | undefined;
}

export interface InstanceQuery extends InstanceFilter {
  readonly hub: string;
  readonly after: PageToken | undefined;
  readonly limit: number;
  readonly payloads: boolean;
}

/** What `GetEntity` shows. */
export interface EntityRecord {
  readonly instanceId: string;
  /** Epoch ms of its last batch. */
  readonly modifiedAt: number;
  /** Messages that wait, those in flight included. */
  readonly backlog: number;
  /** Instance id of the orchestration that holds the lock. */
  readonly lockedBy: string | undefined;
  /** Present when asked for and there is one. */
  readonly state: string | undefined;
}

export interface EntityQuery {
  readonly hub: string;
  /** Empty: all. */
  readonly idPrefix: string;
  /** Epoch ms, inclusive. */
  readonly modifiedFrom: number | undefined;
  /** Epoch ms, exclusive. */
  readonly modifiedTo: number | undefined;
  /** Those too that have no state but messages or a lock. */
  readonly includeTransient: boolean;
  readonly state: boolean;
  readonly after: PageToken | undefined;
  readonly limit: number;
}

export interface EndedQuery {
  readonly hub: string;
  readonly statuses: readonly RuntimeStatus[];
  /** Epoch ms, inclusive. */
  readonly completedFrom: number | undefined;
  /** Epoch ms, exclusive. */
  readonly completedTo: number | undefined;
  readonly after: PageToken | undefined;
  readonly limit: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** `undefined`: this was the last page. */
  readonly next: PageToken | undefined;
}

/** What an instance was started with. */
export interface StartRecord {
  readonly name: string;
  readonly version: string;
  readonly input: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly status: RuntimeStatus;
}

/** One item that a worker holds. */
export interface Holding {
  readonly token: string;
  readonly kind: WorkKind;
}

/** How schedulers on the same data tell each other to look now. A hint: any of it may be lost. */
export interface Doorbell {
  /** The others are to look: something is there that they do not know of. */
  ring(): void;
  /** Resolves once another has rung since the last call; rejects when the signal aborts. */
  rung(options: { readonly signal: AbortSignal }): Promise<void>;
}

export interface Store {
  /** Rounds that may be under way at once. More than one: those with commits must each be of one hub. */
  readonly roundsMax: number;
  /** Other schedulers may work on the same data: what workers hold may be completed through them. */
  readonly isShared: boolean;
  /** `undefined`: a store with one owner, or without a way to tell the others. */
  readonly doorbell: Doorbell | undefined;
  /** Epoch ms by the clock that all schedulers on this store share; `undefined`: it has one owner. */
  time(): Promise<number | undefined>;
  /** Has other schedulers on this store know what `say` returns, asked once a second: `Inspection.announcements`. */
  announce(say: () => string): void;
  /** Learns at once what other schedulers have left; otherwise that takes up to a second. */
  catchUp(): Promise<void>;
  /** Runs one round; rejects only when nothing at all could be done (the store is gone). */
  exchange(round: Round): Promise<RoundResult>;
  getInstance(
    hub: string,
    instanceId: string,
    options: { readonly payloads: boolean },
  ): Promise<InstanceRecord | undefined>;
  /** Statuses of those instances that exist, for waiters that must not rely on hints. */
  statuses(
    hub: string,
    instanceIds: readonly string[],
  ): Promise<ReadonlyMap<string, RuntimeStatus>>;
  /** Committed history in chunks of framed `pastEvents`; nothing for a missing instance. */
  history(options: HistoryOptions): AsyncIterable<Uint8Array>;
  /** Orchestrations, entities not among them; each row on one page although rows are added. */
  queryInstances(query: InstanceQuery): Promise<Page<InstanceRecord>>;
  /** Ids of ended orchestrations, oldest end first. */
  listEnded(query: EndedQuery): Promise<Page<string>>;
  /** Ids of the direct children of these instances. */
  children(hub: string, instanceIds: readonly string[]): Promise<readonly string[]>;
  getStart(hub: string, instanceId: string): Promise<StartRecord | undefined>;
  /** `undefined` when there is no such entity, or one without state that nobody has locked. */
  getEntity(
    hub: string,
    entityId: string,
    options: { readonly state: boolean },
  ): Promise<EntityRecord | undefined>;
  /** Entities in the order of their ids. */
  queryEntities(query: EntityQuery): Promise<Page<EntityRecord>>;
  /** Items set aside after too many lost deliveries, at most `limit` of each kind. */
  parked(hub: string, limit: number): Promise<readonly ParkedItem[]>;
  /** Makes parked items ready again; how many there were. */
  retryParked(hub: string, options: RetryParkedOptions): Promise<number>;
  taskHubs(): Promise<readonly string[]>;
  /** Tokens of those items that nobody has completed, or been handed since; none of a hub that is gone. */
  currentLeases(hub: string, holdings: readonly Holding[]): Promise<ReadonlySet<string>>;
  /** How long ended instances are kept. */
  retention(): Promise<RetentionPolicy>;
  setRetention(policy: RetentionPolicy): Promise<void>;
  /** What people look at. */
  readonly inspection: Inspection;
  readonly roles: RoleStore;
  /**
   * Frees leases of earlier owners of this store, at most `limit` rows a call; true: call again.
   * Tokens stay good until the item is claimed again.
   */
  releaseOrphans(options: ReleaseOrphansOptions): Promise<boolean>;
  /**
   * Forgets requests that entities saw before a time, at most `limit`, and with the last one an entity that is empty;
   * true: call again.
   */
  forgetRequests(options: { readonly before: number; readonly limit: number }): Promise<boolean>;
  /** Ids of entities with locks of executions that are over, in order. */
  orphanedLocks(
    hub: string,
    options: { readonly after: string; readonly limit: number },
  ): Promise<readonly string[]>;
  /** Deletes what replaced, purged and ended executions left behind; true: call again. */
  sweep(options: { readonly limit: number }): Promise<boolean>;
  close(): Promise<void>;
}

export interface ReleaseOrphansOptions {
  readonly now: number;
  readonly limit: number;
  /** How long workers that reconnect may still complete what they hold, in ms. */
  readonly graceMs: Readonly<Record<WorkKind, number>>;
}
