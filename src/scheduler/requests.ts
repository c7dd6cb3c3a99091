/** Client requests, checked and turned into commits. */
import { toBinary } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { assertInstanceId, assertName, assertPayload, assertTags } from '../core/validation.ts';
import { assertReusePolicy } from '../core/reuse-policy.ts';
import { optional } from '../core/optional.ts';
import { invalidArgument } from '../core/errors.ts';
import type { PayloadLimits } from '../core/limits.ts';
import {
  OrchestrationTraceContextSchema,
  type CreateInstanceRequest,
  type OrchestratorResponse,
  type RaiseEventRequest,
  type TerminateRequest,
} from '../proto/orchestrator_service_pb.ts';
import type {
  CreateHubCommit,
  DeliverCommit,
  RestartCommit,
  StartCommit,
  StartRecord,
  TurnCommit,
} from '../storage/store.ts';
import { encodeEvent, type EventType } from '../wire/events.ts';

const TASK_HUB_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** @throws TaskHubError INVALID_ARGUMENT for a name that no hub may have. */
export function createHubCommit(hub: string, recreate: boolean): CreateHubCommit {
  if (TASK_HUB_NAME.test(hub)) return { kind: 'createHub', hub, recreate };
  throw invalidArgument(
    `task hub name '${hub.slice(0, 80)}' is not allowed; use 1 to 64 letters, digits, '-' or '_', beginning with a letter or digit`,
  );
}

export interface StartEnv {
  readonly newId: () => string;
  readonly limits: PayloadLimits;
}

export function startCommit(
  hub: string,
  request: CreateInstanceRequest,
  { newId, limits }: StartEnv,
): StartCommit {
  const instanceId = request.instanceId === '' ? newId() : request.instanceId;
  const executionId =
    request.executionId === undefined || request.executionId === '' ? newId() : request.executionId;
  assertInstanceId(instanceId);
  assertName(request.name, 'name');
  assertReusePolicy(request.orchestrationIdReusePolicy);
  assertTags(request.tags);
  assertPayload(request.input, 'orchestrationInput', limits);
  // JavaScript clients always send the field, with time 0 for "now".
  const scheduledAt =
    request.scheduledStartTimestamp && timestampMs(request.scheduledStartTimestamp);
  const isScheduled = scheduledAt !== undefined && scheduledAt > 0;
  const version = request.version ?? '';
  return {
    kind: 'start',
    hub,
    instanceId,
    executionId,
    name: request.name,
    version,
    tags: request.tags,
    scheduledAt: isScheduled ? scheduledAt : undefined,
    policy: request.orchestrationIdReusePolicy,
    started: encodeEvent({
      eventType: {
        case: 'executionStarted',
        value: {
          name: request.name,
          orchestrationInstance: { instanceId, executionId },
          tags: request.tags,
          ...(version !== '' && { version }),
          ...optional('input', request.input),
          ...optional('parentTraceContext', request.parentTraceContext),
          ...(isScheduled && optional('scheduledStartTimestamp', request.scheduledStartTimestamp)),
        },
      },
    }),
  };
}

/** The same start again, without a parent and at once. */
export function restartCommit(
  hub: string,
  start: StartRecord,
  { instanceId, executionId }: { readonly instanceId: string; readonly executionId: string },
): RestartCommit {
  const { name, version, tags, input } = start;
  return {
    kind: 'restart',
    hub,
    instanceId,
    executionId,
    name,
    version,
    tags,
    scheduledAt: undefined,
    policy: undefined,
    started: encodeEvent({
      eventType: {
        case: 'executionStarted',
        value: {
          name,
          tags: { ...tags },
          orchestrationInstance: { instanceId, executionId },
          ...(version !== '' && { version }),
          ...optional('input', input),
        },
      },
    }),
  };
}

export function raiseEventCommit(
  hub: string,
  { instanceId, name, input }: RaiseEventRequest,
  limits: PayloadLimits,
): DeliverCommit {
  assertInstanceId(instanceId);
  assertName(name, 'name');
  assertPayload(input, 'eventData', limits);
  return {
    kind: 'deliver',
    hub,
    instanceId,
    event: encodeEvent({
      eventType: { case: 'eventRaised', value: { name, ...optional('input', input) } },
    }),
  };
}

export function terminateCommit(
  hub: string,
  { instanceId, output, recursive }: TerminateRequest,
  limits: PayloadLimits,
): DeliverCommit {
  assertInstanceId(instanceId);
  assertPayload(output, 'orchestrationOutput', limits);
  return {
    kind: 'deliver',
    hub,
    instanceId,
    event: encodeEvent({
      eventType: {
        case: 'executionTerminated',
        value: { recurse: recursive, ...optional('input', output) },
      },
    }),
  };
}

/** Suspend and resume differ in nothing but the event. */
export function pauseCommit(
  hub: string,
  eventCase: 'executionSuspended' | 'executionResumed',
  { instanceId, reason }: { readonly instanceId: string; readonly reason?: string | undefined },
  limits: PayloadLimits,
): DeliverCommit {
  assertInstanceId(instanceId);
  assertPayload(reason, 'eventData', limits);
  return {
    kind: 'deliver',
    hub,
    instanceId,
    event: encodeEvent({
      eventType: { case: eventCase, value: { ...optional('input', reason) } } as EventType,
    }),
  };
}

export function turnCommit(hub: string, response: OrchestratorResponse): TurnCommit {
  const trace = response.orchestrationTraceContext;
  return {
    kind: 'turn',
    hub,
    token: response.completionToken,
    actions: response.actions,
    customStatus: response.customStatus,
    traceContext: trace && toBinary(OrchestrationTraceContextSchema, trace),
    eventsProcessed: response.numEventsProcessed,
    requiresHistory: response.requiresHistory,
  };
}
