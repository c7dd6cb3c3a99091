import assert from 'node:assert/strict';
import type { HistoryEvent, OrchestratorAction } from '../../src/proto/orchestrator_service_pb.ts';
import { LOCKING } from '../../src/functions/locking-values.ts';
import { ClassicOrchestrationContext } from '../../src/replay/classic-context.ts';
import type { OrchestrationEngine } from '../../src/replay/engine.ts';
import { OrchestratorSession } from '../../src/replay/session.ts';
import type { TurnResult } from '../../src/replay/session.ts';
import { TaskFailedError } from '../../src/functions/value-classes.ts';
import { classicOptions, IDS, now } from '../replay/support/orchestrators.ts';
import type { ClassicHandler } from '../replay/support/orchestrators.ts';
import { actionKey, isRetryWait, RELEASE } from './action-key.ts';
import { flatActions } from './oracle.ts';
import type { OracleState } from './oracle.ts';
import { OracleHistory } from './oracle-history.ts';
import { orchestratorOf } from './orchestrator.ts';
import type { Handler, Step } from './orchestrator.ts';
import type { Program } from './program.ts';
import type { Fate } from '../replay/support/simulated-scheduler.ts';
import { World } from './world.ts';

const TURNS_MAX = 14;
const CONTINUE_AS_NEW = 4;

export interface Comparison {
  readonly turns: number;
  readonly actions: number;
  readonly hasEnded: boolean;
}

/**
 * Runs a program in a world on our engine, and turn by turn on durable-functions with the same history.
 * Throws an assertion error at the first turn that differs.
 */
export async function compare(program: Program, fate: Fate): Promise<Comparison> {
  const ours: Step[] = [];
  const theirs: Step[] = [];
  const world = new World(fate);
  const history = new OracleHistory(orchestratorOf(program, []));
  const session = openSession(orchestratorOf(program, ours));
  const asked: string[] = [];
  for (let turn = 1; ; turn += 1) {
    const newEvents = world.nextTurn();
    for (const event of newEvents) await history.add(event);
    ours.length = 0;
    theirs.length = 0;

    const result = now(session.turn({ pastEvents: [], newEvents }));
    const oracle = await history.ask(orchestratorOf(program, theirs));

    asked.push(...keysOf(result.actions));
    const canceled = canceledTimers(oracle);
    const theirAsked = numbered(without(keysOf(flatActions(oracle)), canceled));
    assert.deepEqual(
      withoutLastRelease(numbered(without(asked, canceled)), theirAsked, result),
      theirAsked,
      `what was asked for until turn ${turn}`,
    );
    assert.deepEqual(endOf(result), oracleEnd(oracle), `how turn ${turn} ended`);
    assert.deepEqual(ours, liveSteps(theirs), `what the code did in turn ${turn}`);
    history.note(result.actions);
    world.commit(result.actions);
    if (result.isComplete || turn === TURNS_MAX) {
      return { turns: turn, actions: asked.length, hasEnded: result.isComplete };
    }
  }
}

/** How both sides stand after the last of these turns. */
export async function runBoth(
  handler: Handler,
  turns: readonly (readonly HistoryEvent[])[],
): Promise<{ readonly ours: End; readonly theirs: End }> {
  const session = openSession(handler);
  const history = new OracleHistory(handler);
  let ours: End | undefined;
  for (const newEvents of turns) {
    for (const event of newEvents) await history.add(event);
    const result = now(session.turn({ pastEvents: [], newEvents }));
    history.note(result.actions);
    ours = endOf(result);
  }
  if (ours === undefined) throw new Error('there must be a turn');
  return { ours, theirs: oracleEnd(await history.ask()) };
}

