import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { OrchestratorActionSchema } from '../proto/orchestrator_service_pb.ts';
import type {
  OrchestratorAction,
  SendEntityMessageActionSchema,
} from '../proto/orchestrator_service_pb.ts';
import type { EntityInstanceId } from '../core/entity-instance-id.ts';
import type { CriticalSection } from './critical-section.ts';
import type { ExecutionIds } from './options.ts';

type Message = MessageInitShape<typeof SendEntityMessageActionSchema>['EntityMessageType'];

/** One operation for one entity. */
export interface EntityOperation {
  readonly requestId: string;
  readonly entityId: EntityInstanceId;
  readonly operation: string;
  /** JSON text. */
  readonly input: string | undefined;
}

/** Calls an operation and waits for what it returns. */
export function callEntityAction(
  id: number,
  called: EntityOperation,
  sender: ExecutionIds,
): OrchestratorAction {
  const value = {
    ...operation(called),
    parentInstanceId: sender.instanceId,
    parentExecutionId: sender.executionId,
  };
  return action(id, { case: 'entityOperationCalled', value });
}

/** Calls an operation without waiting, at once or at a time. */
export function signalEntityAction(
  id: number,
  signaled: EntityOperation,
  signalTime: Date | undefined,
): OrchestratorAction {
  const value = {
    ...operation(signaled),
    ...(signalTime === undefined ? {} : { scheduledTime: timestampFromDate(signalTime) }),
  };
  return action(id, { case: 'entityOperationSignaled', value });
}

/** Asks for all locks of a critical section. */
export function lockEntitiesAction(
  id: number,
  section: CriticalSection,
  { instanceId }: ExecutionIds,
): OrchestratorAction {
  const value = {
    criticalSectionId: section.id,
    lockSet: section.entities.map(String),
    position: 0,
    parentInstanceId: instanceId,
  };
  return action(id, { case: 'entityLockRequested', value });
}

/** Lets go of one entity of a critical section. */
export function unlockEntityAction(
  id: number,
  lock: { readonly criticalSectionId: string; readonly entityId: EntityInstanceId },
  { instanceId }: ExecutionIds,
): OrchestratorAction {
  const value = {
    criticalSectionId: lock.criticalSectionId,
    targetInstanceId: lock.entityId.toString(),
    parentInstanceId: instanceId,
  };
  return action(id, { case: 'entityUnlockSent', value });
}

function operation({ requestId, entityId, operation: name, input }: EntityOperation): {
  requestId: string;
  operation: string;
  targetInstanceId: string;
  input?: string;
} {
  return {
    requestId,
    operation: name,
    targetInstanceId: entityId.toString(),
    ...(input === undefined ? {} : { input }),
  };
}

function action(id: number, message: NonNullable<Message>): OrchestratorAction {
  return create(OrchestratorActionSchema, {
    id,
    orchestratorActionType: { case: 'sendEntityMessage', value: { EntityMessageType: message } },
  });
}
