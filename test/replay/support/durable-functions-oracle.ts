import { createRequire } from 'node:module';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { HistoryEvent } from '../../../src/proto/orchestrator_service_pb.ts';
import type { ClassicHandler } from './orchestrators.ts';
import { IDS } from './orchestrators.ts';

/** What the real durable-functions makes of a history, in comparable form. */
export interface OracleAnswer {
  readonly isDone: boolean;
  /** Everything asked for since the start, in order, as `kind name`. */
  readonly asked: readonly string[];
  readonly output: unknown;
  readonly error: string | undefined;
  readonly customStatus: unknown;
}

interface OracleAction {
  readonly actionType: number;
  readonly functionName?: string;
  readonly compoundActions?: readonly OracleAction[];
}

interface OracleState {
  readonly isDone: boolean;
  readonly actions: readonly (readonly OracleAction[])[];
  readonly output?: unknown;
  readonly error?: string;
  readonly customStatus?: unknown;
}

interface OracleOrchestrator {
  handle(trigger: unknown, context: object): Promise<OracleState>;
}

const require = createRequire(import.meta.url);
const { Orchestrator } = require('durable-functions/lib/src/orchestrations/Orchestrator.js') as {
  Orchestrator: new (handler: ClassicHandler) => OracleOrchestrator;
};

const CONTINUE_AS_NEW = 4;
const OUT_OF_PROC_MARK = '\n\n$OutOfProcData$:';

/** Runs the handler in the real package over a whole history. */
export async function askOracle(
  handler: ClassicHandler,
  history: readonly HistoryEvent[],
): Promise<OracleAnswer> {
  const trigger = {
    history: history.map(toOracleEvent).filter((event) => event !== undefined),
    input: 'input',
    instanceId: IDS.instanceId,
    isReplaying: false,
    parentInstanceId: undefined,
    upperSchemaVersion: 0,
    longRunningTimerIntervalDuration: '3.00:00:00',
    maximumShortTimerDuration: '6.00:00:00',
    defaultHttpAsyncRequestSleepTimeMillseconds: 30_000,
  };
  const state = await runOracle(new Orchestrator(handler), trigger);
  const actions = state.actions.flat();
  const isContinued = actions.some(({ actionType }) => actionType === CONTINUE_AS_NEW);
  return {
    // A failure counts even after continueAsNew: the package throws it to its host.
    isDone: state.isDone && state.error === undefined,
    asked: actions.flatMap(askedBy),
    // The host ignores what the code returns after continueAsNew.
    output: isContinued ? null : (state.output ?? null),
    error: state.error,
    customStatus: state.customStatus,
  };
}

/** The package throws failures, with its state as JSON behind a mark in the message. */
async function runOracle(orchestrator: OracleOrchestrator, trigger: unknown): Promise<OracleState> {
  try {
    const state = await orchestrator.handle(trigger, {});
    return JSON.parse(JSON.stringify(state)) as OracleState;
  } catch (error) {
    const [, data] = (error as Error).message.split(OUT_OF_PROC_MARK);
    if (data === undefined) throw error;
    return JSON.parse(data) as OracleState;
  }
}

function askedBy(action: OracleAction): string[] {
  if (action.compoundActions !== undefined) return action.compoundActions.flatMap(askedBy);
  const kinds: Readonly<Record<number, string>> = { 0: 'activity', 2: 'child', 5: 'timer' };
  const kind = kinds[action.actionType];
  return kind === undefined ? [] : [`${kind} ${action.functionName ?? ''}`.trimEnd()];
}

/** The package counts ids from 0, the wire from 1. */
function toOracleEvent(event: HistoryEvent): object | undefined {
  const { eventType, timestamp } = event;
  const at = timestamp === undefined ? undefined : new Date(timestampMs(timestamp));
  const base = { EventId: -1, IsPlayed: false, Timestamp: at };
  switch (eventType.case) {
    case 'orchestratorStarted':
      return { ...base, EventType: 12 };
    case 'executionStarted':
      return { ...base, EventType: 0, Name: 'Test', Input: eventType.value.input };
    case 'taskCompleted':
    case 'subOrchestrationInstanceCompleted': {
      const { taskScheduledId, result = 'null' } = eventType.value;
      const type = eventType.case === 'taskCompleted' ? 5 : 8;
      return { ...base, EventType: type, TaskScheduledId: taskScheduledId - 1, Result: result };
    }
    case 'taskFailed':
    case 'subOrchestrationInstanceFailed': {
      const { taskScheduledId, failureDetails } = eventType.value;
      const details = {
        ErrorType: failureDetails?.errorType,
        ErrorMessage: failureDetails?.errorMessage,
      };
      const type = eventType.case === 'taskFailed' ? 6 : 9;
      const TaskScheduledId = taskScheduledId - 1;
      return { ...base, EventType: type, TaskScheduledId, FailureDetails: details };
    }
    case 'timerFired':
      return { ...base, EventType: 11, TimerId: eventType.value.timerId - 1 };
    case 'eventRaised':
      return { ...base, EventType: 15, Name: eventType.value.name, Input: eventType.value.input };
    default:
      return undefined;
  }
}
