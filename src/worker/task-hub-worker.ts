import { hostname } from 'node:os';
import { pid } from 'node:process';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { untilAborted } from '../base/abort.ts';
import { TaskGroup } from '../base/task-group.ts';
import type { Connection } from '../client/connection.ts';
import { openConnection } from '../client/open-connection.ts';
import { TaskHubError } from '../core/errors.ts';
import { BackendService } from '../proto/backend_service_pb.ts';
import type { GetWorkItemsRequestSchema, WorkItem } from '../proto/orchestrator_service_pb.ts';
import { WorkerCapability } from '../proto/orchestrator_service_pb.ts';
import type { CoreOrchestrationContext } from '../replay/core-context.ts';
import type { ActivityHandler } from './activity-context.ts';
import { functionInvoker } from './activity-context.ts';
import { ActivityRunner } from './activity-runner.ts';
import { coreStyle } from './core-style.ts';
import { EntityRunner } from './entity-runner.ts';
import { OrchestrationRunner } from './orchestration-runner.ts';
import type { ActivityInvoker, OrchestratorHandler, OrchestratorStyle } from './registry.ts';
import { Registry } from './registry.ts';
import { SessionCache } from './session-cache.ts';
import { StateCache } from './state-cache.ts';
import type { EntityFactory } from './task-entity.ts';
import type { LeasedWorkItem } from './work-item-completer.ts';
import { WorkItemCompleter } from './work-item-completer.ts';
import { encodeFilters } from './work-item-filters.ts';
import { WorkItemStream } from './work-item-stream.ts';
import type { TaskHubWorkerOptions, WorkerSettings } from './worker-options.ts';
import { resolveWorkerOptions } from './worker-options.ts';
import { logEvent } from '../telemetry/log-events.ts';
import { recordMetric } from '../telemetry/recorded-metrics.ts';
import type { WorkReport } from './work-report.ts';

/** Core-style code: generator function, async generator function, async or plain function. */
export type CoreOrchestrator<T = never> = (context: CoreOrchestrationContext, input: T) => unknown;

export interface AddVersionOptions {
  /** Serves this version only. Default: every version that has no registration of its own. */
  readonly version?: string | undefined;
}

export type AddOrchestratorOptions = AddVersionOptions & OrchestratorStyle;

/**
 * Hosts orchestrators, activities and entities: takes work items from a scheduler, runs them and hands the
 * results back, until it is stopped. Method names are those of `TaskHubGrpcWorker` in
 * `@microsoft/durabletask-js`; orchestrators are core style unless their options say otherwise.
 *
 * A lost connection is found again by itself. Nothing that registered code throws escapes.
 */
export class TaskHubWorker implements AsyncDisposable {
  readonly #settings: WorkerSettings;
  readonly #connection: Connection;
  readonly #registry: Registry;
  #running: RunningWorker | undefined;
  #stopped: Promise<void> | undefined;

