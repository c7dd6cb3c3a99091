import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { ExecutionStartedEvent, HistoryEvent } from '../proto/orchestrator_service_pb.ts';
import type { TaskFailureDetails } from '../proto/orchestrator_service_pb.ts';
import { isConfirmation } from './confirmation.ts';
import type { OrchestrationEngine } from './engine.ts';
import { decodePayload } from './json.ts';
import type { OrchestratorProgram } from './program.ts';

/** What an event acts on. */
export interface EventTarget {
  readonly engine: OrchestrationEngine;
  readonly program: OrchestratorProgram;
}

/**
 * Applies one history event. Answers to ids that nothing waits for are ignored (repeats, cancelled
 * timers, answers to a former execution). Throws `NonDeterminismError` when the history records an
 * action that the code did not ask for. Returns a promise when the code is async.
 */
export function applyEvent(event: HistoryEvent, target: EventTarget): undefined | Promise<void> {
  const { engine } = target;
  const { eventType } = event;
  switch (eventType.case) {
    case 'orchestratorStarted':
      if (event.timestamp !== undefined) engine.currentTimeAt = timestampMs(event.timestamp);
      return undefined;
    case 'executionStarted':
      return startExecution(eventType.value, target);
    case 'executionTerminated':
      engine.terminate(eventType.value.input);
      target.program.abandon();
      return undefined;
    case 'eventRaised':
      engine.raise(eventType.value.name, event);
      return undefined;
    default:
      if (isConfirmation(event)) engine.confirm(event);
      return engine.isComplete ? undefined : applyAnswer(event, engine);
  }
}

function startExecution(
  started: ExecutionStartedEvent,
  { engine, program }: EventTarget,
): undefined | Promise<void> {
  if (engine.hasStarted || engine.isComplete) return undefined;
  const { parentInstance } = started;
  engine.hasStarted = true;
  engine.version = started.version;
  if (parentInstance !== undefined) {
    engine.parent = {
      name: parentInstance.name ?? '',
      instanceId: parentInstance.orchestrationInstance?.instanceId ?? '',
      taskScheduledId: parentInstance.taskScheduledId,
    };
  }
  try {
    engine.input = decodePayload(started.input, `The input of orchestrator '${engine.name}'`);
  } catch (error) {
    engine.failWith(error);
    return undefined;
  }
  return program.start();
}

/** Events that answer an action. */
function applyAnswer(
  { eventType }: HistoryEvent,
  engine: OrchestrationEngine,
): undefined | Promise<void> {
  switch (eventType.case) {
    case 'taskCompleted':
    case 'subOrchestrationInstanceCompleted':
      complete(engine, eventType.value.taskScheduledId, eventType.value.result);
      return undefined;
    case 'taskFailed':
    case 'subOrchestrationInstanceFailed':
      return fail(engine, eventType.value.taskScheduledId, eventType.value.failureDetails);
    case 'entityOperationCompleted':
      engine.entities.complete(eventType.value.requestId, eventType.value.output);
      return undefined;
    case 'entityOperationFailed':
      engine.entities.fail(eventType.value.requestId, eventType.value.failureDetails);
      return undefined;
    case 'entityLockGranted':
      engine.entities.grant(eventType.value.criticalSectionId);
      return undefined;
    case 'timerFired':
      fire(engine, eventType.value.timerId);
      return undefined;
    default:
      return undefined;
  }
}

function complete(engine: OrchestrationEngine, id: number, result: string | undefined): void {
  const item = engine.takeOpen(id);
  if (item?.kind === 'call') item.call.complete(result);
}

function fail(
  engine: OrchestrationEngine,
  id: number,
  failure: TaskFailureDetails | undefined,
): undefined | Promise<void> {
  const item = engine.takeOpen(id);
  return item?.kind === 'call' ? item.call.failAttempt(id, failure) : undefined;
}

function fire(engine: OrchestrationEngine, timerId: number): void {
  const item = engine.takeOpen(timerId);
  if (item?.kind === 'timer') item.task.succeed(undefined);
  if (item?.kind === 'retryTimer') item.call.start();
}
