import type {
  HistoryEvent,
  OrchestratorAction,
  SendEntityMessageAction,
} from '../proto/orchestrator_service_pb.ts';
import { NonDeterminismError } from './errors.ts';

/** The history events that record an action; their event id is the action's id. */
const CONFIRMED_BY = {
  taskScheduled: 'scheduleTask',
  timerCreated: 'createTimer',
  subOrchestrationInstanceCreated: 'createSubOrchestration',
  eventSent: 'sendEvent',
  entityOperationCalled: 'sendEntityMessage',
  entityOperationSignaled: 'sendEntityMessage',
  entityLockRequested: 'sendEntityMessage',
  entityUnlockSent: 'sendEntityMessage',
} as const;

/** True for history events that record something the orchestrator asked for. */
export function isConfirmation(event: HistoryEvent): boolean {
  return event.eventType.case !== undefined && event.eventType.case in CONFIRMED_BY;
}

/**
 * Checks that the code asked for what the history says it asked for. Throws `NonDeterminismError`.
 * Compared are the kind and the name, and the target of a sent event; not inputs, fire times and child
 * ids, which other SDKs do not compare either and which a rewind changes.
 */
export function assertConfirms(event: HistoryEvent, action: OrchestratorAction | undefined): void {
  const recorded = describeEvent(event);
  const asked = action === undefined ? undefined : describeAction(action);
  if (recorded === asked) return;
  throw new NonDeterminismError(
    `Non-deterministic orchestrator: event ${String(event.eventId)} of the history says that it ` +
      `${recorded}, but the code, run again, ` +
      (asked === undefined ? 'asked for nothing with that id. ' : `${asked}. `) +
      'Orchestrators must do the same in every replay: put I/O, time and randomness into activities, ' +
      'and deploy changed code under another name or version while instances are running.',
  );
}

function describeEvent({ eventType }: HistoryEvent): string {
  switch (eventType.case) {
    case 'taskScheduled':
      return `called activity '${eventType.value.name}'`;
    case 'timerCreated':
      return 'created a timer';
    case 'subOrchestrationInstanceCreated':
      return `called sub-orchestrator '${eventType.value.name}'`;
    case 'eventSent':
      return `sent event '${eventType.value.name}' to '${eventType.value.instanceId}'`;
    default:
      return describeMessage(eventType as EntityMessage);
  }
}

function describeAction({ orchestratorActionType: type }: OrchestratorAction): string {
  switch (type.case) {
    case 'scheduleTask':
      return `called activity '${type.value.name}'`;
    case 'createTimer':
      return 'created a timer';
    case 'createSubOrchestration':
      return `called sub-orchestrator '${type.value.name}'`;
    case 'sendEvent':
      return `sent event '${type.value.name}' to '${String(type.value.instance?.instanceId)}'`;
    case 'sendEntityMessage':
      return describeMessage(type.value.EntityMessageType);
    /* c8 ignore next 2 -- contexts ask for nothing else */
    default:
      return `asked for ${String(type.case)}`;
  }
}

type EntityMessage = SendEntityMessageAction['EntityMessageType'];

function describeMessage({ case: kind, value }: EntityMessage): string {
  switch (kind) {
    case 'entityOperationCalled':
      return `called operation '${value.operation}' of entity '${String(value.targetInstanceId)}'`;
    case 'entityOperationSignaled':
      return `signalled operation '${value.operation}' to entity '${String(value.targetInstanceId)}'`;
    case 'entityLockRequested':
      return `asked for the locks of ${value.lockSet.join(', ')}`;
    case 'entityUnlockSent':
      return `let go of the lock of '${String(value.targetInstanceId)}'`;
    /* c8 ignore next 2 -- only these four are confirmed */
    default:
      return 'sent an entity message';
  }
}