function openSession(orchestrator: Handler): OrchestratorSession {
  const handler = orchestrator as unknown as ClassicHandler;
  const Failure = TaskFailedError as new (details: unknown) => Error;
  const createFailure = ({ details }: { readonly details: unknown }): Error => new Failure(details);
  const createContext = (engine: OrchestrationEngine): object => ({
    df: new ClassicOrchestrationContext(engine, {
      defaultVersion: undefined,
      locking: LOCKING,
    }),
  });
  const options = classicOptions(handler, { createFailure, createContext });
  return new OrchestratorSession(options, IDS);
}

/** Each request once: later attempts of a call have the same line, waits between them none. */
function keysOf(actions: readonly Parameters<typeof actionKey>[0][]): readonly string[] {
  return actions
    .map(actionKey)
    .filter((key) => key !== undefined)
    .filter((key) => !isRetryWait(key));
}

/** A timer that is cancelled in the turn that made it is never asked for; the package names it all the same. */
function canceledTimers(oracle: OracleState): ReadonlySet<string | undefined> {
  return new Set(
    flatActions(oracle)
      .filter(({ isCanceled }) => isCanceled === true)
      .map(actionKey),
  );
}

function without(keys: readonly string[], dropped: ReadonlySet<string | undefined>): string[] {
  return keys.filter((key) => !dropped.has(key));
}

/** Each line once; letting go of a section is one line, by the order in which sections are left. */
function numbered(keys: readonly string[]): readonly string[] {
  let count = 0;
  const seen = new Set<string>();
  return keys.flatMap((key) => {
    if (key !== RELEASE && seen.has(key)) return [];
    seen.add(key);
    if (!key.startsWith(RELEASE)) return [key];
    count += 1;
    return [`${RELEASE} ${count}`];
  });
}

/** What ends in a critical section lets go of it: we say so, the package leaves it to its host. */
function withoutLastRelease(
  keys: readonly string[],
  theirs: readonly string[],
  { isComplete }: TurnResult,
): readonly string[] {
  const releases = (list: readonly string[]): number =>
    list.filter((key) => key.startsWith(RELEASE)).length;
  if (!isComplete || releases(keys) !== releases(theirs) + 1) return keys;
  const last = keys.findLastIndex((key) => key.startsWith(RELEASE));
  return keys.filter((_, index) => index !== last);
}

/** The part of a turn's result that both sides have a word for. */
export interface End {
  readonly isDone: boolean;
  readonly output: unknown;
  readonly error: string | undefined;
  readonly customStatus: unknown;
  readonly continuedWith: unknown;
}

function endOf({ actions, customStatus, isComplete }: TurnResult): End {
  const { result, failureDetails, orchestrationStatus } = completionOf(actions) ?? {};
  const value = result === undefined ? null : (JSON.parse(result) as unknown);
  const isContinued = orchestrationStatus === 2;
  return {
    isDone: isComplete && failureDetails === undefined,
    output: isContinued ? null : value,
    error: failureDetails?.errorMessage,
    customStatus: customStatus === undefined ? undefined : (JSON.parse(customStatus) as unknown),
    continuedWith: isContinued ? value : undefined,
  };
}

function completionOf(
  actions: readonly OrchestratorAction[],
):
  | Extract<
      OrchestratorAction['orchestratorActionType'],
      { case: 'completeOrchestration' }
    >['value']
  | undefined {
  const last = actions.at(-1)?.orchestratorActionType;
  return last?.case === 'completeOrchestration' ? last.value : undefined;
}

function oracleEnd(oracle: OracleState): End {
  const restart = flatActions(oracle).find(({ actionType }) => actionType === CONTINUE_AS_NEW);
  return {
    // A failure counts even after continueAsNew: the package throws it to its host.
    isDone: oracle.isDone && oracle.error === undefined,
    // The host ignores what the code returns after continueAsNew.
    output: restart === undefined ? (oracle.output ?? null) : null,
    error: oracle.error,
    customStatus: oracle.customStatus,
    continuedWith: restart?.input,
  };
}

function liveSteps(steps: readonly Step[]): readonly Step[] {
  return steps.filter(({ isReplaying }) => !isReplaying);
}
