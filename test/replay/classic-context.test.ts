import assert from 'node:assert/strict';
import { ClassicOrchestrationContext } from '../../src/replay/classic-context.ts';
import type { ClassicRetryOptions } from '../../src/replay/classic-tasks.ts';
import {
  createLazyActivityTask,
  createLazySubOrchestrationTask,
} from '../../src/replay/classic-tasks.ts';
import type { Task } from '../../src/replay/tasks.ts';
import {
  childCompleted,
  eventRaised,
  executionStarted,
  START_AT,
  taskCompleted,
  taskFailed,
  timerFired,
} from './support/events.ts';
import type { ClassicHandler } from './support/orchestrators.ts';
import { classic, IDS, lines, live, locking } from './support/orchestrators.ts';

type Df = ClassicOrchestrationContext;
const RETRY: ClassicRetryOptions = {
  firstRetryIntervalInMilliseconds: 1000,
  maxNumberOfAttempts: 2,
};

/** What the first turn of a plain handler gives back. */
function valueOf(
  read: (df: Df) => unknown,
  ...start: Parameters<typeof executionStarted>
): unknown {
  let value: unknown;
  const session = classic(({ df }) => {
    value = read(df);
  });
  live(session, executionStarted(...start));
  return value;
}

/** Asserts what a call throws inside an orchestrator. */
function throwsInside(call: (df: Df) => unknown, expected: object): void {
  let reached = false;
  const session = classic(({ df }) => {
    assert.throws(() => call(df), expected);
    reached = true;
  });
  const { actions } = live(session, executionStarted());
  assert.deepEqual([reached, lines(actions)], [true, ['1 completed']]);
}

describe('context.df of the classic style', () => {
  it('shows the instance, its parent, version, time and input', () => {
    const shown = valueOf(
      (df) => [
        df.instanceId,
        df.parentInstanceId,
        df.version,
        df.currentUtcDateTime,
        df.isReplaying,
        df.getInput(),
        df.isLocked(),
      ],
      { input: '{"a":1}', version: '2.0', parentId: 'parent-1' },
    );

    assert.deepEqual(shown, [
      IDS.instanceId,
      'parent-1',
      '2.0',
      new Date(START_AT),
      false,
      { a: 1 },
      { isLocked: false, ownedLocks: [] },
    ]);
  });

  it('shows nothing of a parent or a version that do not exist', () => {
    assert.deepEqual(
      valueOf((df) => [df.parentInstanceId, df.version]),
      [undefined, undefined],
    );
  });

  it('gives guids that differ by counter', () => {
    assert.deepEqual(
      valueOf((df) => [df.newGuid('abc'), df.newGuid('abc')]),
      ['c79da3a3-18e4-5c7a-bf95-ce9b1b9ac5f1', 'ef9f8953-0715-53f9-add1-d9bf6bfc7b68'],
    );
  });

  it('publishes the custom status with the turn', () => {
    const session = classic(function* ({ df }) {
      df.setCustomStatus({ step: 1 });
      yield df.waitForExternalEvent('go');
      df.customStatus = [df.customStatus, 2];
      yield df.waitForExternalEvent('go');
      df.setCustomStatus(null);
    });
    const turns = [
      live(session, executionStarted()),
      live(session, eventRaised('go')),
      live(session, eventRaised('go')),
    ];

    assert.deepEqual(
      turns.map(({ customStatus }) => customStatus),
      ['{"step":1}', '[{"step":1},2]', undefined],
    );
  });

  it('throws where a custom status cannot be JSON', () => {
    throwsInside(
      (df) => {
        df.setCustomStatus(1n);
      },
      { name: 'TypeError', message: /^The custom status value cannot be written as JSON: / },
    );
  });

  it('refuses blank and missing names with the known texts', () => {
    const expected = 'Expected non-empty, non-whitespace string but got';
    const nothing = undefined as unknown as string;
    throwsInside((df) => df.callActivity(nothing), {
      name: 'TypeError',
      message: `functionName: ${expected} undefined`,
    });
    throwsInside((df) => df.callActivity(' '), {
      message: `functionName: ${expected} empty string`,
    });
    throwsInside((df) => df.callActivityWithRetry('', RETRY), {
      message: `functionName: ${expected} empty string`,
    });
    throwsInside((df) => df.waitForExternalEvent(''), {
      message: `externalEventName: ${expected} empty string`,
    });
    throwsInside((df) => df.callSubOrchestrator(''), {
      message:
        'A sub-orchestration function name must be provided when attempting to create a suborchestration',
    });
    throwsInside((df) => df.callSubOrchestrator('C', 1, ' '), {
      message: `instanceId: ${expected} empty string`,
    });
  });

  it('refuses retry options that lack a property', () => {
    const message =
      'retryOptions: Expected object of type RetryOptions but got object; are you missing properties?';
    const lacking = { maxNumberOfAttempts: 1 } as ClassicRetryOptions;
    throwsInside((df) => df.callActivityWithRetry('A', lacking), { name: 'TypeError', message });
    throwsInside(
      (df) => df.callSubOrchestratorWithRetry('A', null as unknown as ClassicRetryOptions),
      { name: 'TypeError', message },
    );
  });

  it('refuses timers without a valid date', () => {
    throwsInside((df) => df.createTimer('soon' as unknown as Date), {
      name: 'TypeError',
      message: 'fireAt: Expected valid Date object but got soon',
    });
    throwsInside((df) => df.createTimer(new Date(NaN)), {
      message: 'fireAt: Expected valid Date object but got Invalid Date',
    });
  });

  it('refuses lists without tasks', () => {
    const all = /^Task\.all received a non-valid input\. This may occur if/;
    throwsInside((df) => df.Task.all([1 as unknown as Task]), { message: all });
    throwsInside((df) => df.Task.all(1 as unknown as Task[]), { message: all });
    throwsInside((df) => df.Task.any([{}] as unknown as Task[]), {
      message: /^Task\.any received a non-valid/,
    });
    throwsInside((df) => df.Task.any([]), {
      message:
        'When constructing a CompoundTask (such as Task.all() or Task.any()), you must specify at least one Task.',
    });
  });
});

