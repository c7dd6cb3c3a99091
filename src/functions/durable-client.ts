import azureFunctions from '@azure/functions';
import type { HttpRequest, HttpResponse } from '@azure/functions';
import type * as df from 'durable-functions';
import type { TraceParentOptions } from '../client/client-options.ts';
import { TimeoutError } from '../client/connection.ts';
import type { SignalEntityOptions } from '../client/entity-client.ts';
import type { OrchestrationState } from '../client/orchestration-state.ts';
import type { TaskHubClient } from '../client/task-hub-client.ts';
import type { ErrorCode } from '../core/errors.ts';
import { invalidArgument, TaskHubError } from '../core/errors.ts';
import { OrchestrationStatus } from '../proto/orchestrator_service_pb.ts';
import { TaskHubMethods } from './client-methods.ts';
import { formatHistory } from './history-format.ts';
import { assertLinkableId } from './instance-id.ts';
import { statusFromName, toDurableOrchestrationStatus } from './instance-status.ts';
import type { ManagementLinks } from './management/links.ts';
import { EntityStateResponse, HttpManagementPayload, PurgeHistoryResult } from './value-classes.ts';

/** `dedupeStatuses` is new in durable-functions 4: states in which an existing instance is kept. */
export interface StartNewOptions extends df.StartNewOptions {
  dedupeStatuses?: df.OrchestrationRuntimeStatus[];
}

/** What a durable client works with. */
export interface DurableClientOptions {
  readonly taskHubName: string;
  readonly client: TaskHubClient;
  /** The links for an instance, in the eyes of the caller of `request`. */
  readonly linksFor: (instanceId: string, request: HttpRequest | undefined) => ManagementLinks;
  /** A client for another hub, or another connection setting, of the same app. */
  readonly openOther: (options: df.TaskHubOptions) => TaskHubClient;
  /** Whether a start takes the place of a live instance with the same id. */
  readonly mayReplaceRunning: boolean;
  /** Trace context of the invocation that the client is used in, as the host gave it. */
  readonly trace?: TraceParentOptions | undefined;
}

const ANY_STATE = [
  OrchestrationStatus.RUNNING,
  OrchestrationStatus.COMPLETED,
  OrchestrationStatus.FAILED,
  OrchestrationStatus.CANCELED,
  OrchestrationStatus.TERMINATED,
  OrchestrationStatus.PENDING,
  OrchestrationStatus.SUSPENDED,
];
const WAIT_MS = 10_000;
const RETRY_MS = 1_000;
const RETRY_AFTER_SECONDS = '10';

/**
 * Starts and steers orchestrations from a function: the surface of durable-functions 3.5.0, spoken
 * to the scheduler directly. Its texts for expected failures are kept; the scheduler's own error is
 * their `cause`.
 */
export class DurableClient extends TaskHubMethods implements df.DurableClient {
  readonly taskHubName: string;
  readonly uniqueWebhookOrigins: string[];
  readonly #options: DurableClientOptions;
  readonly #client: TaskHubClient;

  constructor(options: DurableClientOptions) {
    super(options.client, options.trace ?? {});
    this.#options = options;
    this.#client = options.client;
    this.taskHubName = options.taskHubName;
    const { statusQueryGetUri } = options.linksFor('INSTANCEID', undefined);
    this.uniqueWebhookOrigins = [new URL(statusQueryGetUri).origin];
  }

  /**
   * Starts an orchestration and returns its instance id. An instance of the same id is replaced
   * once it has ended; while it lives the start is refused (OrchestrationAlreadyExistsError).
   */
  async startNew(orchestratorFunctionName: string, options?: StartNewOptions): Promise<string> {
    if (!isName(orchestratorFunctionName)) {
      throw new Error('orchestratorFunctionName must be a valid string.');
    }
    const { instanceId, input, version, dedupeStatuses } = options ?? {};
    if (isText(instanceId)) assertLinkableId(instanceId);
    return this.scheduleNewOrchestration(orchestratorFunctionName, input, {
      instanceId: isText(instanceId) ? instanceId : undefined,
      version: isText(version) ? version : undefined,
      replaceableStatuses: this.#replaceable(dedupeStatuses),
    });
  }

