/**
 * The engine behind every door: gRPC today, the session stream and the dashboard later. It owns no state that
 * the store does not have, except streams, credits and hints.
 */
import { isAbort } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import { TaskGroup } from '../base/task-group.ts';
import { invalidArgument, TaskHubError } from '../core/errors.ts';
import type {
  ActivityResponse,
  CreateInstanceRequest,
  EntityBatchResult,
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
import type {
  AbandonCommit,
  ActivityCommit,
  Commit,
  EntityCommit,
  Outcome,
  ParkedItem,
  ReleaseCommit,
  Store,
  TurnCommit,
  WorkKind,
} from '../storage/store.ts';
import { logEvent } from '../telemetry/log-events.ts';
import { describeError, type Logger } from '../telemetry/logger.ts';
import { concat } from '../wire/bytes.ts';
import { EVENT_FIELD, retagEvents } from '../wire/events.ts';
import { isStateKept } from '../wire/state-memory.ts';
import { Chunks, isPart } from './chunks.ts';
import { Entities } from './entities.ts';
import { EntityEvents } from './entity-events.ts';
import {
  createHubCommit,
  pauseCommit,
  raiseEventCommit,
  startCommit,
  terminateCommit,
  turnCommit,
} from './requests.ts';
import { Management, type IdPage, type InstancePage, type PurgeResult } from './management.ts';
import { orchestrationState } from './responses.ts';
import { Rounds } from './rounds.ts';
import type { SchedulerSettings } from './settings.ts';
import type { Subject } from './unnamed.ts';
import { Metrics } from './metrics.ts';
import { Retention } from './retention.ts';
import { startBackground } from './background.ts';
import { Inspector } from './inspector.ts';
import { Waits, type WaitUntil } from './waits.ts';
import type { WorkerInfo } from './worker-info.ts';
import { releasePatiently } from './patient-release.ts';
import {
  Workers,
  type ConnectOptions,
  type DrainOptions,
  type Ending,
  type WorkerStream,
} from './workers.ts';

export interface SchedulerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  readonly settings: SchedulerSettings;
}

export interface WaitOptions {
  readonly until: WaitUntil;
  readonly payloads: boolean;
  readonly signal: AbortSignal;
}

/** A history message gathers stored chunks up to about this size. */
const HISTORY_MESSAGE_BYTES = 256 * 1024;

/** Parked items of each kind in one list. */
const PARKED_LIST_MAX = 500;

