import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { HistoryEvent } from '../../src/proto/orchestrator_service_pb.ts';
import { OrchestratorSession } from '../../src/replay/session.ts';
import type { TurnResult } from '../../src/replay/session.ts';
import { askOracle } from './support/durable-functions-oracle.ts';
import { classicOptions, IDS, lines, now } from './support/orchestrators.ts';
import { classicHandler, programs } from './support/programs.ts';
import type { Atom, Program, Statement } from './support/programs.ts';
import { fateOf, SimulatedScheduler } from './support/simulated-scheduler.ts';

const TURNS_MAX = 12;
/** Below 8 nothing suspends or terminates: the package itself knows neither. */
const fates = fc.array(fc.nat({ max: 7 }), { minLength: 20, maxLength: 60 });
const YIELDING = new Set<Statement['kind']>(['yield', 'all', 'any', 'swapped']);
const comparable = programs.map(withoutOwnFeatures);

describe('parity with durable-functions', () => {
  it('asks for the same things in the same order and ends the same way', async () => {
    await fc.assert(
      fc.asyncProperty(comparable, fates, async (program, fate) => {
        const handler = classicHandler(program);
        const { asked, history, last } = runOurs(program, fate);

        const oracle = await askOracle(handler, history);

        assert.deepEqual(asked, oracle.asked);
        assert.deepEqual(ending(last), { ...oracle, asked: undefined });
      }),
      { numRuns: 400 },
    );
  });
});

interface OurRun {
  readonly asked: readonly string[];
  readonly history: readonly HistoryEvent[];
  readonly last: TurnResult;
}

function runOurs(program: Program, fate: readonly number[]): OurRun {
  const scheduler = new SimulatedScheduler(fateOf(fate));
  const options = classicOptions(classicHandler(program), {
    createFailure: ({ details }) => new Error(`${details.errorType}: ${details.errorMessage}`),
  });
  const session = new OrchestratorSession(options, IDS);
  const asked: string[] = [];
  for (let turn = 1; ; turn += 1) {
    const newEvents = scheduler.nextTurn();
    const last = now(session.turn({ pastEvents: [], newEvents }));
    asked.push(...lines(last.actions).flatMap(askedIn));
    scheduler.commit(newEvents, last.actions);
    if (last.isComplete || turn === TURNS_MAX) return { asked, history: scheduler.history, last };
  }
}

function askedIn(line: string): string[] {
  const [, kind = '', rest = ''] = /^\d+ (activity|child|timer) (\w*)/.exec(line) ?? [];
  return kind === '' ? [] : [`${kind} ${kind === 'timer' ? '' : rest}`.trimEnd()];
}

function ending({ actions, customStatus, isComplete }: TurnResult): object {
  const last = actions.at(-1)?.orchestratorActionType;
  const completion = last?.case === 'completeOrchestration' ? last.value : undefined;
  const { result, failureDetails } = completion ?? {};
  const isContinued = completion?.orchestrationStatus === 2;
  return {
    asked: undefined,
    isDone: isComplete && failureDetails === undefined,
    output: result === undefined || isContinued ? null : (JSON.parse(result) as unknown),
    error: failureDetails?.errorMessage,
    customStatus: customStatus === undefined ? undefined : (JSON.parse(customStatus) as unknown),
  };
}

/**
 * Leaves out what the package lacks (sendEvent, case-blind names), what it leaves to its host (retries),
 * and yields after continueAsNew: the package runs on if the task is complete, we stop at any yield.
 */
function withoutOwnFeatures(program: Program): Program {
  const end = program.findIndex(({ kind }) => kind === 'continue');
  return program
    .filter(({ kind }, index) => end === -1 || index <= end || !YIELDING.has(kind))
    .filter(({ kind }) => kind !== 'send')
    .map(plainStatement);
}

function plainStatement(statement: Statement): Statement {
  switch (statement.kind) {
    case 'yield':
      return { ...statement, atom: plainAtom(statement.atom) };
    case 'all':
    case 'any':
      return { ...statement, atoms: statement.atoms.map(plainAtom) };
    case 'swapped':
      return {
        ...statement,
        first: plainAtom(statement.first),
        second: plainAtom(statement.second),
      };
    default:
      return statement;
  }
}

function plainAtom(atom: Atom): Atom {
  if (atom.kind === 'event') return { ...atom, name: atom.name === 'stop' ? 'stop' : 'go' };
  return atom.kind === 'timer' ? atom : { ...atom, attempts: 1 };
}
