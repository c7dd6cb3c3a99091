import assert from 'node:assert/strict';
import { whenAll } from '../../src/replay/core-context.ts';
import {
  committed,
  eventRaised,
  executionStarted,
  START_AT,
  taskCompleted,
  taskFailed,
  timerFired,
  turnStarted,
} from './support/events.ts';
import type { ClassicContext } from './support/orchestrators.ts';
import { classic, core, lines, live, liveLater, now } from './support/orchestrators.ts';

describe('OrchestratorSession', () => {
  it('runs a sequence of activities to completion over live turns', () => {
    const session = classic(function* ({ df }): Generator {
      const cities = [];
      for (const city of ['Tokyo', 'Seattle']) cities.push(yield df.callActivity('Hello', city));
      return cities;
    });
    const first = live(session, executionStarted());
    const second = live(session, taskCompleted(1, 'a'));
    const third = live(session, taskCompleted(2, 'b'));

    assert.deepEqual(lines(first.actions), ['1 activity Hello("Tokyo")']);
    assert.deepEqual(lines(second.actions), ['2 activity Hello("Seattle")']);
    assert.deepEqual(lines(third.actions), ['3 completed ["a","b"]']);
    assert.equal(third.isComplete, true);
  });

  it('asks only for what is new when the history is replayed', () => {
    const handler = function* ({ df }: ClassicContext): Generator {
      yield df.callActivity('A');
      yield df.callActivity('B');
    };
    const first = live(classic(handler), executionStarted());
    const pastEvents = [turnStarted(), executionStarted(), ...committed(first.actions)];

    const newEvents = [turnStarted(), taskCompleted(1)];
    const replayed = now(classic(handler).turn({ pastEvents, newEvents }));

    assert.deepEqual(lines(replayed.actions), ['2 activity B()']);
  });

  it('runs an async generator whose tasks are scheduled at the call', async () => {
    const session = core(async function* (context, input): AsyncGenerator {
      await Promise.resolve();
      const tasks = [context.callActivity('A', input), context.callActivity('B')];
      return (yield whenAll(tasks)) as unknown;
    });
    const first = await liveLater(session, executionStarted({ input: '5' }));
    const second = await liveLater(session, taskCompleted(2, 'b'), taskCompleted(1, 'a'));

    assert.deepEqual(lines(first.actions), ['1 activity A(5)', '2 activity B()']);
    assert.deepEqual(lines(second.actions), ['3 completed ["a","b"]']);
  });

  it('throws the failure of an activity where it was yielded', () => {
    const session = classic(function* ({ df }): Generator {
      try {
        yield df.callActivity('A');
        return 'no';
      } catch (error) {
        return (error as Error).message;
      }
    });
    live(session, executionStarted());

    const failed = live(session, taskFailed(1, { errorType: 'E', errorMessage: 'broken' }));

    assert.deepEqual(lines(failed.actions), ['2 completed "Activity task #1 failed: broken"']);
  });

  it('races a timer against an external event', () => {
    const session = classic(function* ({ df }): Generator {
      const timer = df.createTimer(new Date(START_AT + 60_000));
      const approval = df.waitForExternalEvent('Approval');
      const winner = (yield df.Task.any([approval, timer])) as unknown;
      if (winner === approval) timer.cancel();
      return winner === approval ? approval.result : 'timeout';
    });
    const first = live(session, executionStarted());
    const second = live(session, eventRaised('approval', 'yes'), timerFired(1));

    assert.deepEqual(lines(first.actions), ['1 timer +60s']);
    assert.deepEqual(lines(second.actions), ['2 completed "yes"']);
  });
});
