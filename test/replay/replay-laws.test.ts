import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { HistoryEvent } from '../../src/proto/orchestrator_service_pb.ts';
import { OrchestratorSession } from '../../src/replay/session.ts';
import type { OrchestratorOptions, TurnResult } from '../../src/replay/session.ts';
import { classicOptions, coreOptions, IDS, plain } from './support/orchestrators.ts';
import { classicHandler, coreHandler, programs } from './support/programs.ts';
import type { Program } from './support/programs.ts';
import { fateOf, SimulatedScheduler } from './support/simulated-scheduler.ts';

const TURNS_MAX = 14;
const RUNS = { numRuns: 300 };
const fates = fc.array(fc.nat({ max: 9 }), { minLength: 20, maxLength: 60 });
const styles = fc.constantFrom('classic', 'core');

describe('replay laws', () => {
  it('a session kept alive asks for the same as one replayed from history', async () => {
    await fc.assert(
      fc.asyncProperty(programs, fates, styles, async (program, fate, style) => {
        await runWorld(optionsFor(program, style), fate, async (turn) => {
          const fresh = await turnOf(optionsFor(program, style), turn.past, turn.newEvents);
          assert.deepEqual(visible(turn.result), visible(fresh));
        });
      }),
      RUNS,
    );
  });

  it('a history run again asks for nothing that it does not hold, wherever it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(programs, fates, styles, fc.nat(), async (program, fate, style, at) => {
        const history = await runWorld(optionsFor(program, style), fate);
        const cut = at % (history.length + 1);

        const past = history.slice(0, cut);
        const again = await turnOf(optionsFor(program, style), past, history.slice(cut));

        const kinds = again.actions.map((action) => action.orchestratorActionType.case);
        assert.deepEqual(
          kinds.filter((kind) => kind !== 'completeOrchestration'),
          [],
        );
      }),
      RUNS,
    );
  });

  it('replays another day to the same result', async () => {
    await fc.assert(
      fc.asyncProperty(programs, fates, styles, async (program, fate, style) => {
        const history = await runWorld(optionsFor(program, style), fate);

        const one = await turnOf(optionsFor(program, style), history, []);
        const other = await turnOf(optionsFor(program, style), history, []);

        assert.deepEqual(visible(one), visible(other));
      }),
      RUNS,
    );
  });
});

interface ObservedTurn {
  readonly past: readonly HistoryEvent[];
  readonly newEvents: readonly HistoryEvent[];
  readonly result: TurnResult;
}

/** Runs one live session in a simulated world and returns the history it leaves. */
async function runWorld(
  options: OrchestratorOptions,
  fate: readonly number[],
  observe: (turn: ObservedTurn) => Promise<void> = () => Promise.resolve(),
): Promise<readonly HistoryEvent[]> {
  const scheduler = new SimulatedScheduler(fateOf(fate));
  const session = new OrchestratorSession(options, IDS);
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    const newEvents = scheduler.nextTurn();
    const past = [...scheduler.history];
    const result = await session.turn({ pastEvents: [], newEvents });
    await observe({ past, newEvents, result });
    scheduler.commit(newEvents, result.actions);
    if (result.isComplete) break;
  }
  return scheduler.history;
}

async function turnOf(
  options: OrchestratorOptions,
  pastEvents: readonly HistoryEvent[],
  newEvents: readonly HistoryEvent[],
): Promise<TurnResult> {
  return new OrchestratorSession(options, IDS).turn({ pastEvents, newEvents });
}

function optionsFor(program: Program, style: string): OrchestratorOptions {
  return style === 'classic'
    ? classicOptions(classicHandler(program))
    : coreOptions(coreHandler(program));
}

/** Everything the scheduler sees; stacks differ in their line numbers of the driver. */
function visible({ actions, customStatus, isComplete }: TurnResult): unknown {
  const text = JSON.stringify(plain(actions), (key, value: unknown) =>
    key === 'stackTrace' ? undefined : value,
  );
  return { actions: text, customStatus, isComplete };
}
