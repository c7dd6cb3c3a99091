/** Actions as a worker sends them. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  OrchestrationStatus,
  OrchestratorActionSchema,
  type CompleteOrchestrationActionSchema,
  type CreateSubOrchestrationActionSchema,
  type EntityOperationCalledEventSchema,
  type HistoryEvent,
  type OrchestratorAction,
  type ScheduleTaskActionSchema,
  type SendEntityMessageActionSchema,
} from '../../src/proto/orchestrator_service_pb.ts';

type ActionType = NonNullable<
  MessageInitShape<typeof OrchestratorActionSchema>['orchestratorActionType']
>;

export function action(id: number, orchestratorActionType: ActionType): OrchestratorAction {
  return create(OrchestratorActionSchema, { id, orchestratorActionType });
}

export function scheduleTask(
  id: number,
  name = 'Activity',
  rest: MessageInitShape<typeof ScheduleTaskActionSchema> = {},
): OrchestratorAction {
  return action(id, { case: 'scheduleTask', value: { name, ...rest } });
}

export function createTimer(id: number, fireAtMs: number): OrchestratorAction {
  return action(id, { case: 'createTimer', value: { fireAt: timestampFromMs(fireAtMs) } });
}

export function createChild(
  id: number,
  instanceId: string,
  rest: MessageInitShape<typeof CreateSubOrchestrationActionSchema> = {},
): OrchestratorAction {
  return action(id, {
    case: 'createSubOrchestration',
    value: { instanceId, name: 'Child', ...rest },
  });
}

export function sendEvent(
  id: number,
  instanceId: string,
  name: string,
  data?: string,
): OrchestratorAction {
  return action(id, {
    case: 'sendEvent',
    value: { instance: { instanceId }, name, ...(data !== undefined && { data }) },
  });
}

export function terminateOther(
  id: number,
  instanceId: string,
  recurse = false,
): OrchestratorAction {
  return action(id, {
    case: 'terminateOrchestration',
    value: { instanceId, recurse, reason: '"told to"' },
  });
}

export function completeWith(
  orchestrationStatus: OrchestrationStatus,
  rest: MessageInitShape<typeof CompleteOrchestrationActionSchema> = {},
  id = -1,
): OrchestratorAction {
  return action(id, { case: 'completeOrchestration', value: { orchestrationStatus, ...rest } });
}

export function complete(result?: string): OrchestratorAction {
  return completeWith(OrchestrationStatus.COMPLETED, result === undefined ? {} : { result });
}

export function fail(errorType: string, errorMessage: string): OrchestratorAction {
  return completeWith(OrchestrationStatus.FAILED, { failureDetails: { errorType, errorMessage } });
}

export function continueAsNew(
  input?: string,
  carryoverEvents: HistoryEvent[] = [],
): OrchestratorAction {
  return completeWith(OrchestrationStatus.CONTINUED_AS_NEW, {
    carryoverEvents,
    ...(input !== undefined && { result: input }),
  });
}

type EntityMessage = NonNullable<
  MessageInitShape<typeof SendEntityMessageActionSchema>['EntityMessageType']
>;

function entityMessage(id: number, EntityMessageType: EntityMessage): OrchestratorAction {
  return action(id, { case: 'sendEntityMessage', value: { EntityMessageType } });
}

type Operation = Omit<
  MessageInitShape<typeof EntityOperationCalledEventSchema>,
  '$typeName' | '$unknown' | 'targetInstanceId'
>;

/** Ids as SDKs make them. */
export function requestId(id: number): string {
  return `00000000-0000-4000-8000-${id.toString(16).padStart(12, '0')}`;
}

export function callEntity(
  id: number,
  targetInstanceId: string,
  operation: string,
  rest: Operation = {},
): OrchestratorAction {
  const value = { requestId: requestId(id), operation, targetInstanceId, ...rest };
  return entityMessage(id, { case: 'entityOperationCalled', value });
}

export function signalEntity(
  id: number,
  targetInstanceId: string,
  operation: string,
  rest: Pick<Operation, 'requestId' | 'input' | 'scheduledTime'> = {},
): OrchestratorAction {
  const value = { requestId: requestId(id), operation, targetInstanceId, ...rest };
  return entityMessage(id, { case: 'entityOperationSignaled', value });
}

export function lockEntities(id: number, section: string, lockSet: string[]): OrchestratorAction {
  const value = { criticalSectionId: section, lockSet, position: 0 };
  return entityMessage(id, { case: 'entityLockRequested', value });
}

export function unlockEntity(
  id: number,
  section: string,
  targetInstanceId: string,
): OrchestratorAction {
  const value = { criticalSectionId: section, targetInstanceId };
  return entityMessage(id, { case: 'entityUnlockSent', value });
}
