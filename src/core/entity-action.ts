/** An orchestration's message to an entity: in its history, and on its way. */
import type { SendEntityMessageAction } from '../proto/orchestrator_service_pb.ts';
import { encodeEvent, type StoredEvent } from '../wire/events.ts';
import type { DecisionDraft } from './decision-draft.ts';
import { entityIdProblem } from './entity-id.ts';
import { entityMessage } from './entity-message.ts';
import { failure } from './failures.ts';

export function sendEntityMessage(
  draft: DecisionDraft,
  eventId: number,
  { EntityMessageType: type }: SendEntityMessageAction,
): void {
  const { turn, env } = draft;
  const message = entityMessage(type, turn);
  // Refused by action-rules.ts before any action is applied.
  if (!message || type.case === undefined) throw new TypeError(`action ${eventId} has no message`);
  draft.append(encodeEvent({ eventId, eventType: type, at: env.now }));
  const problem =
    type.case === 'entityOperationCalled'
      ? entityIdProblem(type.value.targetInstanceId ?? '', 'targetInstanceId')
      : undefined;
  if (type.case !== 'entityOperationCalled' || problem === undefined) {
    draft.entityMessages.push(message);
    return;
  }
  const event = operationFailed(type.value.requestId, failure('INVALID_ARGUMENT', problem));
  draft.messages.push({ instanceId: turn.instanceId, event });
}

/** A call's answer when there is no result; without a time. */
export function operationFailed(
  requestId: string,
  failureDetails: ReturnType<typeof failure>,
): StoredEvent {
  return encodeEvent({
    eventType: { case: 'entityOperationFailed', value: { requestId, failureDetails } },
  });
}