  /** @throws TaskHubError INVALID_ARGUMENT when an option is wrong or the address incomplete. */
  constructor(options: TaskHubWorkerOptions | string) {
    const given = typeof options === 'string' ? { connectionString: options } : options;
    this.#settings = resolveWorkerOptions(given);
    const { clock, ids, ignoresNameCase } = this.#settings;
    this.#registry = new Registry({
      ignoresCase: ignoresNameCase,
      unknownText: given.unknownText,
    });
    this.#connection = openConnection({
      address: given,
      caller: 'TaskHubWorker',
      workerId: given.workerId ?? `${hostname()},${pid},${ids.uuid()}`,
      clock,
      ids,
    });
  }

  /** True while a stream of work items is open and has shown a sign of life. */
  get isConnected(): boolean {
    return this.#running?.stream.isConnected ?? false;
  }

  /** Work items in hand. */
  get workItemCount(): number {
    return this.#running?.workItemCount ?? 0;
  }

  /** Registers an orchestrator under its function's name, which is returned. */
  addOrchestrator<T>(orchestrator: CoreOrchestrator<T>): string {
    return this.addNamedOrchestrator(orchestrator.name, orchestrator);
  }

  /** @throws TaskHubError INVALID_ARGUMENT when the name is empty or taken. */
  addNamedOrchestrator<T>(
    name: string,
    orchestrator: CoreOrchestrator<T>,
    options?: AddVersionOptions,
  ): string;
  /** As above, for code of another style than core. */
  addNamedOrchestrator(
    name: string,
    orchestrator: OrchestratorHandler,
    options: AddOrchestratorOptions,
  ): string;
  addNamedOrchestrator(
    name: string,
    handler: OrchestratorHandler,
    options: AddVersionOptions & Partial<OrchestratorStyle> = {},
  ): string {
    const { version, ...style } = options;
    const core = coreStyle(this.#settings.versioning.defaultVersion);
    this.#registry.addOrchestrator({ ...core, ...style, name, version, handler });
    return name;
  }

  /** Registers an activity under its function's name, which is returned. */
  addActivity<T>(activity: ActivityHandler<T>): string {
    return this.addNamedActivity(activity.name, activity);
  }

  /** @throws TaskHubError INVALID_ARGUMENT when the name is empty or taken. */
  addNamedActivity<T>(
    name: string,
    activity: ActivityHandler<T>,
    options: AddVersionOptions = {},
  ): string {
    return this.addActivityInvoker(name, functionInvoker(activity), options);
  }

  /** As `addNamedActivity`, for code that takes and gives JSON text itself. */
  addActivityInvoker(
    name: string,
    invoke: ActivityInvoker,
    options: AddVersionOptions = {},
  ): string {
    this.#registry.addActivity({ name, version: options.version, invoke });
    return name;
  }

  /**
   * Registers an entity under its factory's name; see `addNamedEntity`. Returns the name in lower case.
   */
  addEntity(factory: EntityFactory): string {
    return this.addNamedEntity(factory.name, factory);
  }

  /**
   * Registers an entity: `factory` makes what runs its operations, once for each batch of them. Names
   * are compared without case; the name is returned in lower case.
   *
   * @throws TaskHubError INVALID_ARGUMENT when the name is empty, taken, or holds an `@`.
   */
  addNamedEntity(name: string, factory: EntityFactory): string {
    this.#registry.addEntity(name, factory);
    return name.toLowerCase();
  }

  /**
   * Begins to take work. Resolves at once: a scheduler that is not there yet is waited for
   * (`connected()` tells when).
   *
   * @throws TaskHubError WRONG_STATE when the worker was stopped; starting twice is fine.
   */
  async start(): Promise<void> {
    if (this.#stopped !== undefined) {
      throw new TaskHubError('WRONG_STATE', 'The worker was stopped; make another one');
    }
    this.#running ??= new RunningWorker(this.#settings, this.#connection, this.#registry);
    return Promise.resolve();
  }

  /** Resolves when the scheduler sends its first sign of life; rejects with the signal's reason. */
  async connected(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options;
    await this.start();
    const connected = this.#running?.stream.connected() ?? Promise.resolve(undefined);
    await (signal === undefined ? connected : untilAborted(connected, signal));
    signal?.throwIfAborted();
  }

  /**
   * Takes no more work, waits for what is in hand up to the drain timeout, gives the rest back to
   * the scheduler and disconnects. The scheduler is asked to keep what is in hand for so long. Stopping twice is fine.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<void> {
    await this.#running?.drain();
    await this.#connection.close();
  }
}

/** How long a scheduler may take to say that it sends nothing more. */
const DRAIN_ANSWER_MS = 5_000;

/** The parts of a worker between start and stop. */
class RunningWorker {
  readonly stream: WorkItemStream;
  readonly #settings: WorkerSettings;
  readonly #connection: Connection;
  readonly #completer: WorkItemCompleter;
  readonly #orchestrations: OrchestrationRunner;
  readonly #activities: ActivityRunner;
  readonly #entities: EntityRunner;
  readonly #sessions: SessionCache;
  readonly #inHand = new Set<LeasedWorkItem>();
  readonly #tasks: TaskGroup;
  /** Aborts when no more work is taken. */
  readonly #stopping = new AbortController();
  /** Aborts when what is in hand is no longer waited for. */
  readonly #givingUp = new AbortController();
  readonly #reading: Promise<void>;

  constructor(settings: WorkerSettings, connection: Connection, registry: Registry) {
    const { clock, ids, logger } = settings;
    const signal = this.#givingUp.signal;
    this.#settings = settings;
    this.#connection = connection;
    this.#tasks = new TaskGroup((error, name) =>
      logEvent(logger, 'workerTaskFailed', { name, error }),
    );
    this.#sessions = new SessionCache({
      countMax: settings.cachedOrchestrationsMax,
      idleMs: settings.cachedOrchestrationIdleMs,
    });
    this.#completer = new WorkItemCompleter({
      connection,
      retryMs: settings.completionRetryMs,
      signal,
      clock,
      ids,
      logger,
    });
    const completer = this.#completer;
    this.#activities = new ActivityRunner({ registry, completer, signal, logger });
    const states = new StateCache(settings.cachedEntityBytesMax);
    this.#entities = new EntityRunner({ registry, states, completer, signal, clock, ids, logger });
    this.#orchestrations = new OrchestrationRunner({
      registry,
      sessions: this.#sessions,
      completer,
      connection,
      versioning: settings.versioning,
      limits: { actionsMax: settings.actionsMax, nonDurableWaitMs: settings.nonDurableWaitMs },
      signal,
      clock,
      ids,
      logger,
    });
    this.stream = new WorkItemStream({
      connection,
      request: workItemsRequest(settings, registry),
      isSticky: settings.cachedOrchestrationsMax > 0,
      onWorkItem: (item) => {
        this.#dispatch(item);
      },
      silentLimitMs: settings.silentLimitMs,
      taskHub: settings.taskHub,
      clock,
      ids,
      logger,
    });
    this.#reading = this.stream.run({ signal: this.#stopping.signal });
  }

  get workItemCount(): number {
    return this.#inHand.size;
  }

  async drain(): Promise<void> {
    const { clock, drainTimeoutMs, logger } = this.#settings;
    this.stream.makeLast();
    // A scheduler that keeps the stream open for what is in hand does not count the worker as lost meanwhile.
    if (!(await this.#askForNoMore())) await this.#close();
    const patience = new AbortController();
    const deadline = clock
      .sleepUntil(clock.now() + drainTimeoutMs, { signal: patience.signal })
      .then(
        () => patience.abort(),
        // Aborted below: everything was done in time.
        () => undefined,
      );
    await untilAborted(this.#tasks.settled(), patience.signal);
    patience.abort();
    await deadline;
    this.#givingUp.abort(new TaskHubError('UNAVAILABLE', 'The worker is stopping'));
    if (this.#inHand.size > 0) {
      logEvent(logger, 'workGivenBack', { count: this.#inHand.size });
      await Promise.all([...this.#inHand].map((item) => this.#completer.abandon(item)));
    }
    await this.#close();
    this.#sessions.closeAll();
  }

  /** False: the scheduler cannot be asked, or this stream is not at the node that answers. */
  async #askForNoMore(): Promise<boolean> {
    const { drainTimeoutMs, logger } = this.#settings;
    if (!this.stream.isConnected || this.#inHand.size === 0 || drainTimeoutMs === 0) return false;
    try {
      const { workerFound } = await this.#connection.unary(
        BackendService.method.beginWorkerDrain,
        { drainTimeout: durationFromMs(drainTimeoutMs) },
        { timeoutMs: Math.min(drainTimeoutMs, DRAIN_ANSWER_MS) },
      );
      return workerFound;
    } catch (error) {
      logEvent(logger, 'drainRefused', { error });
      return false;
    }
  }

  async #close(): Promise<void> {
    this.#stopping.abort();
    await this.#reading;
  }

  #dispatch(item: WorkItem): void {
    const { request, completionToken } = item;
    switch (request.case) {
      case 'orchestratorRequest': {
        const { value } = request;
        const leased = {
          kind: 'orchestration',
          completionToken,
          instanceId: value.instanceId,
        } as const;
        this.#take(leased, () => this.#orchestrations.run(value, leased));
        return;
      }
      case 'activityRequest': {
        const { value } = request;
        const instanceId = value.orchestrationInstance?.instanceId ?? '';
        const leased = { kind: 'activity', completionToken, instanceId } as const;
        this.#take(leased, () => this.#activities.run(value, leased));
        return;
      }
      case 'entityRequest': {
        const { value } = request;
        const leased = { kind: 'entity', completionToken, instanceId: value.instanceId } as const;
        this.#take(leased, () => this.#entities.runFirst(value, leased));
        return;
      }
      case 'entityRequestV2': {
        const { value } = request;
        const leased = { kind: 'entity', completionToken, instanceId: value.instanceId } as const;
        this.#take(leased, () => this.#entities.runSecond(value, leased));
        return;
      }
      case 'healthPing':
        this.#sessions.closeIdle(this.#settings.clock.now());
        return;
      case undefined:
        logEvent(this.#settings.logger, 'workItemUnknown');
        return;
    }
  }

  #take(item: LeasedWorkItem, work: () => Promise<WorkReport>): void {
    const { clock, logger, taskHub } = this.#settings;
    const { kind, instanceId } = item;
    const labels = { ...(taskHub !== undefined && { task_hub: taskHub }), kind };
    const startedAt = clock.now();
    this.#inHand.add(item);
    recordMetric('workInHand', 1, labels);
    this.#tasks.run(kind, async () => {
      try {
        const { name, outcome } = await work();
        const seconds = (clock.now() - startedAt) / 1000;
        recordMetric('workDuration', seconds, { ...labels, name, outcome });
      } catch (error) {
        logEvent(logger, 'workItemFailed', { kind, instanceId, error });
        await this.#completer.abandon(item);
      } finally {
        this.#inHand.delete(item);
        recordMetric('workInHand', -1, labels);
      }
    });
  }
}

function workItemsRequest(
  settings: WorkerSettings,
  registry: Registry,
): MessageInitShape<typeof GetWorkItemsRequestSchema> {
  const filters = encodeFilters(settings.workItemFilters, { ...settings, registry });
  return {
    maxConcurrentOrchestrationWorkItems: settings.maxConcurrentOrchestrations,
    maxConcurrentActivityWorkItems: settings.maxConcurrentActivities,
    maxConcurrentEntityWorkItems: settings.maxConcurrentEntities,
    capabilities: [WorkerCapability.HISTORY_STREAMING],
    ...(filters !== undefined && { workItemFilters: filters }),
  };
}
