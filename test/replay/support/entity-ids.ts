import type { OrchestratorAction } from '../../../src/proto/orchestrator_service_pb.ts';

/** The id under which the scheduler will answer the action with that id: of a call or a lock request. */
export function requestIdOf(actions: readonly OrchestratorAction[], id: number): string {
  const type = actions.find((action) => action.id === id)?.orchestratorActionType;
  const message = type?.case === 'sendEntityMessage' ? type.value.EntityMessageType : undefined;
  switch (message?.case) {
    case 'entityOperationCalled':
    case 'entityOperationSignaled':
      return message.value.requestId;
    case 'entityLockRequested':
    case 'entityUnlockSent':
      return message.value.criticalSectionId;
    default:
      throw new Error(`action ${id} is no message to an entity`);
  }
}
