import assert from 'node:assert/strict';
import { whenAll, whenAny } from '../../src/replay/core-context.ts';
import type {
  CoreOrchestrationContext,
  OrchestrationLogger,
} from '../../src/replay/core-context.ts';
import type { Task } from '../../src/replay/tasks.ts';
import {
  childCompleted,
  event,
  eventRaised,
  executionStarted,
  START_AT,
  taskCompleted,
  taskFailed,
  timerFired,
  turnStarted,
} from './support/events.ts';
import { core, IDS, lines, live, now } from './support/orchestrators.ts';

/** What a handler's first turn reads. */
function valueOf(
  read: (context: CoreOrchestrationContext) => unknown,
  ...start: Parameters<typeof executionStarted>
): unknown {
  let value: unknown;
  const session = core((context) => {
    value = read(context);
  });
  live(session, executionStarted(...start));
  return value;
}

function throwsInside(call: (context: CoreOrchestrationContext) => unknown, message: RegExp): void {
  assert.equal(
    valueOf((context) => {
      assert.throws(() => call(context), { message });
      return 'checked';
    }),
    'checked',
  );
}

describe('context of the core style', () => {
  it('shows the instance, its parent, version and time', () => {
    const shown = valueOf(
      (context) => [
        context.instanceId,
        context.parent,
        context.version,
        context.currentUtcDateTime,
        context.isReplaying,
        context.compareVersionTo('10.0'),
      ],
      { version: '9.1', parentId: 'parent-1' },
    );

    assert.deepEqual(shown, [
      IDS.instanceId,
      { name: 'Parent', instanceId: 'parent-1', taskScheduledId: 7 },
      '9.1',
      new Date(START_AT),
      false,
      -1,
    ]);
  });

  it('has an empty version and no parent when there is none', () => {
    assert.deepEqual(
      valueOf((context) => [context.version, context.parent]),
      ['', undefined],
    );
  });

  it('leaves empty what a parent does not say of itself', () => {
    let parent: unknown;
    const session = core((context) => {
      parent = context.parent;
    });
    const value = { name: 'Test', parentInstance: { taskScheduledId: 3 } };

    live(session, event({ case: 'executionStarted', value }));

    assert.deepEqual(parent, { name: '', instanceId: '', taskScheduledId: 3 });
  });

  it('says what stops a value from being JSON', () => {
    const hostile = {
      toJSON(): never {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- what hostile code does
        throw 'no';
      },
    };

    throwsInside((context) => {
      context.setCustomStatus(hostile);
    }, /^The custom status value cannot be written as JSON: no$/);
  });

  it('gives guids that differ by counter and not by replay', () => {
    const read = (context: CoreOrchestrationContext): string[] => [
      context.newGuid(),
      context.newGuid(),
    ];

    const [one, other] = valueOf(read) as string[];

    assert.notEqual(one, other);
    assert.deepEqual(valueOf(read), [one, other]);
  });

  it('schedules at the call, with version, tags and the name of a function', () => {
    const Hello = (): string => 'hello';
    const session = core((context) => {
      context.callActivity(Hello, 1, { version: '2', tags: { a: 'b' } });
      context.callSubOrchestrator('Child', 2, { instanceId: 'child', version: '3' });
      context.callSubOrchestrator('Child', undefined, { instanceId: '' });
      context.createTimer(5);
      context.createTimer(new Date(START_AT + 1000));
      context.sendEvent('other', 'go', { a: 1 });
      context.setCustomStatus('busy');
    });

    const { actions, customStatus } = live(session, executionStarted());
    const [first] = actions.map(({ orchestratorActionType }) => orchestratorActionType);

    assert.deepEqual(lines(actions), [
      '1 activity Hello(1)',
      '2 child Child(2) child',
      `3 child Child() ${IDS.executionId}:0003`,
      '4 timer +5s',
      '5 timer +1s',
      '6 event go({"a":1}) to other',
      '7 completed',
    ]);
    assert.equal(customStatus, '"busy"');
    assert.deepEqual(first?.case === 'scheduleTask' && [first.value.version, first.value.tags], [
      '2',
      { a: 'b' },
    ]);
  });

  it('refuses what has no name, no target or no time', () => {
    throwsInside((context) => context.callActivity(() => 1), /Cannot infer a name/);
    throwsInside((context) => context.waitForExternalEvent(''), /'name' is required/);
    throwsInside((context) => {
      context.sendEvent('', 'go');
    }, /sendEvent: 'instanceId' is required/);
    throwsInside((context) => {
      context.sendEvent('other', '');
    }, /sendEvent: 'eventName' is required/);
    throwsInside((context) => context.createTimer(NaN), /finite number .* received NaN/);
    throwsInside((context) => context.createTimer('1' as unknown as number), /received 1/);
    throwsInside((context) => context.createTimer(new Date(NaN)), /invalid Date/);
    throwsInside((context) => context.createTimer(1e300), /more seconds than a Date can hold/);
  });

  it('makes loggers that are silent in replays', () => {
    const written: string[] = [];
    const write = (message: string, ...args: unknown[]): void => {
      written.push([message, ...args].join(' '));
    };
    const logger: OrchestrationLogger = { error: write, warn: write, info: write, debug: write };
    const session = core(function* (context) {
      const safe = context.createReplaySafeLogger(logger);
      safe.info('first');
      yield context.waitForExternalEvent('go');
      safe.error('second', 2);
    });

    const pastEvents = [turnStarted(), executionStarted()];
    session.turn({ pastEvents, newEvents: [turnStarted(), eventRaised('go')] }) as unknown;

    assert.deepEqual(written, ['second 2']);
  });

  it('reads tasks the way of durabletask-js', () => {
    const session = core(function* (context) {
      const task = context.callActivity('A');
      const before = [task.isCompleted, task.isComplete];
      try {
        yield task;
      } catch {
        // The read-outs below are what is looked at.
      }
      return [
        before,
        task.isCompleted,
        task.isFaulted,
        task.result === undefined,
        task.getException().message,
      ];
    });
    live(session, executionStarted());

    const turn = live(session, taskFailed(1, { errorMessage: 'broken' }));

    assert.deepEqual(lines(turn.actions), [
      '2 completed [[false,false],true,true,true,"Activity task #1 failed: broken"]',
    ]);
  });

  it('does nothing when a timer is cancelled late or twice', () => {
    const session = core(function* (context) {
      const [fired, open] = [context.createTimer(1), context.createTimer(2)];
      yield fired;
      fired.cancel();
      open.cancel();
      open.cancel();
      yield context.waitForExternalEvent('go');
      return [fired.isCanceled, open.isCanceled];
    });
    live(session, executionStarted());
    live(session, timerFired(1));

    const turn = live(session, timerFired(2), eventRaised('go'));

    assert.deepEqual(lines(turn.actions), ['3 completed [false,true]']);
  });
});

