import { createRequire } from 'node:module';
import { START_AT } from '../replay/support/events.ts';
import { IDS } from '../replay/support/orchestrators.ts';
import type { Handler } from './orchestrator.ts';

/** An action of durable-functions as it goes to the .NET extension. */
export interface OracleAction {
  readonly actionType: number;
  readonly functionName?: string;
  readonly input?: unknown;
  readonly instanceId?: string;
  readonly version?: string;
  readonly fireAt?: string;
  readonly isCanceled?: boolean;
  readonly operation?: string;
  readonly lockRequestId?: string;
  readonly lockSet?: readonly { readonly name: string; readonly key: string }[];
  readonly compoundActions?: readonly OracleAction[];
}

/** What durable-functions makes of a history: everything since the start, each time. */
export interface OracleState {
  readonly isDone: boolean;
  readonly actions: readonly (readonly OracleAction[])[];
  readonly output?: unknown;
  readonly error?: string;
  readonly customStatus?: unknown;
  /** The number that its next task gets. */
  readonly nextId: number;
}

interface Orchestrator {
  readonly taskOrchestrationExecutor: { readonly sequenceNumber: number };
  handle(trigger: unknown, context: object): Promise<object>;
}

const require = createRequire(import.meta.url);
const { Orchestrator } = require('durable-functions/lib/src/orchestrations/Orchestrator.js') as {
  Orchestrator: new (handler: Handler) => Orchestrator;
};

const OUT_OF_PROC_MARK = '\n\n$OutOfProcData$:';
const SCHEMA_V4 = 3;

/** Runs the handler in the real package over a whole history. */
export async function askOracle(
  handler: Handler,
  history: readonly object[],
): Promise<OracleState> {
  const orchestrator = new Orchestrator(handler);
  const trigger = {
    history,
    input: 'input',
    instanceId: IDS.instanceId,
    isReplaying: false,
    parentInstanceId: undefined,
    upperSchemaVersion: SCHEMA_V4,
    upperSchemaVersionNew: SCHEMA_V4,
    longRunningTimerIntervalDuration: '3.00:00:00',
    maximumShortTimerDuration: '6.00:00:00',
    defaultHttpAsyncRequestSleepTimeMillseconds: 30_000,
  };
  const state = await stateOf(orchestrator, trigger);
  return { ...state, nextId: orchestrator.taskOrchestrationExecutor.sequenceNumber };
}

/** The package throws failures, with its state as JSON behind a mark in the message. */
async function stateOf(orchestrator: Orchestrator, trigger: unknown): Promise<OracleState> {
  try {
    const state = await orchestrator.handle(trigger, {});
    return JSON.parse(JSON.stringify(state)) as OracleState;
  } catch (error) {
    const [, data] = (error as Error).message.split(OUT_OF_PROC_MARK);
    if (data === undefined) throw error;
    return JSON.parse(data) as OracleState;
  }
}

/** The actions in the order in which they were asked for; compounds stand for what they hold. */
export function flatActions({ actions }: OracleState): readonly OracleAction[] {
  const flatten = (action: OracleAction): readonly OracleAction[] =>
    action.compoundActions === undefined ? [action] : action.compoundActions.flatMap(flatten);
  return actions.flat().flatMap(flatten);
}

/** An event of the package's history; `at` in epoch ms. */
export function oracleEvent(type: number, fields: object, at = START_AT): object {
  return { EventType: type, EventId: -1, IsPlayed: false, Timestamp: new Date(at), ...fields };
}
