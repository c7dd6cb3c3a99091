import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { HistoryEventSchema } from '../../../src/proto/orchestrator_service_pb.ts';

export type EventInit = MessageInitShape<typeof HistoryEventSchema>;

export const INSTANCE_ID = 'i';
export const EXECUTION_ID = 'e'.repeat(32);

/** A history event; incoming ones have the id -1. */
export function event(eventType: EventInit['eventType'], eventId = -1, atMs = 1_000): EventInit {
  return { eventId, timestamp: timestampFromMs(atMs), ...(eventType && { eventType }) };
}

/** The first event of a turn. */
export function turnStarted(atMs: number): EventInit {
  return event({ case: 'orchestratorStarted', value: {} }, -1, atMs);
}

/** The first event of an execution; `input` is JSON text. */
export function started(name: string, input?: string, version?: string): EventInit {
  const orchestrationInstance = { instanceId: INSTANCE_ID, executionId: EXECUTION_ID };
  return event({
    case: 'executionStarted',
    value: {
      name,
      orchestrationInstance,
      ...(input !== undefined && { input }),
      ...(version !== undefined && { version }),
    },
  });
}

/** A work item: one turn of the instance. */
export function orchestratorTurn(
  completionToken: string,
  newEvents: EventInit[],
  pastEvents: EventInit[] = [],
) {
  const ids = { instanceId: INSTANCE_ID, executionId: EXECUTION_ID };
  return {
    completionToken,
    request: { case: 'orchestratorRequest', value: { ...ids, newEvents, pastEvents } },
  } as const;
}

/** A work item: operations for an entity, in the second generation of the protocol. */
export function entityBatch(
  completionToken: string,
  instanceId: string,
  operationRequests: EventInit[],
  entityState?: string,
) {
  const state = entityState === undefined ? {} : { entityState };
  const value = { instanceId, executionId: EXECUTION_ID, operationRequests, ...state };
  return { completionToken, request: { case: 'entityRequestV2', value } } as const;
}

/** An operation that an orchestration waits for; `input` is JSON text. */
export function called(requestId: string, operation: string, input?: string): EventInit {
  const parent = { parentInstanceId: INSTANCE_ID, parentExecutionId: EXECUTION_ID };
  const value = { requestId, operation, ...parent, ...(input !== undefined && { input }) };
  return event({ case: 'entityOperationCalled', value });
}

/** An operation that nobody waits for. */
export function signaled(requestId: string, operation: string, input?: string): EventInit {
  const value = { requestId, operation, ...(input !== undefined && { input }) };
  return event({ case: 'entityOperationSignaled', value });
}

/** A work item: task 7 of the instance; `input` is JSON text. */
export function activity(completionToken: string, name: string, input?: string) {
  const orchestrationInstance = { instanceId: INSTANCE_ID };
  const value = { name, taskId: 7, orchestrationInstance, ...(input !== undefined && { input }) };
  return { completionToken, request: { case: 'activityRequest', value } } as const;
}
