import type { TaskFailureDetails } from '../proto/orchestrator_service_pb.ts';
import { encodeEvent, type StoredEvent } from '../wire/events.ts';
import { optional } from './optional.ts';

/** What a parent is told of the end of its child: its result, or why there is none. Without a time. */
export function parentEvent(
  taskScheduledId: number,
  result: string | undefined,
  failureDetails: TaskFailureDetails | undefined,
): StoredEvent {
  return encodeEvent({
    eventType: failureDetails
      ? { case: 'subOrchestrationInstanceFailed', value: { taskScheduledId, failureDetails } }
      : {
          case: 'subOrchestrationInstanceCompleted',
          value: { taskScheduledId, ...optional('result', result) },
        },
  });
}
