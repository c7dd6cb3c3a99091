/** What each kind of action adds to a decision: its history event and its side effect (wire-protocol 5.5). */
import { create, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  ActivityRequestSchema,
  type CreateSubOrchestrationAction,
  type CreateTimerAction,
  type OrchestratorAction,
  type ScheduleTaskAction,
  type SendEventAction,
  type TerminateOrchestrationAction,
} from '../proto/orchestrator_service_pb.ts';
import { encodeEvent } from '../wire/events.ts';
import { childStarted } from './child-started.ts';
import type { DecisionDraft } from './decision-draft.ts';
import { dueAt } from './due-at.ts';
import { sendEntityMessage } from './entity-action.ts';
import { failure } from './failures.ts';
import { optional } from './optional.ts';
import { parentEvent } from './parent-event.ts';
import { instanceIdProblem, tagsProblem } from './validation.ts';

export function applyAction(draft: DecisionDraft, action: OrchestratorAction): void {
  const { id, orchestratorActionType: type } = action;
  switch (type.case) {
    case 'scheduleTask':
      scheduleTask(draft, id, type.value);
      return;
    case 'createSubOrchestration':
      createSubOrchestration(draft, id, type.value);
      return;
    case 'createTimer':
      createTimer(draft, id, type.value);
      return;
    case 'sendEvent':
      sendEvent(draft, id, type.value);
      return;
    case 'terminateOrchestration':
      terminate(draft, type.value);
      return;
    case 'completeOrchestration':
      draft.completion = type.value;
      return;
    case 'sendEntityMessage':
      sendEntityMessage(draft, id, type.value);
      return;
    case 'rewindOrchestration':
    case undefined:
      // Refused by action-rules.ts before any action is applied.
      throw new TypeError(`action ${id} cannot be applied`);
  }
}

function scheduleTask(draft: DecisionDraft, taskId: number, action: ScheduleTaskAction): void {
  const { name, tags } = action;
  const common = {
    name,
    tags,
    ...optional('version', action.version),
    ...optional('input', action.input),
    ...optional('parentTraceContext', action.parentTraceContext),
  };
  draft.append(
    encodeEvent({
      eventId: taskId,
      eventType: { case: 'taskScheduled', value: common },
      at: draft.env.now,
    }),
  );
  const { instanceId, executionId } = draft.turn;
  const request = create(ActivityRequestSchema, {
    ...common,
    taskId,
    orchestrationInstance: { instanceId, executionId },
  });
  draft.activities.push({
    taskId,
    name,
    version: action.version ?? '',
    request: toBinary(ActivityRequestSchema, request),
  });
}

function createSubOrchestration(
  draft: DecisionDraft,
  taskId: number,
  action: CreateSubOrchestrationAction,
): void {
  const { turn, env } = draft;
  const instanceId =
    action.instanceId || `${turn.instanceId}:${taskId.toString(16).padStart(4, '0')}`;
  const { name, tags } = action;
  const common = {
    name,
    tags,
    ...optional('version', action.version),
    ...optional('input', action.input),
    ...optional('parentTraceContext', action.parentTraceContext),
  };
  draft.append(
    encodeEvent({
      eventId: taskId,
      eventType: { case: 'subOrchestrationInstanceCreated', value: { instanceId, ...common } },
      at: env.now,
    }),
  );
  const problem = instanceIdProblem(instanceId) ?? tagsProblem(tags);
  if (problem !== undefined) {
    const refusal = parentEvent(taskId, undefined, failure('INVALID_ARGUMENT', problem));
    draft.messages.push({ instanceId: turn.instanceId, event: refusal });
    return;
  }
  const executionId = env.newExecutionId();
  const started = childStarted({ ...action, instanceId }, { taskId, executionId, parent: turn });
  const version = action.version ?? '';
  draft.children.push({ taskId, instanceId, executionId, name, version, tags, started });
}

function createTimer(draft: DecisionDraft, timerId: number, action: CreateTimerAction): void {
  const fireAt = action.fireAt ?? timestampFromMs(draft.env.now);
  draft.append(
    encodeEvent({
      eventId: timerId,
      eventType: { case: 'timerCreated', value: { fireAt } },
      at: draft.env.now,
    }),
    { isTimer: true },
  );
  draft.timers.push({
    timerId,
    dueAt: dueAt(fireAt),
    fired: encodeEvent({ eventType: { case: 'timerFired', value: { fireAt, timerId } } }),
  });
}

function sendEvent(draft: DecisionDraft, eventId: number, action: SendEventAction): void {
  const instanceId = action.instance?.instanceId ?? '';
  const value = { name: action.name, ...optional('input', action.data) };
  draft.append(
    encodeEvent({
      eventId,
      eventType: { case: 'eventSent', value: { instanceId, ...value } },
      at: draft.env.now,
    }),
  );
  const event = encodeEvent({ eventType: { case: 'eventRaised', value } });
  draft.messages.push({ instanceId, event });
}

function terminate(draft: DecisionDraft, action: TerminateOrchestrationAction): void {
  const event = encodeEvent({
    eventType: {
      case: 'executionTerminated',
      value: { recurse: action.recurse, ...optional('input', action.reason) },
    },
  });
  draft.messages.push({ instanceId: action.instanceId, event });
}