  /** The status of an instance; rejects when there is none. */
  async getStatus(
    instanceId: string,
    options: df.GetStatusOptions = {},
  ): Promise<df.DurableOrchestrationStatus> {
    const showInput = options.showInput ?? true;
    const state = await this.#client.getOrchestrationState(instanceId, true);
    if (state === undefined) throw noDataFor(instanceId);
    const history =
      options.showHistory === true
        ? await this.#history(instanceId, {
            showInput,
            showOutput: options.showHistoryOutput ?? false,
          })
        : undefined;
    return toDurableOrchestrationStatus(state, { showInput, history });
  }

  /** The status of every instance of the hub, page after page. */
  async getStatusAll(): Promise<df.DurableOrchestrationStatus[]> {
    return this.getStatusBy({});
  }

  /** The status of the instances that match; unlike in durable-functions 3.x, real status objects. */
  async getStatusBy(filter: df.OrchestrationFilter): Promise<df.DurableOrchestrationStatus[]> {
    const { createdTimeFrom, createdTimeTo, runtimeStatus } = filter;
    const states = this.#client.getAllInstances({
      createdFrom: createdTimeFrom,
      createdTo: createdTimeTo,
      statuses: statusesOf(runtimeStatus),
      fetchInputsAndOutputs: true,
    });
    return Array.fromAsync(states, (state) =>
      toDurableOrchestrationStatus(state, { showInput: true }),
    );
  }

  /** Deletes an instance that has ended; a missing or live one counts 0. */
  async purgeInstanceHistory(instanceId: string): Promise<df.PurgeHistoryResult> {
    const { deletedInstanceCount } = await this.#client.purgeOrchestration(instanceId);
    return new PurgeHistoryResult(deletedInstanceCount);
  }

  /** Deletes the ended instances that match. `createdTimeFrom` is required. */
  async purgeInstanceHistoryBy(filter: df.OrchestrationFilter): Promise<df.PurgeHistoryResult> {
    const { createdTimeFrom, createdTimeTo, runtimeStatus } = filter;
    // Callers from JavaScript pass what they like.
    if (!((createdTimeFrom as unknown) instanceof Date)) {
      throw new Error('createdTimeFrom must be a valid Date');
    }
    const { deletedInstanceCount } = await this.#client.purgeOrchestration({
      createdTimeFrom,
      createdTimeTo,
      runtimeStatusList: statusesOf(runtimeStatus),
    });
    return new PurgeHistoryResult(deletedInstanceCount);
  }

  /** Takes the failures out of a failed instance and lets it go on. */
  async rewind(instanceId: string, reason: string, options: df.TaskHubOptions = {}): Promise<void> {
    await explained(this.#clientFor(options).rewindInstance(instanceId, reason), {
      INSTANCE_NOT_FOUND: noInstanceText(instanceId),
      WRONG_STATE: 'The rewind operation is only supported on failed orchestration instances.',
      UNIMPLEMENTED: 'The rewind operation is not supported by the underlying storage provider.',
    });
  }

  /**
   * Runs an instance again with its original input: under its own id once it has ended, or beside
   * it under a new one. Returns the id.
   */
  async restart(instanceId: string, restartWithNewInstanceId = false): Promise<string> {
    return explained(this.#client.restartOrchestration(instanceId, restartWithNewInstanceId), {
      INSTANCE_NOT_FOUND: noInstanceText(instanceId),
    });
  }

  /** Sends an event; one for an instance that has ended is dropped without an error. */
  async raiseEvent(
    instanceId: string,
    eventName: string,
    eventData: unknown,
    options: df.TaskHubOptions = {},
  ): Promise<void> {
    if (!isName(eventName)) throw new Error('eventName must be a valid string.');
    const client = this.#clientFor(options);
    const { trace } = this.#options;
    await found(
      instanceId,
      client.raiseOrchestrationEvent(instanceId, eventName, eventData, trace),
    );
  }

  /** Ends an instance, with `reason` as its output. */
  async terminate(instanceId: string, reason: string): Promise<void> {
    await found(instanceId, this.#client.terminateOrchestration(instanceId, reason));
  }

  /** Holds an instance until it is resumed. */
  async suspend(instanceId: string, reason: string): Promise<void> {
    await found(instanceId, this.#client.suspendOrchestration(instanceId, reason));
  }

  /** Lets a suspended instance go on. */
  async resume(instanceId: string, reason: string): Promise<void> {
    await found(instanceId, this.#client.resumeOrchestration(instanceId, reason));
  }

  /** Whether an entity exists, and its state. */
  async readEntityState<T>(
    entityId: df.EntityId,
    options: df.TaskHubOptions = {},
  ): Promise<df.EntityStateResponse<T>> {
    const entity = await this.#clientFor(options).getEntity<T>(entityId);
    if (entity?.includesState !== true) return new EntityStateResponse<T>(false);
    return new EntityStateResponse<T>(true, entity.state);
  }

  /**
   * Sends an operation to an entity. Unlike in durable-functions 3.x the operation has to have a name:
   * the scheduler takes no other.
   */
  async signalEntity(
    entityId: df.EntityId,
    operationName?: string,
    operationContent?: unknown,
    options: SignalEntityOptions & df.TaskHubOptions = {},
  ): Promise<void> {
    const client = this.#clientFor(options);
    const { trace } = this.#options;
    const signal = { ...trace, ...options };
    await client.signalEntity(entityId, operationName ?? '', operationContent, signal);
  }

  /**
   * The URLs that manage an instance, at this app's own address; with a request before the id (as in
   * durable-functions 4) at the address that it came to.
   */
  createHttpManagementPayload(instanceId: string): df.HttpManagementPayload;
  createHttpManagementPayload(
    request: HttpRequest | undefined,
    instanceId: string,
  ): df.HttpManagementPayload;
  createHttpManagementPayload(
    ...args: [instanceId: string] | [request: HttpRequest | undefined, instanceId: string]
  ): df.HttpManagementPayload {
    const links =
      args.length === 1
        ? this.#options.linksFor(args[0], undefined)
        : this.#options.linksFor(args[1], args[0]);
    const empty = Object.create(HttpManagementPayload.prototype) as HttpManagementPayload;
    return Object.assign(empty, links);
  }

  /** The old name of `createHttpManagementPayload(request, instanceId)`. */
  getClientResponseLinks(
    request: HttpRequest | undefined,
    instanceId: string,
  ): df.HttpManagementPayload {
    return this.createHttpManagementPayload(request, instanceId);
  }

  /** 202 with the URLs that manage the instance, at the address that the request came to. */
  createCheckStatusResponse(request: HttpRequest | undefined, instanceId: string): HttpResponse {
    const links = this.#options.linksFor(instanceId, request);
    return new azureFunctions.HttpResponse({
      status: 202,
      jsonBody: links,
      headers: {
        'Content-Type': 'application/json',
        Location: links.statusQueryGetUri,
        'Retry-After': RETRY_AFTER_SECONDS,
      },
    });
  }

  /**
   * The output of an instance that ends in time (default 10 s): 200 when it completed, its status
   * with 200 when it was terminated and with 500 when it failed; `createCheckStatusResponse`
   * otherwise. The scheduler is asked once and answers when the instance has ended.
   */
  async waitForCompletionOrCreateCheckStatusResponse(
    request: HttpRequest,
    instanceId: string,
    waitOptions: df.WaitForCompletionOptions = {},
  ): Promise<HttpResponse> {
    const timeoutMs = waitOptions.timeoutInMilliseconds ?? WAIT_MS;
    const retryMs = waitOptions.retryIntervalInMilliseconds ?? RETRY_MS;
    if (retryMs > timeoutMs) {
      throw new Error(
        `Total timeout ${timeoutMs} (ms) should be bigger than retry timeout ${retryMs} (ms)`,
      );
    }
    const state = await waitForEnd(this.#client, instanceId, timeoutMs);
    if (state === 'running') return this.createCheckStatusResponse(request, instanceId);
    if (state === undefined) throw noDataFor(instanceId);
    return endedResponse(state);
  }

  /** `undefined`: once it has ended, the scheduler's own default. */
  #replaceable(
    dedupe: readonly df.OrchestrationRuntimeStatus[] | undefined,
  ): OrchestrationStatus[] | undefined {
    const kept = statusesOf(dedupe);
    if (kept !== undefined) return ANY_STATE.filter((status) => !kept.includes(status));
    return this.#options.mayReplaceRunning ? ANY_STATE : undefined;
  }

  #clientFor(options: df.TaskHubOptions): TaskHubClient {
    const isHere = options.taskHubName === undefined && options.connectionName === undefined;
    return isHere ? this.#client : this.#options.openOther(options);
  }

  async #history(
    instanceId: string,
    options: { readonly showInput: boolean; readonly showOutput: boolean },
  ): Promise<unknown[]> {
    const events = await Array.fromAsync(this.#client.getOrchestrationHistory(instanceId));
    return formatHistory(events, options);
  }
}

/**
 * One long poll for the end of an instance: its last state, `undefined` when there is no such
 * instance, `'running'` when it has not ended after `timeoutMs`.
 */
export async function waitForEnd(
  client: TaskHubClient,
  instanceId: string,
  timeoutMs: number,
): Promise<OrchestrationState | 'running' | undefined> {
  try {
    return await client.waitForOrchestrationCompletion(instanceId, true, { timeoutMs });
  } catch (error) {
    if (error instanceof TimeoutError) return 'running';
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** True for the scheduler's answer that there is no such instance. */
export function isNotFound(error: unknown): boolean {
  return error instanceof TaskHubError && error.code === 'INSTANCE_NOT_FOUND';
}

function endedResponse(state: OrchestrationState): HttpResponse {
  const status = toDurableOrchestrationStatus(state, { showInput: true });
  const hasFailed = state.runtimeStatus === OrchestrationStatus.FAILED;
  const isCompleted = state.runtimeStatus === OrchestrationStatus.COMPLETED;
  return new azureFunctions.HttpResponse({
    status: hasFailed ? 500 : 200,
    jsonBody: isCompleted ? status.output : status,
    headers: { 'Content-Type': 'application/json' },
  });
}

function found<T>(instanceId: string, call: Promise<T>): Promise<T> {
  return explained(call, { INSTANCE_NOT_FOUND: noInstanceText(instanceId) });
}

/** Gives expected failures the texts of durable-functions; the scheduler's own error is the cause. */
async function explained<T>(
  call: Promise<T>,
  texts: Partial<Record<ErrorCode, string>>,
): Promise<T> {
  try {
    return await call;
  } catch (error) {
    const text = error instanceof TaskHubError ? texts[error.code] : undefined;
    if (text === undefined) throw error;
    throw new Error(text, { cause: error });
  }
}

function noInstanceText(instanceId: string): string {
  return `No instance with ID '${instanceId}' found.`;
}

function statusesOf(
  names: readonly df.OrchestrationRuntimeStatus[] | undefined,
): OrchestrationStatus[] | undefined {
  return names?.map((name) => {
    const status = statusFromName(name);
    if (status !== undefined) return status;
    throw invalidArgument(`runtimeStatus "${name}" is no status; use OrchestrationRuntimeStatus`);
  });
}

function noDataFor(instanceId: string): Error {
  return new Error(
    'DurableClient error: Durable Functions extension replied with HTTP 404 response. This usually ' +
      `means we could not find any data associated with the instanceId provided: ${instanceId}.`,
  );
}

function isName(value: unknown): boolean {
  return isText(value) && value.trim() !== '';
}

/** Callers from JavaScript pass what they like. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
