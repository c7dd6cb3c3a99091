import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { Task } from 'durable-functions';
import {
  eventRaised,
  executionStarted,
  START_AT,
  taskCompleted,
  turnStarted,
} from '../replay/support/events.ts';
import { ALLOWED_DIFFERENCES } from './allowed-differences.ts';
import { compare, runBoth } from './compare.ts';
import { askOracle, flatActions, oracleEvent } from './oracle.ts';
import type { Handler } from './orchestrator.ts';
import { fates, programs } from './program.ts';
import { fateOf } from '../replay/support/simulated-scheduler.ts';

const begin = [turnStarted(), executionStarted()];
const later = (seconds: number): ReturnType<typeof turnStarted> =>
  turnStarted(START_AT + seconds * 1000);

/** The outputs of both sides; `undefined` for one that has not ended. */
async function outputs(
  handler: Handler,
  ...turns: Parameters<typeof runBoth>[1]
): Promise<readonly unknown[]> {
  const { ours, theirs } = await runBoth(handler, [begin, ...turns]);
  return [ours, theirs].map(({ isDone, output }) => (isDone ? output : undefined));
}

describe('our engine and durable-functions', () => {
  it('ask for the same and end the same, turn by turn', async () => {
    await fc.assert(
      fc.asyncProperty(programs, fates, async (program, fate) => {
        await compare(program, fateOf(fate));
      }),
      { numRuns: 600 },
    );
  });

  it('differ in compounds of completed tasks: theirs hang', async () => {
    const both = await outputs(
      function* ({ df }) {
        const task = df.callActivity('A');
        yield task;
        return (yield df.Task.all([task])) as unknown;
      },
      [later(1), taskCompleted(1, 'a')],
    );

    assert.deepEqual(both, [['a'], undefined]);
  });

  it('differ in tasks of two compounds: theirs tell the newer one only', async () => {
    const both = await outputs(
      function* ({ df }) {
        const [first, second] = [df.callActivity('A'), df.callActivity('B')];
        const older = df.Task.all([first]);
        const newer = df.Task.any([first, second]);
        yield newer;
        return (yield older) as unknown;
      },
      [later(1), taskCompleted(1, 'a')],
    );

    assert.deepEqual(both, [['a'], undefined]);
  });

  it('differ in events waited for twice: theirs lose one', async () => {
    const both = await outputs(
      function* ({ df }) {
        const event = df.waitForExternalEvent('go');
        yield df.Task.any([event, df.callActivity('A')]);
        yield df.Task.any([event, df.callActivity('B')]);
        yield df.callActivity('C');
        return (yield df.waitForExternalEvent('go')) as unknown;
      },
      [later(1), taskCompleted(1, 'a')],
      [later(2), eventRaised('go', 1)],
      [later(3), eventRaised('go', 2)],
      [later(4), taskCompleted(3, 'c')],
    );

    assert.deepEqual(both, [2, undefined]);
  });

  it('differ in yields after continueAsNew: theirs run on over completed tasks', async () => {
    const { ours, theirs } = await runBoth(
      function* ({ df }) {
        const task: Task = df.callActivity('A');
        yield task;
        df.continueAsNew('again');
        yield task;
        df.setCustomStatus('ran on');
      },
      [begin, [later(1), taskCompleted(1)]],
    );

    assert.deepEqual([ours.customStatus, theirs.customStatus], [undefined, 'ran on']);
    assert.deepEqual([ours.continuedWith, theirs.continuedWith], ['again', '"again"']);
  });

  it('differ in long timers: theirs are made of several', async () => {
    const fireAt = START_AT + 10 * 24 * 3_600_000;
    const handler: Handler = function* ({ df }) {
      yield df.createTimer(new Date(fireAt));
      return 'fired';
    };
    const start = [oracleEvent(12, {}), oracleEvent(0, { Name: 'Test' })];
    const hop = START_AT + 3 * 24 * 3_600_000;

    const theirs = await askOracle(handler, [
      ...start,
      oracleEvent(12, {}, hop),
      oracleEvent(11, { TimerId: 0 }),
    ]);

    assert.equal(theirs.isDone, false);
    assert.deepEqual(
      flatActions(theirs).map((action) => action.fireAt),
      [new Date(fireAt).toISOString()],
    );
  });

  it('have each of their differences on the page for users', () => {
    const file = new URL('../../docs/DURABLE-FUNCTIONS.md', import.meta.url);
    const page = readFileSync(file, 'utf8').replaceAll('`', '').replaceAll(/\s+/g, ' ');

    const missing = ALLOWED_DIFFERENCES.filter(
      ({ there, here }) => !page.includes(`| ${there} | ${here} |`),
    );

    assert.deepEqual(
      missing.map(({ id }) => id),
      [],
    );
  });
});
