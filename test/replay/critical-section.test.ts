import assert from 'node:assert/strict';
import { EntityInstanceId } from '../../src/core/entity-instance-id.ts';
import type { LockState } from '../../src/replay/classic-entities.ts';
import type { CriticalSectionInfo, LockHandle } from '../../src/replay/core-entities.ts';
import type { TurnResult } from '../../src/replay/session.ts';
import { requestIdOf } from './support/entity-ids.ts';
import {
  committed,
  executionStarted,
  lockGranted,
  operationCompleted,
  taskCompleted,
  terminated,
  turnStarted,
} from './support/events.ts';
import { classic, core, lines, live, now } from './support/orchestrators.ts';
import type { ClassicHandler, CoreHandler } from './support/orchestrators.ts';

const a = new EntityInstanceId('acct', 'a');
const b = new EntityInstanceId('acct', 'b');
const c = new EntityInstanceId('acct', 'c');

interface Released {
  release(): void;
}

/** The session's second turn, in which the lock that action 1 asked for is granted. */
function granted(
  session: ReturnType<typeof classic>,
  ...more: Parameters<typeof live>[1][]
): TurnResult {
  const { actions } = live(session, executionStarted());
  return live(session, lockGranted(requestIdOf(actions, 1)), ...more);
}

/** What each of these calls throws; `undefined` for those that throw nothing. */
function thrownBy(...calls: readonly (() => unknown)[]): (string | undefined)[] {
  return calls.map((call) => {
    try {
      call();
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  });
}

/** Runs a handler inside a granted section of a and b; fails when it did not get to the end. */
function inClassicSection(check: (df: Parameters<ClassicHandler>[0]['df']) => void): void {
  let isReached = false;
  const session = classic(function* ({ df }) {
    yield df.lock(a, b);
    check(df);
    isReached = true;
  });
  granted(session);
  assert.ok(isReached);
}

function inCoreSection(check: (context: Parameters<CoreHandler>[0]) => void): void {
  let isReached = false;
  const session = core(function* (context) {
    yield context.entities.lockEntities(a, b);
    check(context);
    isReached = true;
  });
  granted(session);
  assert.ok(isReached);
}

const locksTwo: ClassicHandler = function* ({ df }) {
  const lock = (yield df.lock(b, a, b)) as Released;
  const left = (yield df.callEntity(a, 'take', 1)) as unknown;
  lock.release();
  yield df.callActivity('after');
  return left;
};

const coreLocksTwo: CoreHandler = function* ({ entities }) {
  const lock = (yield entities.lockEntities(b, a, b)) as LockHandle;
  const left = (yield entities.callEntity(a, 'take', 1)) as unknown;
  lock.release();
  lock.release();
  return left;
};

describe('a critical section of the classic style', () => {
  it('asks for its locks in one order, each once', () => {
    const { actions } = live(classic(locksTwo), executionStarted());

    assert.deepEqual(lines(actions), ['1 lock @acct@a @acct@b']);
  });

  it('goes on once the locks are granted, and lets go of each when released', () => {
    const session = classic(locksTwo);

    const inside = granted(session);
    const after = live(session, operationCompleted(requestIdOf(inside.actions, 2), 9));

    assert.deepEqual(lines(inside.actions), ['2 call @acct@a take(1)']);
    assert.deepEqual(lines(after.actions), [
      '3 unlock @acct@a',
      '4 unlock @acct@b',
      '5 activity after()',
    ]);
    assert.equal(requestIdOf(after.actions, 3), requestIdOf(after.actions, 4));
    assert.deepEqual(lines(live(session, taskCompleted(5)).actions), ['6 completed 9']);
  });

  it('is the same after a replay, under the id that the history holds', () => {
    const first = live(classic(locksTwo), executionStarted());
    const recorded = committed(first.actions);
    const [requested] = recorded;
    assert.equal(requested?.eventType.case, 'entityLockRequested');
    requested.eventType.value.criticalSectionId = 'made-elsewhere';
    const pastEvents = [turnStarted(), executionStarted(), ...recorded];
    const session = classic(locksTwo);

    const second = now(
      session.turn({ pastEvents, newEvents: [turnStarted(), lockGranted('made-elsewhere')] }),
    );
    const third = live(session, operationCompleted(requestIdOf(second.actions, 2), 9));

    assert.deepEqual(lines(second.actions), ['2 call @acct@a take(1)']);
    assert.equal(requestIdOf(third.actions, 3), 'made-elsewhere');
  });

  it('ignores grants that it does not wait for', () => {
    const session = classic(locksTwo);
    live(session, executionStarted());

    assert.deepEqual(lines(live(session, lockGranted('unknown')).actions), []);
  });

  it('takes ids one by one or as a list', () => {
    const asked = ['a', 'b'].map((kind) =>
      classic(function* ({ df }) {
        yield kind === 'a' ? df.lock(a, b) : df.lock([a, b]);
      }),
    );

    assert.deepEqual(
      asked.map((session) => lines(live(session, executionStarted()).actions)),
      [['1 lock @acct@a @acct@b'], ['1 lock @acct@a @acct@b']],
    );
  });

  it('refuses to lock nothing, or what is no entity id', () => {
    const errors: Error[] = [];
    const session = classic(({ df }) => {
      const lock = df.lock.bind(df) as (...given: unknown[]) => unknown;
      for (const given of [[], [[]], [undefined], ['@a@b'], [[a, null]], [{ name: 'x' }]]) {
        try {
          lock(...given);
        } catch (error) {
          errors.push(error as Error);
        }
      }
    });
    live(session, executionStarted());

    assert.deepEqual(
      errors.map(({ name, message }) => `${name}: ${message}`),
      [
        'RangeError: lock requires at least one EntityId',
        'RangeError: lock requires at least one EntityId',
        'RangeError: lock requires at least one EntityId',
        'TypeError: lock expected EntityId[]',
        'TypeError: lock expected EntityId[]',
        'TypeError: lock expected EntityId[]',
      ],
    );
  });

  it('is told from the call of lock to the release', () => {
    const states: LockState[] = [];
    const session = classic(function* ({ df }) {
      states.push(df.isLocked());
      const task = df.lock({ name: 'Acct', key: 'b' }, a);
      states.push(df.isLocked());
      ((yield task) as Released).release();
      states.push(df.isLocked());
    });
    granted(session);

    assert.deepEqual(states, [
      { isLocked: false, ownedLocks: [] },
      { isLocked: true, ownedLocks: [a, { name: 'Acct', key: 'b' }] },
      { isLocked: false, ownedLocks: [] },
    ]);
  });

  it('keeps its rules, in the words of durable-functions', () => {
    inClassicSection((df) => {
      const texts = thrownBy(
        () => df.lock(c),
        () => df.callSubOrchestrator('child'),
        () =>
          df.callSubOrchestratorWithRetry('child', {
            firstRetryIntervalInMilliseconds: 1,
            maxNumberOfAttempts: 1,
          }),
        () => df.callEntity(c, 'get'),
        () => {
          df.signalEntity(a, 'set');
        },
        () => df.callEntity(a, 'get'),
        () => df.callEntity(a, 'get'),
        () => df.callEntity(b, 'get'),
        () => {
          df.signalEntity(c, 'set');
        },
        () => df.callActivity('fine'),
      );

      assert.deepEqual(texts, [
        'Cannot acquire more locks when already holding some locks.',
        'Cannot invoke sub-orchestrations from within a critical section.',
        'Cannot invoke sub-orchestrations from within a critical section.',
        'Cannot call an entity from within a critical section unless it is one of the locked entities.',
        'Cannot signal an entity from within a critical section if the entity is one of the locked entities.',
        undefined,
        'Cannot call the same entity multiple times in parallel within a critical section.',
        undefined,
        undefined,
        undefined,
      ]);
    });
  });

  it('throws its rules as violations', () => {
    inClassicSection((df) => {
      assert.throws(() => df.lock(c), { name: 'LockingViolation' });
    });
  });

  it('lets an entity be called again once a call was answered, or could not be sent', () => {
    const session = classic(function* ({ df }) {
      yield df.lock(a);
      try {
        yield df.callEntity(a, 'bad', 1n);
      } catch {
        yield df.callEntity(a, 'one');
      }
      yield df.callEntity(a, 'two');
    });
    const { actions } = granted(session);

    const turn = live(session, operationCompleted(requestIdOf(actions, 2)));

    assert.deepEqual(lines(turn.actions), ['3 call @acct@a two()']);
  });

  it('may be entered again after the release', () => {
    const session = classic(function* ({ df }) {
      ((yield df.lock(a)) as Released).release();
      yield df.lock(a);
    });

    assert.deepEqual(lines(granted(session).actions), ['2 unlock @acct@a', '3 lock @acct@a']);
  });

  it('ends with the orchestration, however that ends', () => {
    const endings: readonly ClassicHandler[] = [
      function* ({ df }) {
        yield df.lock(a, b);
        return 'done';
      },
      function* ({ df }) {
        yield df.lock(a, b);
        throw new Error('broken');
      },
      function* ({ df }) {
        yield df.lock(a, b);
        df.continueAsNew(1);
      },
    ];

    assert.deepEqual(
      endings.map((handler) => lines(granted(classic(handler)).actions)),
      ['completed "done"', 'failed Error: broken', 'continued 1'].map((ending) => [
        '2 unlock @acct@a',
        '3 unlock @acct@b',
        `4 ${ending}`,
      ]),
    );
  });

  it('ends with a termination', () => {
    const session = classic(function* ({ df }) {
      yield df.lock(a);
      yield df.callActivity('long');
    });

    assert.deepEqual(lines(granted(session, terminated('over')).actions), [
      '3 unlock @acct@a',
      '4 terminated "over"',
    ]);
  });

  it('lets go also after continueAsNew, when everything else is dropped', () => {
    const session = classic(function* ({ df }) {
      const lock = (yield df.lock(a)) as Released;
      df.continueAsNew(1);
      df.signalEntity(c, 'dropped');
      lock.release();
      yield df.callActivity('dropped too');
    });

    assert.deepEqual(lines(granted(session).actions), ['3 unlock @acct@a', '4 continued 1']);
  });

  it('that was not even asked for leaves nothing behind', () => {
    const unasked = classic(({ df }) => {
      df.lock(a);
    });
    const unsent = core(({ entities }) => {
      entities.lockEntities(a);
    });

    assert.deepEqual(lines(live(unasked, executionStarted()).actions), ['1 completed']);
    assert.deepEqual(lines(live(unsent, executionStarted()).actions), ['2 completed']);
  });

  it('leaves a request that was sent to the scheduler, which knows who has ended', () => {
    const session = classic(locksTwo);
    live(session, executionStarted());

    assert.deepEqual(lines(live(session, terminated()).actions), ['2 terminated']);
  });

  it('lets go of its locks when the history does not match the code', () => {
    const handler: ClassicHandler = function* ({ df }) {
      yield df.lock(a);
      yield df.callActivity('A');
    };
    const { actions } = live(classic(handler), executionStarted());
    const pastEvents = [
      turnStarted(),
      executionStarted(),
      ...committed(actions),
      turnStarted(),
      lockGranted(requestIdOf(actions, 1)),
      ...committed(
        live(
          classic(({ df }) => df.signalEntity(c, 'x')),
          executionStarted(),
        ).actions,
      ).map((event) => ({ ...event, eventId: 2 })),
    ];

    const turn = now(classic(handler).turn({ pastEvents, newEvents: [turnStarted()] }));

    assert.deepEqual(
      lines(turn.actions).map((line) => line.slice(0, 28)),
      ['3 unlock @acct@a', '4 failed NonDeterminismError'],
    );
  });
});

describe('a critical section of the core style', () => {
  it('asks, calls and lets go once', () => {
    const session = core(coreLocksTwo);

    const inside = granted(session);
    const after = live(session, operationCompleted(requestIdOf(inside.actions, 2), 9));

    assert.deepEqual(lines(inside.actions), ['2 call @acct@a take(1)']);
    assert.deepEqual(lines(after.actions), [
      '3 unlock @acct@a',
      '4 unlock @acct@b',
      '5 completed 9',
    ]);
  });

  it('is let go of by using', () => {
    const session = core(function* ({ entities }) {
      const lock = (yield entities.lockEntities(a)) as LockHandle;
      lock[Symbol.dispose]();
    });

    assert.deepEqual(lines(granted(session).actions), ['2 unlock @acct@a', '3 completed']);
  });

  it('is told from the call of lockEntities to the release', () => {
    const states: CriticalSectionInfo[] = [];
    const session = core(function* ({ entities }) {
      states.push(entities.isInCriticalSection());
      const task = entities.lockEntities(b, a);
      states.push(entities.isInCriticalSection());
      ((yield task) as LockHandle).release();
      states.push(entities.isInCriticalSection());
    });
    granted(session);

    assert.deepEqual(states, [
      { inSection: false },
      { inSection: true, lockedEntities: [a, b] },
      { inSection: false },
    ]);
  });

  it('keeps its rules, in the words of durabletask-js', () => {
    inCoreSection(({ entities }) => {
      const texts = thrownBy(
        () => entities.lockEntities(c),
        () => entities.callEntity(c, 'get'),
        () => {
          entities.signalEntity(a, 'set');
        },
        () => entities.callEntity(a, 'get'),
        () => entities.callEntity(a, 'get'),
        () => {
          entities.signalEntity(c, 'set');
        },
      );

      assert.deepEqual(texts, [
        'Must not enter another critical section from within a critical section.',
        'Must not call an entity from a critical section if it is not one of the locked entities.',
        'Must not signal a locked entity from a critical section.',
        undefined,
        'Must not call an entity from a critical section while a prior call to the same entity is still pending.',
        undefined,
      ]);
    });
  });

  it('refuses calls before the grant, and to lock nothing', () => {
    let texts: (string | undefined)[] = [];
    const session = core(({ entities }) => {
      texts = thrownBy(
        () => entities.lockEntities(),
        () => entities.lockEntities(a),
        () => entities.callEntity(a, 'get'),
      );
    });
    live(session, executionStarted());

    assert.deepEqual(texts, [
      'The list of entities to lock must not be empty.',
      undefined,
      'Must await the completion of the lock request prior to calling any entity.',
    ]);
  });
});
