import type {
  ActivityResponse,
  CreateInstanceRequest,
  GetWorkItemsRequest,
  InstanceQuery,
  ListInstanceIdsRequest,
  OrchestrationState,
  OrchestratorResponse,
  PurgeInstancesRequest,
  RaiseEventRequest,
  RestartInstanceRequest,
  ResumeRequest,
  RewindInstanceRequest,
  SkipGracefulOrchestrationTerminationsRequest,
  StreamInstanceHistoryRequest,
  SuspendRequest,
  TerminateRequest,
} from '../proto/orchestrator_service_pb.ts';

/** The server's side of one `GetWorkItems` stream: where the engine puts work. */
export interface WorkItemSink {
  /** Takes one encoded `WorkItem`. Nothing is refused: look at `isBlocked` first. */
  push(workItem: Uint8Array): void;
  /** True while the transport's buffer is over its limit; push nothing until it drains. */
  readonly isBlocked: boolean;
  /** Calls back each time a blocked sink may be pushed to again. */
  onDrain(callback: () => void): void;
  /** Ends the stream with status OK, after what was pushed before. */
  end(): void;
}

/** The engine's side of one `GetWorkItems` stream. */
export interface WorkerStream {
  /** The stream is over, whoever ended it. Called exactly once. */
  close(): void;
}

export interface OpenWorkerStreamOptions {
  readonly request: GetWorkItemsRequest;
  /** `workerid` metadata; Java's worker sends none. */
  readonly workerId: string | undefined;
  /** `x-user-agent` metadata: a hint for work-arounds, never for correctness. */
  readonly userAgent: string | undefined;
  /** The worker keeps orchestrations in memory between turns: history it knows is left out. */
  readonly isSticky: boolean;
  readonly sink: WorkItemSink;
}

export interface WaitOptions {
  readonly until: 'started' | 'completed';
  readonly payloads: boolean;
  readonly signal: AbortSignal;
}

export interface InstancePage {
  readonly states: readonly OrchestrationState[];
  /** `undefined` on the last page. */
  readonly continuationToken: string | undefined;
}

export interface IdPage {
  readonly ids: readonly string[];
  /** `undefined` on the last page. */
  readonly lastKey: string | undefined;
}

export interface PurgeResult {
  readonly deleted: number;
  /** False when the client's time budget was over first. */
  readonly isComplete: boolean;
}

export interface ParkedItem {
  readonly kind: 'orchestration' | 'activity' | 'entity';
  readonly instanceId: string;
  readonly name: string;
  readonly attempts: number;
}

/** What is done to orchestrations from outside, beside starting them and sending them events. */
export interface ManagementEngine {
  queryInstances(hub: string, query: InstanceQuery): Promise<InstancePage>;
  listInstanceIds(hub: string, request: ListInstanceIdsRequest): Promise<IdPage>;
  purgeInstances(hub: string, request: PurgeInstancesRequest): Promise<PurgeResult>;
  /** The instance id of the new execution. */
  restartInstance(hub: string, request: RestartInstanceRequest): Promise<string>;
  /** Items set aside because their workers were lost again and again. */
  parkedItems(hub: string): Promise<readonly ParkedItem[]>;
  /** How many were made ready again. */
  retryParked(hub: string, instanceId?: string): Promise<number>;
  rewindInstance(hub: string, request: RewindInstanceRequest): Promise<void>;
  /** Ids that were not ended. */
  forceEnd(
    hub: string,
    request: SkipGracefulOrchestrationTerminationsRequest,
  ): Promise<readonly string[]>;
}

/**
 * What the doors of the server ask of the scheduler. Every method may throw `TaskHubError`; a reply
 * means that the effect is durable.
 */
export interface Engine extends ManagementEngine {
  taskHubs(): readonly string[];
  /** Throws TASK_HUB_NOT_FOUND with the product's text when the hub does not exist. */
  assertTaskHub(hub: string): void;
  createTaskHub(hub: string, options: { readonly recreate: boolean }): Promise<void>;
  deleteTaskHub(hub: string): Promise<void>;

  startInstance(hub: string, request: CreateInstanceRequest): Promise<string>;
  getInstance(
    hub: string,
    instanceId: string,
    options: { readonly payloads: boolean },
  ): Promise<OrchestrationState | undefined>;
  /** Resolves when the state is reached, or with `undefined` when the instance is purged meanwhile. */
  waitForInstance(
    hub: string,
    instanceId: string,
    options: WaitOptions,
  ): Promise<OrchestrationState | undefined>;
  raiseEvent(hub: string, request: RaiseEventRequest): Promise<void>;
  terminate(hub: string, request: TerminateRequest): Promise<void>;
  suspend(hub: string, request: SuspendRequest): Promise<void>;
  resume(hub: string, request: ResumeRequest): Promise<void>;

  openWorkerStream(hub: string, options: OpenWorkerStreamOptions): WorkerStream;
  completeOrchestration(hub: string, response: OrchestratorResponse): Promise<void>;
  completeActivity(hub: string, response: ActivityResponse): Promise<void>;
  /** Gives a work item back; an unknown token is no error. */
  abandon(hub: string, kind: 'orchestration' | 'activity' | 'entity', token: string): Promise<void>;
  /** Encoded `HistoryChunk` messages. */
  streamHistory(
    hub: string,
    request: StreamInstanceHistoryRequest,
    options: { readonly signal: AbortSignal },
  ): AsyncIterable<Uint8Array>;

  /** Ends the worker streams, waits for leased work up to a deadline, stops. */
  close(): Promise<void>;
}
