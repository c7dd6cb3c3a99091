import { create } from '@bufbuild/protobuf';
import {
  BackendMetricsSchema,
  BackendService,
  type BackendMetrics,
} from '../proto/backend_service_pb.ts';
import type { Clock } from '../base/clock.ts';
import { systemClock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import { systemIds } from '../base/ids.ts';
import type { EntityTarget } from '../core/entity-instance-id.ts';
import { invalidArgument, TaskHubError } from '../core/errors.ts';
import type { GetInstanceResponse, HistoryEvent } from '../proto/orchestrator_service_pb.ts';
import { TaskHubSidecarService } from '../proto/orchestrator_service_pb.ts';
import type { Connection } from './connection.ts';
import { TimeoutError } from './connection.ts';
import type {
  NamedFunction,
  RequestOptions,
  SendOptions,
  StartOrchestrationOptions,
  TaskHubClientOptions,
  WaitOptions,
} from './client-options.ts';
import { EntityClient } from './entity-client.ts';
import type {
  CleanEntityStorageRequest,
  CleanEntityStorageResult,
  SignalEntityOptions,
} from './entity-client.ts';
import type { EntityMetadata, EntityQuery } from './entity-query.ts';
import { InstanceManagement } from './instance-management.ts';
import type { ForceTerminateOptions, PurgeOptions } from './instance-management.ts';
import { encodeJson } from './json.ts';
import type { ListInstanceIdsOptions, OrchestrationQuery } from './orchestration-query.ts';
import type { AsyncPageable, Page } from './page.ts';
import type { PublishedPurgeCriteria, PurgeCriteria, PurgeResult } from './purge.ts';
import { requireId } from './require-id.ts';
import { encodeStart } from './start-request.ts';
import { raiseSpanOf, startSpanOf, withClientSpan } from './client-span.ts';
import { callPatiently } from './patient-call.ts';
import { openConnection } from './open-connection.ts';
import { OrchestrationState } from './orchestration-state.ts';
import { readTerminateOptions } from './terminate-options.ts';

const rpc = TaskHubSidecarService.method;

const REQUEST_TIMEOUT_MS = 30_000;
const WAIT_TIMEOUT_MS = 60_000;

/**
 * Starts, watches and steers the orchestrations of one task hub, and signals and reads its entities. Method names and argument order
 * are those of `TaskHubGrpcClient` in `@microsoft/durabletask-js`; all are safe to call at once.
 *
 * Methods reject with `TaskHubError` (see `code`), with `TimeoutError`, or with the reason of the
 * signal that was passed.
 */
export class TaskHubClient implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #ids: IdSource;
  readonly #defaultVersion: string | undefined;
  readonly #requestTimeoutMs: number;
  readonly #management: InstanceManagement;
  readonly #entities: EntityClient;
  /** A scheduler that was there once is worth waiting for. */
  #hasAnswered = false;
  #isClosed = false;

  private constructor(options: TaskHubClientOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#ids = options.ids ?? systemIds;
    this.#defaultVersion = options.defaultVersion;
    this.#requestTimeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
    this.#connection = openConnection({
      address: options,
      caller: 'TaskHubClient',
      clock: this.#clock,
      ids: this.#ids,
    });
    this.#management = new InstanceManagement({
      unary: this.#unary,
      clock: this.#clock,
      requestTimeoutMs: this.#requestTimeoutMs,
    });
    this.#entities = new EntityClient({
      unary: (...call) => this.#request(...call),
      clock: this.#clock,
      ids: this.#ids,
    });
  }

  /**
   * A client for a scheduler, by connection string or options. Connects with the first call.
   *
   * @throws TaskHubError INVALID_ARGUMENT when the address is incomplete or wrong.
   */
  static open(options: TaskHubClientOptions | string): TaskHubClient {
    return new TaskHubClient(typeof options === 'string' ? { connectionString: options } : options);
  }

  /**
   * Starts an orchestration and returns its instance id, once the scheduler has it in its store.
   * `input` travels as JSON.
   *
   * @throws TaskHubError INSTANCE_ALREADY_EXISTS when the id is taken; UNAVAILABLE when the answer to a start under an
   *   id of the caller's was lost: start it again, and take INSTANCE_ALREADY_EXISTS for success.
   */
  async scheduleNewOrchestration(
    orchestrator: NamedFunction | string,
    input?: unknown,
    instanceIdOrOptions?: StartOrchestrationOptions | string,
    startAt?: Date,
  ): Promise<string> {
    const options =
      typeof instanceIdOrOptions === 'object'
        ? instanceIdOrOptions
        : ({ instanceId: instanceIdOrOptions, startAt } as StartOrchestrationOptions);
    const instanceId = options.instanceId ?? this.#ids.uuid();
    const version = options.version ?? this.#defaultVersion;
    const name = typeof orchestrator === 'string' ? orchestrator : orchestrator.name;
    const { traceParent, traceState, signal } = options;
    const span = startSpanOf({ name, version, instanceId });
    try {
      return await withClientSpan(
        { ...span, traceParent, traceState },
        async (parentTraceContext) => {
          const call = { ...options, instanceId, version, parentTraceContext };
          const request = encodeStart(name, input, call);
          // Sent again under an id that the caller chose, it would find itself and look like somebody else's.
          const isRepeatable = options.instanceId === undefined;
          const wait = { signal, timeoutMs: this.#requestTimeoutMs, isRepeatable };
          return (await this.#unary(rpc.startInstance, request, wait)).instanceId;
        },
      );
    } catch (error) {
      // A random id is taken only by our own first attempt, whose reply was lost.
      const isOurs = error instanceof TaskHubError && error.code === 'INSTANCE_ALREADY_EXISTS';
      if (isOurs && options.instanceId === undefined) return instanceId;
      throw error;
    }
  }

  /** The state of an instance, `undefined` when there is none. */
  async getOrchestrationState(
    instanceId: string,
    fetchPayloads = true,
    options: RequestOptions = {},
  ): Promise<OrchestrationState | undefined> {
    const request = { instanceId: requireId(instanceId), getInputsAndOutputs: fetchPayloads };
    return decodeState(await this.#request(rpc.getInstance, request, options));
  }

  /**
   * The state of an instance as soon as it is no longer pending. `timeout` is in seconds, as in
   * the published package; options take milliseconds. Goes on when the scheduler is away for a
   * while.
   */
  async waitForOrchestrationStart(
    instanceId: string,
    fetchPayloads = false,
    timeout: WaitOptions | number = {},
  ): Promise<OrchestrationState | undefined> {
    return this.#wait('start', instanceId, fetchPayloads, timeout);
  }

  /** As `waitForOrchestrationStart`, until the orchestration has ended, however it did. */
  async waitForOrchestrationCompletion(
    instanceId: string,
    fetchPayloads = true,
    timeout: WaitOptions | number = {},
  ): Promise<OrchestrationState | undefined> {
    return this.#wait('complete', instanceId, fetchPayloads, timeout);
  }

  /**
   * Sends an event to an instance; `data` travels as JSON. UNAVAILABLE: it may have been delivered or not; it is not
   * sent again unasked, because it could then be there twice.
   */
  async raiseOrchestrationEvent(
    instanceId: string,
    eventName: string,
    data: unknown = null,
    options: SendOptions = {},
  ): Promise<void> {
    if (eventName === '') throw invalidArgument('eventName must not be empty');
    const input = encodeJson(data, 'The event data');
    const id = requireId(instanceId);
    const request = { instanceId: id, name: eventName, ...(input !== undefined && { input }) };
    const { traceParent, traceState, signal } = options;
    await withClientSpan({ ...raiseSpanOf(id, eventName), traceParent, traceState }, () =>
      this.#request(rpc.raiseEvent, request, { signal, isRepeatable: false }),
    );
  }

  /** Ends an instance. `terminateOptions({ output, recursive })` takes its children along. */
  async terminateOrchestration(
    instanceId: string,
    outputOrOptions?: unknown,
    options: RequestOptions = {},
  ): Promise<void> {
    const { output, recursive } = readTerminateOptions(outputOrOptions);
    const text = encodeJson(output, 'The output');
    await this.#request(
      rpc.terminateInstance,
      { instanceId: requireId(instanceId), recursive, ...(text !== undefined && { output: text }) },
      options,
    );
  }

  /** Holds an instance until it is resumed; what arrives meanwhile is kept. */
  async suspendOrchestration(
    instanceId: string,
    reason?: string,
    options: RequestOptions = {},
  ): Promise<void> {
    await this.#request(
      rpc.suspendInstance,
      { instanceId: requireId(instanceId), ...(reason !== undefined && { reason }) },
      options,
    );
  }

  /** Lets a suspended instance go on. */
  async resumeOrchestration(
    instanceId: string,
    reason?: string,
    options: RequestOptions = {},
  ): Promise<void> {
    await this.#request(
      rpc.resumeInstance,
      { instanceId: requireId(instanceId), ...(reason !== undefined && { reason }) },
      options,
    );
  }

  /**
   * The committed history of the instance's current execution, event by event as it arrives;
   * nothing for a missing instance.
   */
  async *getOrchestrationHistory(
    instanceId: string,
    options: RequestOptions = {},
  ): AsyncGenerator<HistoryEvent, void, undefined> {
    const request = { instanceId: requireId(instanceId), forWorkItemProcessing: false };
    try {
      for await (const chunk of this.#connection.serverStream(
        rpc.streamInstanceHistory,
        request,
        options,
      )) {
        yield* chunk.events;
      }
    } catch (error) {
      // Some schedulers answer so where others send an empty stream.
      if (error instanceof TaskHubError && error.code === 'INSTANCE_NOT_FOUND') return;
      throw error;
    }
  }

  /**
   * The instances that match a query, oldest first: iterate for instances, `asPages()` for pages.
   * Instances that are added meanwhile may be listed or not; each is listed once. Entities are not.
   */
  getAllInstances(query: OrchestrationQuery = {}): AsyncPageable<OrchestrationState> {
    return this.#management.getAllInstances(query);
  }

  /**
   * One page of ids of ended instances, by the time they ended. `continuationToken` of the page is
   * the `lastInstanceKey` of the next.
   */
  async listInstanceIds(options: ListInstanceIdsOptions = {}): Promise<Page<string>> {
    return this.#management.listInstanceIds(options);
  }

  /**
   * Deletes an ended instance by id, or all that match; `recursive` takes sub-orchestrations along.
   * What is missing or has not ended is not deleted and not counted.
   */
  async purgeOrchestration(
    target: string | PurgeCriteria | PublishedPurgeCriteria,
    options: PurgeOptions = {},
  ): Promise<PurgeResult> {
    return this.#management.purge(target, options);
  }

  /** As `purgeOrchestration`, for any number of ids; sent in batches of 500. */
  async purgeInstances(
    instanceIds: readonly string[],
    options: PurgeOptions = {},
  ): Promise<PurgeResult> {
    return this.#management.purgeInstances(instanceIds, options);
  }

  /**
   * Runs an instance again with its original input: under its own id once it has ended, or beside
   * it under a new one. Returns the id.
   *
   * @throws TaskHubError INSTANCE_NOT_FOUND; WRONG_STATE for the same id before the end.
   */
  async restartOrchestration(
    instanceId: string,
    restartWithNewInstanceId = false,
    options: RequestOptions = {},
  ): Promise<string> {
    return this.#management.restart(instanceId, restartWithNewInstanceId, options);
  }

  /**
   * Takes the failures out of a failed instance and lets it go on; what succeeded is not repeated.
   *
   * @throws TaskHubError INSTANCE_NOT_FOUND; WRONG_STATE for one that has not failed.
   */
  async rewindInstance(
    instanceId: string,
    reason = '',
    options: RequestOptions = {},
  ): Promise<void> {
    await this.#management.rewind(instanceId, reason, options);
  }

  /**
   * Ends instances at once, without their workers; for those that do not react to a termination.
   * `reason` becomes their output as it is. Returns the ids that were not ended: missing, ended
   * already, or holding a lock.
   */
  async forceTerminate(
    instanceIds: readonly string[],
    options: ForceTerminateOptions = {},
  ): Promise<readonly string[]> {
    return this.#management.forceTerminate(instanceIds, options);
  }

  /**
   * Sends an operation to an entity, which is created by it if need be. Returns once the message is
   * in the scheduler's store; nothing comes back. `input` travels as JSON.
   */
  async signalEntity(
    id: EntityTarget,
    operationName: string,
    input?: unknown,
    options: SignalEntityOptions = {},
  ): Promise<void> {
    await this.#entities.signal(id, operationName, input, options);
  }

  /** What is known of an entity; `undefined` for one that has no state and no lock. */
  async getEntity<T = unknown>(
    id: EntityTarget,
    includeState = true,
    options: RequestOptions = {},
  ): Promise<EntityMetadata<T> | undefined> {
    return this.#entities.get<T>(id, includeState, options);
  }

  /** The entities that match a query, by id: iterate for entities, `asPages()` for pages. */
  getEntities<T = unknown>(query: EntityQuery = {}): AsyncPageable<EntityMetadata<T>> {
    return this.#entities.list<T>(query);
  }

  /**
   * Removes empty entities and releases locks whose owner has ended. Our scheduler does both by
   * itself and finds nothing to do; others may stop after a while and say where to go on.
   */
  async cleanEntityStorage(
    request: CleanEntityStorageRequest = {},
    continueUntilComplete = true,
    options: RequestOptions = {},
  ): Promise<CleanEntityStorageResult> {
    return this.#entities.clean(request, continueUntilComplete, options);
  }

  /** Creates the client's task hub; an existing one stays as it is, or is wiped on demand. */
  async createTaskHub(
    options: RequestOptions & { readonly recreateIfExists?: boolean } = {},
  ): Promise<void> {
    const request = { recreateIfExists: options.recreateIfExists ?? false };
    await this.#request(rpc.createTaskHub, request, options);
  }

  /** Deletes the client's task hub with everything in it. */
  async deleteTaskHub(options: RequestOptions = {}): Promise<void> {
    await this.#request(rpc.deleteTaskHub, {}, options);
  }

  /** Ends the connection; calls under way fail. Closing twice is fine. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#connection.close();
  }

  /** The published package's name for `close`. */
  async stop(): Promise<void> {
    await this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  readonly #request: Connection['unary'] = (method, request, options) =>
    this.#unary(method, request, { ...options, timeoutMs: this.#requestTimeoutMs });

  /**
   * How much work there is in the task hub, by kind, and how many workers are connected.
   *
   * @throws TaskHubError UNIMPLEMENTED by a scheduler that does not tell.
   */
  async getWorkItemMetrics(): Promise<BackendMetrics> {
    const wait = { timeoutMs: this.#requestTimeoutMs };
    const { metrics } = await this.#unary(BackendService.method.getMetrics, {}, wait);
    return metrics ?? create(BackendMetricsSchema);
  }

  readonly #unary: Connection['unary'] = async (method, request, options) => {
    const reply = await this.#connection.unary(method, request, options);
    this.#hasAnswered = true;
    return reply;
  };

  async #wait(
    until: 'start' | 'complete',
    instanceId: string,
    fetchPayloads: boolean,
    timeout: WaitOptions | number,
  ): Promise<OrchestrationState | undefined> {
    const options = typeof timeout === 'number' ? { timeoutMs: timeout * 1000 } : timeout;
    const timeoutMs = options.timeoutMs ?? WAIT_TIMEOUT_MS;
    if (!Number.isFinite(timeoutMs) || timeoutMs < 0) {
      throw invalidArgument(`timeoutMs must be a finite number >= 0, got ${timeoutMs}`);
    }
    const method = until === 'start' ? rpc.waitForInstanceStart : rpc.waitForInstanceCompletion;
    const request = { instanceId: requireId(instanceId), getInputsAndOutputs: fetchPayloads };
    try {
      const reply = await callPatiently((call) => this.#unary(method, request, call), {
        timeoutMs,
        signal: options.signal,
        isWorthRetry: () => this.#hasAnswered && !this.#isClosed,
        clock: this.#clock,
        ids: this.#ids,
      });
      return decodeState(reply);
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      throw new TimeoutError(
        `Timed out waiting for orchestration '${instanceId}' to ${until} after ${timeoutMs / 1000}s`,
        { cause: error },
      );
    }
  }
}

function decodeState(reply: GetInstanceResponse): OrchestrationState | undefined {
  const state = reply.orchestrationState;
  return reply.exists && state !== undefined ? new OrchestrationState(state) : undefined;
}