/** What a worker sends for an item that it holds. */
type Answer = TurnCommit | ActivityCommit | EntityCommit | AbandonCommit;

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #rounds: Rounds;
  readonly #workers: Workers;
  readonly #waits: Waits;
  readonly #management: Management;
  /** What clients do with entities. */
  readonly entities: Entities;
  readonly #chunks = new Chunks();
  readonly #entityEvents: EntityEvents;
  /** What people look at. */
  readonly inspector: Inspector;
  readonly metrics: Metrics;
  readonly retention: Retention;
  readonly #background: TaskGroup;
  readonly #closing = new AbortController();
  #hubs: readonly string[] = [];
  #closed: Promise<void> | undefined;

  private constructor(options: SchedulerOptions) {
    const { store, clock, logger, settings } = options;
    this.#options = options;
    this.#entityEvents = new EntityEvents(logger);
    this.#background = new TaskGroup((error, name) => {
      logEvent(logger, 'backgroundWorkFailed', { task: name, error: describeError(error) });
    });
    this.#waits = new Waits(store);
    this.#workers = new Workers({
      clock,
      settings,
      onRoom: () => this.#rounds.poke(),
      release: (commits) => {
        this.#release(commits);
      },
    });
    this.#rounds = new Rounds({
      ...{ store, clock, logger, settings },
      takers: () => this.#workers.takers(),
      onClaimed: (claimed) => {
        this.inspector.figures.note(claimed);
        this.#workers.handOut(claimed);
      },
      onChanges: (changes) => {
        this.#waits.notice(changes);
      },
    });
    const taskHubs = (): readonly string[] => this.#hubs;
    const submit = (commit: Commit): Promise<Outcome> => this.#rounds.submit(commit);
    this.#management = new Management({ ...options, submit });
    this.entities = new Entities({ ...options, limits: settings.payloadLimits, submit });
    this.retention = new Retention({ store, clock, settings, taskHubs, submit });
    this.inspector = new Inspector({
      ...{ store, clock, rounds: this.#rounds.counts, hubs: taskHubs },
      workers: () => this.#workers.list(),
    });
    store.announce(() => this.inspector.figures.announcement());
    this.metrics = new Metrics({
      ...{ clock, inspector: this.inspector, taskHubs },
      totals: (hub) => this.#workers.totals(hub),
    });
  }

  static async open(options: SchedulerOptions): Promise<Scheduler> {
    const scheduler = new Scheduler(options);
    scheduler.#hubs = await options.store.taskHubs();
    scheduler.#startBackground();
    scheduler.#rounds.poke();
    return scheduler;
  }

  #startBackground(): void {
    startBackground({
      ...this.#options,
      tasks: this.#background,
      waits: this.#waits,
      workers: this.#workers,
      metrics: this.metrics,
      retention: this.retention,
      signal: this.#closing.signal,
      onFreed: () => this.#rounds.poke(),
      onHubs: (hubs) => {
        this.#hubs = hubs;
      },
    });
  }

  taskHubs(): readonly string[] {
    return this.#hubs;
  }

  workers(): readonly WorkerInfo[] {
    return this.#workers.list();
  }

  /** TASK_HUB_NOT_FOUND unless this scheduler serves the hub. */
  assertTaskHub(hub: string): void {
    if (!this.#hubs.includes(hub)) {
      throw new TaskHubError('TASK_HUB_NOT_FOUND', `Task hub not found: ${hub}`);
    }
  }

  /** For calls that would make new work: why one is refused (RESOURCE_EXHAUSTED) before it is read, if it is. */
  refusalAtDoor(hub: string): string | undefined {
    return this.#hubs.includes(hub) ? this.#rounds.refusalAtDoor(hub) : undefined;
  }

  async createTaskHub(hub: string, { recreate }: { readonly recreate: boolean }): Promise<void> {
    await this.#commit(createHubCommit(hub, recreate));
    this.#hubs = await this.#options.store.taskHubs();
    if (recreate) this.#workers.end(hub);
  }

  async deleteTaskHub(hub: string): Promise<void> {
    await this.#commit({ kind: 'deleteHub', hub });
    this.#hubs = await this.#options.store.taskHubs();
    this.#workers.end(hub);
  }

  /** The instance id; ALREADY_EXISTS, INVALID_ARGUMENT as the protocol says. */
  async startInstance(hub: string, request: CreateInstanceRequest): Promise<string> {
    const { ids, settings } = this.#options;
    const commit = startCommit(hub, request, { newId: ids.hex32, limits: settings.payloadLimits });
    await this.#commit(commit);
    return commit.instanceId;
  }

  async getInstance(
    hub: string,
    instanceId: string,
    options: { readonly payloads: boolean },
  ): Promise<OrchestrationState | undefined> {
    this.assertTaskHub(hub);
    const record = await this.#options.store.getInstance(hub, instanceId, options);
    return record && orchestrationState(record);
  }

  /** Holds until the instance exists and has reached the state, or the signal aborts (which rejects). */
  async waitForInstance(
    hub: string,
    instanceId: string,
    { until, payloads, signal }: WaitOptions,
  ): Promise<OrchestrationState | undefined> {
    this.assertTaskHub(hub);
    const either = AbortSignal.any([signal, this.#closing.signal]);
    try {
      await this.#waits.wait(hub, instanceId, { until, signal: either });
    } catch (error) {
      if (isAbort(error, this.#closing.signal)) {
        throw new TaskHubError('UNAVAILABLE', 'the scheduler is shutting down', { cause: error });
      }
      throw error;
    }
    return this.getInstance(hub, instanceId, { payloads });
  }

  async raiseEvent(hub: string, request: RaiseEventRequest): Promise<void> {
    this.#entityEvents.raised(hub, request.instanceId);
    await this.#commit(raiseEventCommit(hub, request, this.#options.settings.payloadLimits));
  }

  async terminate(hub: string, request: TerminateRequest): Promise<void> {
    await this.#commit(terminateCommit(hub, request, this.#options.settings.payloadLimits));
  }

  async suspend(hub: string, request: SuspendRequest): Promise<void> {
    const { payloadLimits } = this.#options.settings;
    await this.#commit(pauseCommit(hub, 'executionSuspended', request, payloadLimits));
  }

  async resume(hub: string, request: ResumeRequest): Promise<void> {
    const { payloadLimits } = this.#options.settings;
    await this.#commit(pauseCommit(hub, 'executionResumed', request, payloadLimits));
  }

  queryInstances(hub: string, query: InstanceQuery): Promise<InstancePage> {
    return this.#management.query(hub, query);
  }

  listInstanceIds(hub: string, request: ListInstanceIdsRequest): Promise<IdPage> {
    return this.#management.listEnded(hub, request);
  }

  purgeInstances(hub: string, request: PurgeInstancesRequest): Promise<PurgeResult> {
    return this.#management.purge(hub, request);
  }

  restartInstance(hub: string, request: RestartInstanceRequest): Promise<string> {
    return this.#management.restart(hub, request);
  }

  rewindInstance(hub: string, request: RewindInstanceRequest): Promise<void> {
    return this.#management.rewind(hub, request);
  }

  /** Ids that were not ended: missing, ended already, or no orchestration. */
  forceEnd(
    hub: string,
    request: SkipGracefulOrchestrationTerminationsRequest,
  ): Promise<readonly string[]> {
    return this.#management.forceEnd(hub, request);
  }

  /** Items set aside because their workers were lost again and again. */
  parkedItems(hub: string): Promise<readonly ParkedItem[]> {
    return this.#options.store.parked(hub, PARKED_LIST_MAX);
  }

  /** Hands parked items out again, of one instance or all; how many there were. */
  async retryParked(hub: string, instanceId?: string): Promise<number> {
    const { store, clock } = this.#options;
    const count = await store.retryParked(hub, { instanceId, now: clock.now() });
    this.#rounds.poke();
    return count;
  }

  openWorkerStream(hub: string, options: Omit<ConnectOptions, 'hub'>): WorkerStream {
    this.assertTaskHub(hub);
    if (this.#closing.signal.aborted) {
      throw new TaskHubError('UNAVAILABLE', 'the scheduler is shutting down');
    }
    return this.#workers.connect({ ...options, hub });
  }

  /** Gives a worker nothing more on the streams that it has here; how many there were. See `Workers.drain`. */
  drainWorker(options: DrainOptions): number {
    this.assertTaskHub(options.hub);
    return this.#workers.drain(options);
  }

  /** `principal`: who answers, where callers are asked who they are. */
  async completeOrchestration(
    hub: string,
    answer: OrchestratorResponse,
    principal?: string,
  ): Promise<void> {
    const { instanceId, completionToken } = answer;
    const token =
      completionToken || this.#tokenOf(hub, { kind: 'orchestration', instanceId }, principal);
    const response = answer.completionToken === '' ? { ...answer, completionToken: token } : answer;
    if (isPart(response)) {
      this.#chunks.add(response);
      return;
    }
    const whole = this.#chunks.join(response);
    if (!whole) {
      await this.abandon(hub, 'orchestration', token);
      throw new TaskHubError(
        'WRONG_STATE',
        `earlier chunks of the completion '${token.slice(0, 200)}' are gone; its work item is handed out again`,
      );
    }
    this.#entityEvents.notice(hub, whole.actions);
    await this.#settle(turnCommit(hub, whole), whole.requiresHistory ? 'forgot' : 'completed');
  }

  async completeActivity(
    hub: string,
    response: ActivityResponse,
    principal?: string,
  ): Promise<void> {
    const { completionToken, instanceId, taskId, result, failureDetails } = response;
    const token =
      completionToken || this.#tokenOf(hub, { kind: 'activity', instanceId, taskId }, principal);
    await this.#settle({ kind: 'activity', hub, token, result, failureDetails }, 'completed');
  }

  async completeEntity(hub: string, result: EntityBatchResult): Promise<void> {
    const { completionToken: token } = result;
    if (token === '') {
      throw invalidArgument(
        'completionToken must not be empty; send back the one of the work item',
      );
    }
    const ending = isStateKept(result) ? 'completed' : 'forgot';
    await this.#settle({ kind: 'entity', hub, token, result }, ending);
  }

  /** Early workers send no token: then it is the one of the item that such a worker of theirs holds. */
  #tokenOf(hub: string, subject: Subject, principal: string | undefined): string {
    const found = this.#workers.tokenOf(hub, subject, principal);
    if (found !== undefined) return found;
    throw invalidArgument('completionToken must not be empty; send back the one of the work item');
  }

  async abandon(hub: string, work: WorkKind, token: string): Promise<void> {
    await this.#settle({ kind: 'abandon', hub, work, token }, 'gaveBack');
  }

  /** The worker's place is free from the round on that carries its answer. */
  async #settle(commit: Answer, ending: Ending): Promise<void> {
    const { token } = commit;
    const settlement = this.#workers.settle(token, ending);
    try {
      await this.#commit(commit);
    } catch (error) {
      if (error instanceof TaskHubError && error.code === 'LEASE_LOST') {
        settlement?.disown();
        this.#chunks.drop(token);
      } else {
        settlement?.undo();
      }
      throw error;
    }
    this.#chunks.drop(token);
    // Behind a load balancer the place that it took may be at another scheduler.
    if (!settlement) this.#options.store.doorbell?.ring();
  }

  /** Committed history as encoded `HistoryChunk` messages; nothing for a missing instance. */
  async *streamHistory(
    hub: string,
    request: StreamInstanceHistoryRequest,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncIterable<Uint8Array> {
    this.assertTaskHub(hub);
    const { instanceId, executionId, forWorkItemProcessing: forWorker } = request;
    let parts: Uint8Array[] = [];
    let bytes = 0;
    const chunks = this.#options.store.history({
      ...{ hub, instanceId, executionId, forWorker, signal },
    });
    for await (const chunk of chunks) {
      if (bytes > 0 && bytes + chunk.length > HISTORY_MESSAGE_BYTES) {
        yield concat(parts);
        parts = [];
        bytes = 0;
      }
      parts.push(retagEvents(chunk, EVENT_FIELD.chunk));
      bytes += chunk.length;
    }
    if (bytes > 0) yield concat(parts);
  }

  async #commit(commit: Commit): Promise<void> {
    const outcome = await this.#rounds.submit(commit);
    if (!outcome.ok) throw outcome.error;
  }

  #release(commits: readonly ReleaseCommit[]): void {
    const [rounds, { clock }, { signal }] = [this.#rounds, this.#options, this.#closing];
    for (const commit of commits) {
      this.#chunks.drop(commit.token);
      this.#background.run('release', () => releasePatiently(commit, { rounds, clock, signal }));
    }
  }

  /** Ends streams with OK, waits for what workers hold, gives the rest back, finishes the last rounds. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { clock, settings } = this.#options;
    this.#workers.end();
    const deadlineAt = clock.now() + settings.drainMs;
    const never = new AbortController().signal;
    while (this.#workers.held > 0 && clock.now() < deadlineAt) {
      await clock.sleepUntil(Math.min(clock.now() + 20, deadlineAt), { signal: never });
    }
    this.#release(this.#workers.releaseNow());
    this.#closing.abort(new Error('the scheduler is closing'));
    await this.#background.settled();
    await this.#rounds.close();
  }
}