describe('whenAll', () => {
  it('completes at once over nothing', () => {
    const session = core(function* () {
      return (yield whenAll([])) as unknown;
    });

    assert.deepEqual(lines(live(session, executionStarted()).actions), ['1 completed []']);
  });

  it('waits for every task and reports all failures', () => {
    const session = core(function* (context) {
      yield whenAll([
        context.callActivity('A'),
        context.callActivity('B'),
        context.callActivity('C'),
      ]);
    });
    live(session, executionStarted());

    const early = live(session, taskFailed(1, { errorMessage: 'one' }));
    const last = live(session, taskCompleted(3), taskFailed(2, { errorMessage: 'two' }));

    assert.deepEqual(lines(early.actions), []);
    assert.deepEqual(lines(last.actions), [
      '4 failed AggregateError: 2 of 3 tasks in the whenAll failed: ' +
        'Activity task #1 failed: one; Activity task #2 failed: two',
    ]);
  });

  it('counts tasks that were complete before', () => {
    const session = core(function* (context) {
      const [a, b] = [context.callActivity('A'), context.callSubOrchestrator('B')];
      yield a;
      return (yield whenAll([a, b, a])) as unknown;
    });
    live(session, executionStarted());
    live(session, taskCompleted(1, 'a'));

    assert.deepEqual(lines(live(session, childCompleted(2, 'b')).actions), [
      '3 completed ["a","b","a"]',
    ]);
  });
});

describe('whenAny', () => {
  it('gives the first task that completes, and the same again later', () => {
    const session = core(function* (context) {
      const tasks: Task[] = [context.callActivity('A'), context.callActivity('B')];
      const winner = (yield whenAny(tasks)) as Task;
      const again = (yield whenAny(tasks)) as Task;
      return [tasks.indexOf(winner), tasks.indexOf(again)];
    });
    live(session, executionStarted());

    assert.deepEqual(lines(live(session, taskFailed(2)).actions), ['3 completed [1,1]']);
  });

  it('refuses an empty list', () => {
    assert.throws(() => whenAny([]), { message: 'whenAny requires at least one task' });
  });

  it('drops finished races from the tasks that go on', () => {
    const session = core(function* (context) {
      const slow = context.callActivity('Slow');
      let rounds = 0;
      while (!slow.isComplete) {
        rounds += 1;
        yield whenAny([slow, context.waitForExternalEvent('tick')]);
      }
      return rounds;
    });
    live(session, executionStarted());
    for (let tick = 0; tick < 3; tick += 1) live(session, eventRaised('tick'));

    assert.deepEqual(lines(live(session, taskCompleted(1)).actions), ['2 completed 4']);
  });
});

describe('byHandler scheduling', () => {
  it('is eager for plain functions', () => {
    const session = core((context) => void context.callActivity('A'), { scheduling: 'byHandler' });

    assert.deepEqual(lines(live(session, executionStarted()).actions), [
      '1 activity A()',
      '2 completed',
    ]);
  });

  it('is lazy for generators, also those that a plain function returns', () => {
    const inner = function* (context: CoreOrchestrationContext): Generator {
      context.callActivity('never');
      yield context.callActivity('A');
    };
    const session = core((context) => inner(context), { scheduling: 'byHandler' });

    assert.deepEqual(lines(now(live(session, executionStarted())).actions), ['1 activity A()']);
  });
});
