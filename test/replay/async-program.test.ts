import assert from 'node:assert/strict';
import { executionStarted, taskCompleted, taskFailed, turnStarted } from './support/events.ts';
import { core, lines, liveLater } from './support/orchestrators.ts';

const never = (): Promise<never> => new Promise(() => undefined);

describe('async orchestrators', () => {
  it('may be async functions that only compute', async () => {
    const session = core(async (context, input) => {
      await Promise.resolve();
      return [context.instanceId, input];
    });

    const { actions } = await liveLater(session, executionStarted({ input: '1' }));

    assert.deepEqual(lines(actions), ['1 completed ["instance-1",1]']);
  });

  it('may be async functions that return a generator', async () => {
    const session = core((context) =>
      Promise.resolve(
        (function* (): Generator {
          return (yield context.callActivity('A')) as unknown;
        })(),
      ),
    );
    await liveLater(session, executionStarted());

    const { actions } = await liveLater(session, taskCompleted(1, 'a'));

    assert.deepEqual(lines(actions), ['2 completed "a"']);
  });

  it('fail the execution when they reject', async () => {
    const rejecting = core(() => Promise.reject(new RangeError('no')));
    const throwing = core(async function* (context): AsyncGenerator {
      await Promise.resolve();
      yield context.callActivity('A');
    });
    await liveLater(throwing, executionStarted());

    const rejected = await liveLater(rejecting, executionStarted());
    const thrown = await liveLater(throwing, taskFailed(1, { errorMessage: 'broken' }));

    assert.deepEqual(lines(rejected.actions), ['1 failed RangeError: no']);
    assert.deepEqual(lines(thrown.actions), [
      '2 failed TaskFailedError: Activity task #1 failed: broken',
    ]);
  });

  it('fail the execution when they yield something else than a task', async () => {
    const session = core(async function* (): AsyncGenerator {
      yield await Promise.resolve(1);
    });

    const { actions } = await liveLater(session, executionStarted());

    assert.match(lines(actions)[0] ?? '', /programming constraint violation: .* of type number/);
  });

  it('may wait for other promises within the limit', async () => {
    const gate = Promise.withResolvers<string>();
    let isAborted = false;
    const session = core(
      async function* (context): AsyncGenerator {
        const value = await gate.promise;
        yield context.callActivity('A', value);
      },
      {
        delay: (_, signal) => {
          const { promise, reject } = Promise.withResolvers<undefined>();
          signal.addEventListener('abort', () => {
            isAborted = true;
            reject(signal.reason as Error);
          });
          gate.resolve('outside');
          return promise;
        },
      },
    );

    const { actions } = await liveLater(session, executionStarted());

    assert.deepEqual([lines(actions), isAborted], [['1 activity A("outside")'], true]);
  });

  it('fail the execution when they wait for longer than the limit', async () => {
    const waits: number[] = [];
    const session = core(never, {
      delay: (ms) => {
        waits.push(ms);
        return Promise.resolve();
      },
    });

    const { actions } = await liveLater(session, executionStarted());

    assert.match(
      lines(actions)[0] ?? '',
      /^1 failed NonDurableWaitError: Orchestrator 'Test' waited for more than 5000 ms for something that is not durable/,
    );
    assert.deepEqual(waits, [5000]);
  });

  it('start no timer while they wait for tasks only', async () => {
    const delays: number[] = [];
    const session = core(
      async function* (context): AsyncGenerator {
        await Promise.resolve();
        yield context.callActivity('A');
        await Promise.resolve();
        return 'end';
      },
      {
        delay: (ms) => {
          delays.push(ms);
          return never();
        },
      },
    );
    await liveLater(session, executionStarted());

    const { actions } = await liveLater(session, taskCompleted(1));

    assert.deepEqual([lines(actions), delays], [['2 completed "end"'], []]);
  });

  it('take every event of a turn in order', async () => {
    const session = core(async function* (context): AsyncGenerator {
      const seen: unknown[] = [];
      await Promise.resolve();
      for (const name of ['A', 'B', 'C']) seen.push(yield context.callActivity(name, seen.length));
      return seen;
    });
    const history = [
      turnStarted(),
      executionStarted(),
      taskCompleted(1, 'a'),
      taskCompleted(2, 'b'),
    ];

    const { actions } = await session.turn({ pastEvents: [], newEvents: history });

    assert.deepEqual(lines(actions).at(-1), '3 activity C(2)');
  });
});
