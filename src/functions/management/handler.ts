import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type { TaskHubClient } from '../../client/task-hub-client.ts';
import { TimeoutError } from '../../client/connection.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { invalidArgument, TaskHubError } from '../../core/errors.ts';
import { isTerminal } from '../../core/instance.ts';
import { isNotFound } from '../durable-client.ts';
import { formatHistory } from '../history-format.ts';
import { isReservedName } from '../registry.ts';
import { assertLinkableId } from '../instance-id.ts';
import { toStatusBody } from '../instance-status.ts';
import { answerList, answerPurge, answerPurgeMany } from './collection.ts';
import { answerDelete, answerEntities, answerEntity, answerSignal } from './entities.ts';
import { isSignatureValid } from './link-signature.ts';
import { readOperation } from './operation.ts';
import type { ManagementOperation } from './operation.ts';
import type { ManagementOptions } from './options.ts';
import { isJsonType, readFlag, readJson, readWait } from './parameters.ts';
import { answerRestart, answerRewind } from './revival.ts';
import { answerStarted, isServerError } from './started.ts';
import { logEvent } from '../../telemetry/log-events.ts';

type InstanceRequest = Extract<ManagementOperation, { kind: 'instance' }>;
type EntityOperation = Extract<ManagementOperation, { kind: 'entity' }>;
type StartRequest = Extract<ManagementOperation, { kind: 'start' }>;

/** A request below one of the two management routes. */
export interface ManagementRequest {
  readonly request: HttpRequest;
  /** What follows the route, still encoded: `instances/abc/terminate`. */
  readonly path: string;
  /** Whether the host let it in without a key, so that only its signature speaks for it. */
  readonly isSigned: boolean;
}

const STATUS_RETRY_AFTER_SECONDS = '5';

const HTTP_STATUSES: Record<ErrorCode, number> = {
  // It is this app that the scheduler does not let in, not who called it.
  UNAUTHENTICATED: 502,
  PERMISSION_DENIED: 502,
  INVALID_ARGUMENT: 400,
  INSTANCE_NOT_FOUND: 404,
  INSTANCE_ALREADY_EXISTS: 409,
  TASK_HUB_NOT_FOUND: 404,
  ROLE_ASSIGNMENT_NOT_FOUND: 404,
  LEASE_LOST: 409,
  WRONG_STATE: 412,
  RESOURCE_EXHAUSTED: 429,
  UNAVAILABLE: 503,
  UNIMPLEMENTED: 501,
};

/**
 * Answers one management request with the status codes, headers and bodies of the durable HTTP API.
 * Never rejects: what goes wrong becomes a status, and what nobody expected is logged.
 */
export async function answerManagement(
  { request, path, isSigned }: ManagementRequest,
  options: ManagementOptions,
): Promise<HttpResponseInit> {
  const operation = readOperation(request.method.toUpperCase(), path);
  if (operation === undefined) return { status: 404 };
  if (isSigned && !isAuthorised(operation, request, options)) return { status: 401 };
  try {
    return await answerOperation(operation, request, options);
  } catch (error) {
    return answerError(error, options);
  }
}

function isAuthorised(
  operation: ManagementOperation,
  request: HttpRequest,
  { secret, taskHub, clock }: ManagementOptions,
): boolean {
  if (secret === undefined || operation.kind !== 'instance') return false;
  const { instanceId, operation: name } = operation;
  const signature = { sig: request.query.get('sig') ?? '', se: request.query.get('se') ?? '' };
  return isSignatureValid({ taskHub, instanceId, operation: name }, signature, {
    secret,
    now: clock.now(),
  });
}

function answerError(error: unknown, { logger }: ManagementOptions): HttpResponseInit {
  if (error instanceof TimeoutError) return { status: 503, body: error.message };
  if (error instanceof TaskHubError) {
    return { status: HTTP_STATUSES[error.code], body: error.message };
  }
  logEvent(logger, 'managementRequestFailed', { error });
  return { status: 500, body: 'Something went wrong while processing your request' };
}

async function answerOperation(
  operation: ManagementOperation,
  request: HttpRequest,
  options: ManagementOptions,
): Promise<HttpResponseInit> {
  assertOwnTaskHub(request, options);
  switch (operation.kind) {
    case 'entities':
      return answerEntities(operation.name, request, options);
    case 'entity':
      return answerOneEntity(operation, request, options);
    case 'start':
      return answerStart(operation, request, options);
    case 'scale':
      return options.scale.answer(operation.question, request);
    case 'list':
      return answerList(request, options);
    case 'purgeMany':
      return answerPurgeMany(request, options);
    case 'instance':
      assertLinkableId(operation.instanceId);
      return answerInstance(operation, request, options);
  }
}

