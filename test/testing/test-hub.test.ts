import assert from 'node:assert/strict';
import type { OrchestrationContext, Task } from 'durable-functions';
import * as df from '../../src/index.ts';
import { durableRegistry } from '../../src/functions/registry.ts';
import { Random, TestHub } from '../../src/testing/index.ts';
import type { TestHubOptions } from '../../src/testing/index.ts';
import type { CoreOrchestrationContext } from '../../src/replay/core-context.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const STARTED_AT = Date.UTC(2026, 0, 1);

type Classic = Generator<Task, unknown, never>;

function inDays(context: OrchestrationContext, days: number): Date {
  return new Date(context.df.currentUtcDateTime.getTime() + days * DAY_MS);
}

function* remind(context: OrchestrationContext): Classic {
  yield context.df.createTimer(inDays(context, 30));
  return yield context.df.callActivity('send', 'pay');
}

function* approve(context: OrchestrationContext): Classic {
  const decision = context.df.waitForExternalEvent('decision');
  const timer = context.df.createTimer(inDays(context, 3));
  const winner: Task = yield context.df.Task.any([decision, timer]);
  if (winner === timer) return 'escalated';
  timer.cancel();
  return decision.result;
}

describe('TestHub', () => {
  let opened: TestHub | undefined;

  async function open(options: TestHubOptions = {}): Promise<TestHub> {
    opened = await TestHub.open(options);
    return opened;
  }

  afterEach(async () => {
    await opened?.close();
    opened = undefined;
    durableRegistry().orchestrators.clear();
    durableRegistry().activities.clear();
  });

  it('runs an orchestration with a timer of thirty days without waiting for it', async () => {
    const hub = await open({
      orchestrators: { remind },
      activities: { send: (text: string) => `sent ${text}` },
    });

    const result = await hub.run('remind');

    assert.deepEqual([result.runtimeStatus, result.output], ['Completed', 'sent pay']);
    assert.equal(hub.now.getTime(), STARTED_AT + 30 * DAY_MS);
  });

  it('lets no timer fire before the test moves the clock as far', async () => {
    const hub = await open({ orchestrators: { approve } });
    const id = await hub.client.scheduleNewOrchestration('approve');
    const statusOf = async (): Promise<unknown> =>
      (await hub.client.getOrchestrationState(id))?.serializedOutput;

    await hub.advance({ days: 2, hours: 23, minutes: 59, seconds: 59 });
    const before = await statusOf();
    await hub.advance(1000);

    assert.deepEqual([before, await statusOf()], [undefined, '"escalated"']);
  });

  it('has what happens on the way happen at its own time', async () => {
    const seen: string[] = [];
    const hub = await open({
      orchestrators: {
        *monitor(context: OrchestrationContext): Classic {
          for (let day = 0; day < 3; day += 1) {
            yield context.df.createTimer(inDays(context, 1));
            seen.push(context.df.currentUtcDateTime.toISOString().slice(0, 10));
          }
          return undefined;
        },
      },
    });
    await hub.client.scheduleNewOrchestration('monitor');

    await hub.advance({ days: 30 });

    assert.deepEqual(seen, ['2026-01-02', '2026-01-03', '2026-01-04']);
    assert.equal(hub.now.toISOString(), '2026-01-31T00:00:00.000Z');
  });

  it('takes events while the clock stands still', async () => {
    const hub = await open({ orchestrators: { approve } });
    const id = await hub.client.scheduleNewOrchestration('approve');
    await hub.client.raiseOrchestrationEvent(id, 'decision', 'yes');

    const result = await hub.complete(id);

    assert.equal(result.output, 'yes');
    assert.equal(hub.now.getTime(), STARTED_AT);
  });

  it('refuses to wait for what no timer brings', async () => {
    const hub = await open({
      orchestrators: {
        *waits(context: OrchestrationContext): Classic {
          return yield context.df.waitForExternalEvent('never');
        },
      },
    });

    await assert.rejects(hub.run('waits', undefined, { instanceId: 'w' }), {
      code: 'WRONG_STATE',
      message:
        "Instance 'w' (waits) is RUNNING and waits for something that no timer brings: raise the event " +
        'that it waits for, resume or terminate it.',
    });
  });

  it('serves what an app has registered through df.app', async () => {
    const hello = df.app.activity('hello', { handler: (name: string) => `Hello ${name}` });
    df.app.orchestration('greet', function* (context, name: string) {
      const options = new df.RetryOptions(60_000, 3);
      const tasks = [hello(name).withRetry(options)];
      yield context.df.Task.all(tasks);
      return tasks[0]?.result;
    });
    const hub = await open({ includesApp: true });

    const result = await hub.run('greet', 'Tokyo');

    assert.equal(result.output, 'Hello Tokyo');
  });

  it('repeats a failing activity as its retry options say, on the moved clock', async () => {
    let attempts = 0;
    const hub = await open({
      orchestrators: {
        *stubborn(context: OrchestrationContext): Classic {
          const options = new df.RetryOptions(3_600_000, 3);
          return yield context.df.callActivityWithRetry('flaky', options);
        },
      },
      activities: {
        flaky: () => {
          attempts += 1;
          if (attempts < 3) throw new Error('not yet');
          return attempts;
        },
      },
    });

    const result = await hub.run('stubborn');

    assert.equal(result.output, 3);
    assert.equal(hub.now.getTime(), STARTED_AT + 2 * 3_600_000);
  });

  it('serves core-style code that is registered with its worker', async () => {
    const hub = await open();
    hub.worker.addNamedActivity('add', (_context, [one, other]: [number, number]) => one + other);
    hub.worker.addNamedOrchestrator(
      'sum',
      async function* (context: CoreOrchestrationContext, numbers: [number, number]) {
        yield context.createTimer(3600);
        return (yield context.callActivity('add', numbers)) as unknown;
      },
    );

    const result = await hub.run('sum', [1, 2]);

    assert.equal(result.output, 3);
  });

  it('waits for activities, which run in real time', async () => {
    const hub = await open({
      orchestrators: {
        *slow(context: OrchestrationContext): Classic {
          return yield context.df.callActivity('turns');
        },
      },
      activities: {
        turns: async () => {
          for (let turn = 0; turn < 300; turn += 1) await new Promise(setImmediate);
          return 'done';
        },
      },
    });

    assert.equal((await hub.run('slow')).output, 'done');
  });

  it('gives up on an activity that takes longer than its patience', async () => {
    const stuck = Promise.withResolvers<string>();
    const hub = await open({
      patienceMs: 20,
      orchestrators: {
        *slow(context: OrchestrationContext): Classic {
          return yield context.df.callActivity('hangs');
        },
      },
      activities: { hangs: () => stuck.promise },
    });

    await assert.rejects(hub.run('slow'), { code: 'UNAVAILABLE', message: /larger patienceMs/ });

    stuck.resolve('late');
    await hub.idle();
  });

  it('says why an orchestration failed', async () => {
    const hub = await open({
      orchestrators: {
        *fails(context: OrchestrationContext): Classic {
          return yield context.df.callActivity('missing');
        },
      },
    });

    const { runtimeStatus, output, failure } = await hub.run('fails');

    assert.deepEqual([runtimeStatus, output], ['Failed', undefined]);
    assert.match(failure?.message ?? '', /missing/);
  });

  it('starts no delayed orchestration before its time', async () => {
    const hub = await open({ orchestrators: { later: () => 'ran' } });
    const startAt = new Date(STARTED_AT + DAY_MS);
    const id = await hub.client.scheduleNewOrchestration('later', undefined, { startAt });

    const result = await hub.complete(id);

    assert.deepEqual([result.output, hub.now], ['ran', startAt]);
  });

  it('gives the same ids for the same seed', async () => {
    const orchestrators = { plain: () => 1 };
    const first = await open({ orchestrators, seed: 7 });
    const one = await first.run('plain');
    await first.close();
    const second = await open({ orchestrators, seed: 7 });

    const other = await second.run('plain');

    assert.equal(other.instanceId, one.instanceId);
  });

  it('comes to the same end when the store is away now and then', async () => {
    const random = new Random(11);
    let refused = 0;
    const hub = await open({
      storeFails: () => {
        const fails = random.chance(0.3);
        refused += Number(fails);
        return fails;
      },
      orchestrators: {
        *all(context: OrchestrationContext): Classic {
          const ids = Array.from({ length: 5 }, (_, id) => id);
          yield context.df.createTimer(inDays(context, 1));
          return yield context.df.Task.all(ids.map((id) => context.df.callActivity('double', id)));
        },
      },
      activities: { double: (id: number) => 2 * id },
    });

    const result = await hub.run('all');

    assert.deepEqual(result.output, [0, 2, 4, 6, 8]);
    assert.ok(refused > 0);
  });

  it('moves its clock forward only', async () => {
    const hub = await open();

    await assert.rejects(hub.advance(-1), { code: 'INVALID_ARGUMENT' });
    await assert.rejects(hub.advance({ days: Number.NaN }), { code: 'INVALID_ARGUMENT' });
    await assert.rejects(hub.advanceTo(new Date('?')), { code: 'INVALID_ARGUMENT' });
  });

  it('answers clients that wait while the test moves the clock', async () => {
    const hub = await open({ orchestrators: { approve } });
    const id = await hub.client.scheduleNewOrchestration('approve');
    const waiting = hub.client.waitForOrchestrationCompletion(id);

    await hub.advance({ days: 3 });

    assert.equal((await waiting)?.serializedOutput, '"escalated"');
  });

  it('ends the calls of a client that is closed, of one that gives up and of one that is late', async () => {
    const hub = await open({ orchestrators: { approve } });
    const id = await hub.client.scheduleNewOrchestration('approve');
    const givingUp = new AbortController();
    const reason = new Error('enough');

    const given = hub.client.waitForOrchestrationCompletion(id, true, { signal: givingUp.signal });
    const late = hub.client.waitForOrchestrationCompletion(id, true, { timeoutMs: 5 });
    const closed = hub.client.waitForOrchestrationCompletion(id);
    givingUp.abort(reason);

    await assert.rejects(given, reason);
    await assert.rejects(late, { name: 'TimeoutError' });
    await hub.client.close();
    await assert.rejects(closed, { code: 'UNAVAILABLE' });
  });

  it('lets an activity of the test answer callHttp, and polls as fast as the clock moves', async () => {
    const answers = [202, 202, 200];
    const headers = { Location: '/job', 'Retry-After': '3600' };
    const hub = await open({
      orchestrators: {
        call: function* (context: OrchestrationContext): Classic {
          return yield context.df.callHttp({ method: 'GET', url: 'https://api.test/' });
        },
      },
      activities: {
        BuiltIn__HttpActivity: () => ({
          ...{ statusCode: answers.shift(), headers, content: '', url: 'https://api.test/' },
        }),
      },
    });

    const { output } = await hub.run('call');

    assert.deepEqual(output, { statusCode: 200, content: '', headers });
    assert.equal(hub.now.getTime(), STARTED_AT + 2 * 3_600_000);
  });
});
