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

  it('takes past events only on its first turn', () => {
    const session = classic(waiting);
    live(session, executionStarted());

    assert.throws(() => session.turn({ pastEvents: [turnStarted()], newEvents: [] }), {
      code: 'WRONG_STATE',
      message: /is live and takes new events only/,
    });
  });

  it('refuses a turn once it has completed or was closed', () => {
    const done = classic(() => 'done');
    live(done, executionStarted());
    const closed = classic(waiting);
    live(closed, executionStarted());
    closed.close();

    assert.throws(() => live(done), { message: 'The orchestrator session has completed.' });
    assert.throws(() => live(closed), { message: 'The orchestrator session was closed.' });
  });

  it('refuses a turn while one is running, and a result after it was closed', async () => {
    const session = core(async function* (context): AsyncGenerator {
      await Promise.resolve();
      yield context.callActivity('A');
    });

    const running = liveLater(session, executionStarted());
    assert.equal(session.isLive, false);
    assert.throws(() => live(session), { message: /is still running its last turn/ });
    session.close();

    await assert.rejects(running, { message: 'The orchestrator session was closed.' });
  });

  it('refuses a history without its beginning', () => {
    const session = classic(waiting);

    assert.throws(() => live(session, taskCompleted(1)), {
      code: 'INVALID_ARGUMENT',
      message: /^The history of instance 'instance-1' holds no executionStarted event/,
    });
  });

  it('is live between turns, until it has completed or was closed', () => {
    const session = classic(waiting);
    const states = [session.isLive];
    live(session, executionStarted());
    states.push(session.isLive);
    session.close();
    states.push(session.isLive);

    assert.deepEqual(states, [false, true, false]);
  });

  it('runs nothing of the code when it is closed', () => {
    const ran: string[] = [];
    const session = classic(function* ({ df }): Generator {
      try {
        yield df.waitForExternalEvent('go');
      } finally {
        ran.push('finally');
        df.sendEvent('other', 'cleanup');
      }
    });
    live(session, executionStarted());

    session.close();

    assert.deepEqual(ran, []);
  });

  it('refuses the context to code that uses it after the end', () => {
    let leaked: ClassicContext | undefined;
    const session = classic((context) => {
      leaked = context;
    });
    live(session, executionStarted());

    assert.throws(() => leaked?.df.sendEvent('other', 'late'), {
      name: 'OrchestratorConstraintError',
      message: "The context of orchestrator 'Test' was used after the orchestration had ended.",
    });
  });

  it('limits the actions of one turn', () => {
    const session = core(
      (context) => {
        for (let call = 0; call < 3; call += 1) context.callActivity('A');
      },
      { limits: { actionsMax: 2, nonDurableWaitMs: 1 } },
    );

    assert.match(
      lines(live(session, executionStarted()).actions).at(-1) ?? '',
      /failed TooManyActionsError: Orchestrator 'Test' asked for more than 2 actions in one turn/,
    );
  });

  it('fails an execution whose result cannot be JSON', () => {
    const { actions } = live(
      classic(() => 1n),
      executionStarted(),
    );

    assert.match(
      lines(actions)[0] ?? '',
      /failed TypeError: The result of orchestrator 'Test' cannot/,
    );
  });

  it('accepts records of actions that a turn of its own handed out', () => {
    const session = classic(waiting);
    const first = live(session, executionStarted());

    const { actions } = live(session, ...committed(first.actions), taskCompleted(1, 'a'));

    assert.deepEqual(lines(actions), ['2 completed "a"']);
  });
});

const waiting = function* ({ df }: ClassicContext): Generator {
  return (yield df.callActivity('A')) as unknown;
};