function answerOneEntity(
  operation: EntityOperation,
  request: HttpRequest,
  options: ManagementOptions,
): Promise<HttpResponseInit> {
  switch (operation.operation) {
    case 'read':
      return answerEntity(operation, options);
    case 'signal':
      return answerSignal(operation, request, options);
    case 'delete':
      return answerDelete(operation, options);
  }
}

function answerInstance(
  operation: InstanceRequest,
  request: HttpRequest,
  options: ManagementOptions,
): Promise<HttpResponseInit> {
  const { instanceId } = operation;
  switch (operation.operation) {
    case 'status':
      return answerStatus(instanceId, request, options);
    case 'purge':
      return answerPurge(instanceId, options);
    case 'rewind':
      return answerRewind(instanceId, request, options);
    case 'restart':
      return answerRestart(instanceId, request, options);
    default:
      return answerCommand({ ...operation, operation: operation.operation }, request, options);
  }
}

function assertOwnTaskHub(request: HttpRequest, { taskHub }: ManagementOptions): void {
  const asked = request.query.get('taskHub');
  if (asked === null || asked.toLowerCase() === taskHub.toLowerCase()) return;
  throw invalidArgument(
    `taskHub "${asked}" is not the task hub of this app ("${taskHub}"): leave the parameter out.`,
  );
}

async function answerStart(
  { functionName, instanceId }: StartRequest,
  request: HttpRequest,
  options: ManagementOptions,
): Promise<HttpResponseInit> {
  if (instanceId !== undefined) assertLinkableId(instanceId);
  if (isReservedName(functionName) || !options.hasOrchestrator(functionName)) {
    throw invalidArgument(
      `The function '${functionName}' doesn't exist, is disabled, or is not an orchestrator function.`,
    );
  }
  const waitMs = readWait(request);
  const id = await options.client.scheduleNewOrchestration(functionName, await readJson(request), {
    instanceId,
    version: request.query.get('version') ?? undefined,
  });
  return answerStarted(id, { request, waitMs, options });
}

async function answerStatus(
  instanceId: string,
  request: HttpRequest,
  { client }: ManagementOptions,
): Promise<HttpResponseInit> {
  const showInput = readFlag(request, 'showInput', true);
  const state = await client.getOrchestrationState(instanceId, true);
  if (state === undefined) return { status: 404 };
  const history = readFlag(request, 'showHistory', false)
    ? formatHistory(await Array.fromAsync(client.getOrchestrationHistory(instanceId)), {
        showInput,
        showOutput: readFlag(request, 'showHistoryOutput', false),
      })
    : undefined;
  const jsonBody = toStatusBody(state, { showInput, history });
  if (isTerminal(state.runtimeStatus)) {
    return { status: isServerError(state, request) ? 500 : 200, jsonBody };
  }
  return {
    status: 202,
    headers: { Location: request.url, 'Retry-After': STATUS_RETRY_AFTER_SECONDS },
    jsonBody,
  };
}

type CommandRequest = InstanceRequest & {
  readonly operation: 'raiseevent' | 'terminate' | 'suspend' | 'resume';
};

async function answerCommand(
  operation: CommandRequest,
  request: HttpRequest,
  options: ManagementOptions,
): Promise<HttpResponseInit> {
  const { client } = options;
  const { instanceId } = operation;
  const eventData = operation.operation === 'raiseevent' ? await readEvent(request) : undefined;
  const state = await client.getOrchestrationState(instanceId, false);
  if (state === undefined) return { status: 404 };
  if (isTerminal(state.runtimeStatus)) return { status: 410 };
  try {
    await sendCommand(operation, { client, eventData, reason: request.query.get('reason') ?? '' });
  } catch (error) {
    // Purged since we looked.
    if (isNotFound(error)) return { status: 404 };
    throw error;
  }
  return { status: 202 };
}

interface Command {
  readonly client: TaskHubClient;
  readonly eventData: unknown;
  readonly reason: string;
}

function sendCommand(
  { operation, instanceId, eventName }: CommandRequest,
  { client, eventData, reason }: Command,
): Promise<void> {
  switch (operation) {
    case 'raiseevent':
      return client.raiseOrchestrationEvent(instanceId, eventName, eventData);
    case 'terminate':
      return client.terminateOrchestration(instanceId, reason);
    case 'suspend':
      return client.suspendOrchestration(instanceId, reason);
    case 'resume':
      return client.resumeOrchestration(instanceId, reason);
  }
}

async function readEvent(request: HttpRequest): Promise<unknown> {
  if (isJsonType(request)) return readJson(request);
  throw invalidArgument('Only application/json request content is supported');
}
