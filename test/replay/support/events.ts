import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { HistoryEventSchema } from '../../../src/proto/orchestrator_service_pb.ts';
import type {
  HistoryEvent,
  OrchestratorAction,
  TaskFailureDetails,
} from '../../../src/proto/orchestrator_service_pb.ts';

type EventType = NonNullable<MessageInitShape<typeof HistoryEventSchema>['eventType']>;
type Failure = Partial<Omit<TaskFailureDetails, '$typeName' | '$unknown'>>;

/** 2020-01-01T00:00:00Z. */
export const START_AT = Date.UTC(2020, 0, 1);

export function event(eventType: EventType, eventId = -1, at = START_AT): HistoryEvent {
  return create(HistoryEventSchema, { eventId, timestamp: timestampFromMs(at), eventType });
}

export function turnStarted(at = START_AT): HistoryEvent {
  return event({ case: 'orchestratorStarted', value: {} }, -1, at);
}

export interface StartedOptions {
  readonly input?: string;
  readonly version?: string;
  readonly parentId?: string;
}

export function executionStarted({ input, version, parentId }: StartedOptions = {}): HistoryEvent {
  return event({
    case: 'executionStarted',
    value: {
      name: 'Test',
      ...(input === undefined ? {} : { input }),
      ...(version === undefined ? {} : { version }),
      ...(parentId === undefined
        ? {}
        : {
            parentInstance: {
              name: 'Parent',
              taskScheduledId: 7,
              orchestrationInstance: { instanceId: parentId },
            },
          }),
    },
  });
}

export function taskCompleted(taskScheduledId: number, result?: unknown): HistoryEvent {
  return event({
    case: 'taskCompleted',
    value: { taskScheduledId, ...(result === undefined ? {} : { result: JSON.stringify(result) }) },
  });
}

export function taskFailed(taskScheduledId: number, failureDetails?: Failure): HistoryEvent {
  return event({
    case: 'taskFailed',
    value: { taskScheduledId, ...(failureDetails === undefined ? {} : { failureDetails }) },
  });
}

export function childCompleted(taskScheduledId: number, result?: unknown): HistoryEvent {
  return event({
    case: 'subOrchestrationInstanceCompleted',
    value: { taskScheduledId, ...(result === undefined ? {} : { result: JSON.stringify(result) }) },
  });
}

export function childFailed(taskScheduledId: number, failureDetails?: Failure): HistoryEvent {
  return event({
    case: 'subOrchestrationInstanceFailed',
    value: { taskScheduledId, ...(failureDetails === undefined ? {} : { failureDetails }) },
  });
}

export function timerFired(timerId: number, at = START_AT): HistoryEvent {
  return event({ case: 'timerFired', value: { timerId, fireAt: timestampFromMs(at) } });
}

export function eventRaised(name: string, data?: unknown): HistoryEvent {
  return event({
    case: 'eventRaised',
    value: { name, ...(data === undefined ? {} : { input: JSON.stringify(data) }) },
  });
}

export function operationCompleted(requestId: string, output?: unknown): HistoryEvent {
  const value = { requestId, ...(output === undefined ? {} : { output: JSON.stringify(output) }) };
  return event({ case: 'entityOperationCompleted', value });
}

export function operationFailed(requestId: string, failureDetails?: Failure): HistoryEvent {
  const value = { requestId, ...(failureDetails === undefined ? {} : { failureDetails }) };
  return event({ case: 'entityOperationFailed', value });
}

export function lockGranted(criticalSectionId: string): HistoryEvent {
  return event({ case: 'entityLockGranted', value: { criticalSectionId } });
}

export function suspended(): HistoryEvent {
  return event({ case: 'executionSuspended', value: {} });
}

export function resumed(): HistoryEvent {
  return event({ case: 'executionResumed', value: {} });
}

export function terminated(output?: unknown): HistoryEvent {
  return event({
    case: 'executionTerminated',
    value: output === undefined ? {} : { input: JSON.stringify(output) },
  });
}

/** The events that a commit adds to history for these actions (wire-protocol 5.5). */
export function committed(actions: readonly OrchestratorAction[]): HistoryEvent[] {
  return actions.flatMap(recordsOf);
}

function recordsOf({ id, orchestratorActionType: type }: OrchestratorAction): HistoryEvent[] {
  switch (type.case) {
    case 'scheduleTask':
      return [event({ case: 'taskScheduled', value: { name: type.value.name } }, id)];
    case 'createTimer':
      return [event({ case: 'timerCreated', value: {} }, id)];
    case 'createSubOrchestration': {
      const { instanceId, name } = type.value;
      return [event({ case: 'subOrchestrationInstanceCreated', value: { instanceId, name } }, id)];
    }
    case 'sendEvent': {
      const { instance, name } = type.value;
      const instanceId = instance?.instanceId ?? '';
      return [event({ case: 'eventSent', value: { instanceId, name } }, id)];
    }
    case 'sendEntityMessage': {
      const message = type.value.EntityMessageType;
      return message.case === undefined ? [] : [event(message, id)];
    }
    default:
      return [];
  }
}