describe('lazy scheduling', () => {
  it('asks for nothing before it is yielded, and never for what is not', () => {
    const session = classic(function* ({ df }) {
      const first = df.callActivity('A');
      df.callActivity('never');
      yield df.callActivity('B');
      yield first;
    });

    assert.deepEqual(lines(live(session, executionStarted()).actions), ['1 activity B()']);
    assert.deepEqual(lines(live(session, taskCompleted(1)).actions), ['2 activity A()']);
  });

  it('hands out ids depth first when a compound task is yielded', () => {
    const session = classic(function* ({ df }) {
      const a = df.callActivity('A');
      const inner = df.Task.any([df.callActivity('B'), df.callActivity('C')]);
      yield df.Task.all([df.callActivity('D'), inner, a]);
    });

    assert.deepEqual(lines(live(session, executionStarted()).actions), [
      '1 activity D()',
      '2 activity B()',
      '3 activity C()',
      '4 activity A()',
    ]);
  });

  it('runs on at once over tasks that are complete', () => {
    const session = classic(function* ({ df }) {
      const a = df.callActivity('A');
      const b = df.callActivity('B');
      yield df.Task.all([a, b]);
      const again = (yield df.Task.all([a, b])) as unknown;
      const value = (yield a) as unknown;
      const winner = (yield df.Task.any([b, a])) as unknown;
      return [again, value, winner === b];
    });
    live(session, executionStarted());

    const turn = live(session, taskCompleted(2, 'b'), taskCompleted(1, 'a'));

    assert.deepEqual(lines(turn.actions), ['3 completed [["a","b"],"a",true]']);
  });

  it('reads its input when it is scheduled', () => {
    const session = classic(function* ({ df }) {
      const input = { n: 1 };
      const task = df.callActivity('A', input);
      input.n = 2;
      yield task;
    });

    assert.deepEqual(lines(live(session, executionStarted()).actions), ['1 activity A({"n":2})']);
  });

  it('throws an input that cannot be JSON where the task is yielded', () => {
    const session = classic(function* ({ df }) {
      try {
        yield df.callActivity('A', 1n);
        return 'no error';
      } catch (error) {
        return (error as Error).message;
      }
    });

    const { actions } = live(session, executionStarted());

    assert.match(lines(actions)[0] ?? '', /completed "The input of activity 'A' cannot be written/);
  });

  it('fails at once with the first error of Task.all', () => {
    const session = classic(function* ({ df }) {
      yield df.Task.all([df.callActivity('A'), df.callActivity('B')]);
    });
    live(session, executionStarted());

    const turn = live(session, taskFailed(2, { errorMessage: 'broken' }));

    assert.deepEqual(lines(turn.actions), [
      '3 failed TaskFailedError: Activity task #2 failed: broken',
    ]);
  });

  it('fails Task.all at once when a child had failed before', () => {
    const session = classic(function* ({ df }) {
      const failed = df.callActivity('A');
      try {
        yield failed;
      } catch {
        yield df.Task.all([failed, df.callActivity('B')]);
      }
    });
    live(session, executionStarted());

    const turn = live(session, taskFailed(1, { errorMessage: 'broken' }));

    assert.deepEqual(lines(turn.actions), [
      '2 activity B()',
      '3 failed TaskFailedError: Activity task #1 failed: broken',
    ]);
  });

  it('reads tasks in both ways', () => {
    const read = ({ isCompleted, isFaulted, isComplete, isFailed }: Task): boolean[] => [
      isCompleted,
      isFaulted,
      isComplete,
      isFailed,
    ];
    const session = classic(function* ({ df }) {
      const good = df.callActivity('A');
      const bad = df.callActivity('B');
      const before = read(good);
      assert.throws(() => good.getResult(), /not complete/);
      assert.throws(() => good.getException(), /did not fail/);
      yield df.Task.any([good, bad]);
      yield df.Task.any([bad]);
      assert.throws(() => bad.getResult(), /broken/);
      return [
        before,
        read(good),
        read(bad),
        good.result,
        good.getResult(),
        bad.result instanceof Error,
      ];
    });
    live(session, executionStarted());
    live(session, taskCompleted(1, 'a'));

    const turn = live(session, taskFailed(2, { errorMessage: 'broken' }));

    const no = 'false,false,false,false';
    assert.deepEqual(lines(turn.actions), [
      `3 completed [[${no}],[true,false,true,false],[false,true,true,true],"a","a",true]`,
    ]);
  });

  it('fails the execution with the known text when something else is yielded', () => {
    const yieldOf = (value: unknown): string => {
      const handler: ClassicHandler = function* () {
        yield value;
      };
      return lines(live(classic(handler), executionStarted()).actions)[0] ?? '';
    };

    assert.match(
      yieldOf(5),
      /Durable Functions programming constraint violation: Orchestration yielded data of type number\. Only Task types can be yielded\. Please check your yield/,
    );
    assert.match(
      yieldOf(undefined),
      /of type undefined\. This is likely a result of yielding a "fire/,
    );
    assert.match(yieldOf(undefined), /calling those APIs, please check your yield statements to/);
  });
});

describe('timers', () => {
  it('are asked for when they are yielded and fire once', () => {
    const session = classic(function* ({ df }) {
      yield df.createTimer(new Date(START_AT + 5000));
      yield df.waitForExternalEvent('go');
    });

    assert.deepEqual(lines(live(session, executionStarted()).actions), ['1 timer +5s']);
    assert.deepEqual(lines(live(session, timerFired(1), timerFired(1)).actions), []);
  });

  it('cannot be cancelled once they have fired', () => {
    const session = classic(function* ({ df }) {
      const timer = df.createTimer(new Date(START_AT));
      yield timer;
      timer.cancel();
    });
    live(session, executionStarted());

    assert.deepEqual(lines(live(session, timerFired(1)).actions), [
      '2 failed Error: Cannot cancel a completed task.',
    ]);
  });

  it('that are cancelled in the turn that asks for them are not asked for', () => {
    const session = classic(function* ({ df }) {
      const timer = df.createTimer(new Date(START_AT));
      const event = df.waitForExternalEvent('go');
      yield df.Task.any([event, timer]);
      timer.cancel();
      return timer.isCanceled;
    });

    const turn = live(session, executionStarted(), eventRaised('go'));

    assert.deepEqual(lines(turn.actions), ['2 completed true']);
  });

  it('that are cancelled before they are yielded are never asked for', () => {
    const session = classic(function* ({ df }) {
      const timer = df.createTimer(new Date(START_AT));
      timer.cancel();
      yield df.Task.any([timer, df.callActivity('A')]);
    });

    assert.deepEqual(lines(live(session, executionStarted()).actions), ['2 activity A()']);
  });
});

describe('sub-orchestrations', () => {
  it('get an id from the execution and their action, or the given one', () => {
    const session = classic(function* ({ df }) {
      yield df.Task.all([df.callSubOrchestrator('C', 1), df.callSubOrchestrator('D', 2, 'mine')]);
      return 'end';
    });

    const first = live(session, executionStarted());
    const last = live(session, childCompleted(2), childCompleted(1));

    assert.deepEqual(lines(first.actions), [
      `1 child C(1) ${IDS.executionId}:0001`,
      '2 child D(2) mine',
    ]);
    assert.deepEqual(lines(last.actions), ['3 completed "end"']);
  });

  it('get the given version, or the default one', () => {
    const handler: ClassicHandler = function* ({ df }) {
      yield df.Task.all([
        df.callSubOrchestrator('C', undefined, undefined, '9'),
        df.callSubOrchestrator('D'),
      ]);
    };
    const session = classic(handler, {
      createContext: (engine) => ({
        df: new ClassicOrchestrationContext(engine, { defaultVersion: '1', locking }),
      }),
    });

    const versions = live(session, executionStarted()).actions.map(
      ({ orchestratorActionType: type }) =>
        type.case === 'createSubOrchestration' ? type.value.version : type.case,
    );

    assert.deepEqual(versions, ['9', '1']);
  });
});

describe('lazy calls made without a context', () => {
  it('are scheduled when they are yielded', () => {
    const session = classic(function* () {
      yield createLazyActivityTask('A', 1);
      yield createLazySubOrchestrationTask('C', { input: 2, instanceId: 'child' });
      yield createLazySubOrchestrationTask('D').withRetry(RETRY);
    });

    assert.deepEqual(lines(live(session, executionStarted()).actions), ['1 activity A(1)']);
    assert.deepEqual(lines(live(session, taskCompleted(1)).actions), ['2 child C(2) child']);
    assert.deepEqual(lines(live(session, childCompleted(2)).actions), [
      `3 child D() ${IDS.executionId}:0003`,
    ]);
  });

  it('refuse withRetry after they were yielded', () => {
    const texts: string[] = [];
    const session = classic(function* () {
      for (const task of [createLazyActivityTask('A'), createLazySubOrchestrationTask('C')]) {
        yield task;
        assert.throws(
          () => task.withRetry(RETRY),
          (error: Error) => texts.push(error.message) > 0,
        );
      }
    });
    live(session, executionStarted());
    live(session, taskCompleted(1));
    live(session, childCompleted(2));

    assert.match(texts[0] ?? '', /^Invalid use of `\.withRetry`: .*to call activity A has already/);
    assert.match(texts[1] ?? '', /to call subOrchestrator C has already been scheduled/);
  });

  it('belong to the orchestration that yielded them first', () => {
    const shared = createLazyActivityTask('A');
    const handler: ClassicHandler = function* () {
      yield shared;
    };
    live(classic(handler), executionStarted());

    const { actions } = live(classic(handler), executionStarted());

    assert.match(
      lines(actions)[0] ?? '',
      /OrchestratorConstraintError: A task that belongs to another/,
    );
  });
});
