import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import type { TaskHubWorkerOptions } from '../../src/worker/index.ts';
import { TaskHubWorker } from '../../src/worker/index.ts';
import { impatientClock } from './support/impatient-clock.ts';
import { ScriptedScheduler, StatusError } from './support/scripted-scheduler.ts';
import { activity, orchestratorTurn, started, turnStarted } from './support/work-items.ts';

const PING = { request: { case: 'healthPing', value: {} } } as const;

describe('connection of a TaskHubWorker', () => {
  let scheduler: ScriptedScheduler;
  let worker: TaskHubWorker;
  let logged: { level: string; message: string; fields: Record<string, unknown> }[];

  beforeEach(async () => {
    scheduler = await ScriptedScheduler.open();
    logged = [];
  });
  afterEach(async () => {
    await worker.stop();
    scheduler.close();
  });

  function make(options: TaskHubWorkerOptions = {}): TaskHubWorker {
    const at =
      (level: string) =>
      (message: string, fields = {}) =>
        void logged.push({ level, message, fields });
    worker = new TaskHubWorker({
      endpoint: scheduler.endpoint,
      taskHub: 'h',
      clock: impatientClock(),
      logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
      ...options,
    });
    worker.addNamedActivity('Echo', (_, input: unknown) => input);
    return worker;
  }

  async function completed(count: number): Promise<void> {
    await scheduler.until(() => scheduler.requests('completeActivityTask').length >= count);
  }

  it('comes back when the scheduler ends the stream, and is not connected in between', async () => {
    await make().start();
    const first = await scheduler.stream(0);
    first.send(PING);
    await worker.connected();

    first.end();
    const second = await scheduler.stream(1);

    assert.equal(worker.isConnected, false);
    second.send(PING);
    await worker.connected();
    assert.equal(scheduler.requests('hello').length, 2);
    assert.deepEqual(
      logged.filter(({ level }) => level !== 'debug').map(({ message }) => message),
      [
        'connected to the scheduler',
        'lost the connection to the scheduler, reconnecting',
        'connected to the scheduler',
      ],
    );
  });

  it('waits for a scheduler that is not there yet', async () => {
    scheduler.crash();
    await make().start();
    await scheduler.listen();

    (await scheduler.stream()).send(PING);
    await worker.connected();

    assert.equal(worker.isConnected, true);
  });

  it('keeps asking for a task hub that does not exist yet', async () => {
    let isThere = false;
    scheduler.on('hello', () => {
      if (!isThere) throw new StatusError(status.NOT_FOUND, 'Task hub not found: h');
      return {};
    });
    await make().start();
    await scheduler.until(() => scheduler.requests('hello').length > 3);

    isThere = true;
    await scheduler.stream();

    const [warning, ...others] = logged.filter(({ level }) => level === 'warn');
    assert.equal(warning?.fields['code'], 'TASK_HUB_NOT_FOUND');
    assert.deepEqual(others, []);
  });

  it('gives up a stream that is silent for too long and opens another', async () => {
    await make({ silentLimitMs: 30, clock: impatientClock(0) }).start();

    await scheduler.stream(1);

    const [first] = scheduler.streams;
    await scheduler.until(() => first?.isCancelled() === true);
    assert.match(String(logged[0]?.fields['error']), /silent for 30 ms/);
  });

  it('completes on the renewed connection what it ran while the scheduler was away', async () => {
    const gate = Promise.withResolvers<string>();
    const begun = Promise.withResolvers<undefined>();
    make().addNamedActivity('Slow', () => {
      begun.resolve(undefined);
      return gate.promise;
    });
    await worker.start();
    (await scheduler.stream()).send(activity('t1', 'Slow'));
    await begun.promise;
    scheduler.crash();
    gate.resolve('done');
    await scheduler.listen();

    await completed(1);

    assert.equal(scheduler.requests('completeActivityTask')[0]?.result, '"done"');
  });

  it('repeats a completion that got no answer until there is one', async () => {
    let attempts = 0;
    scheduler.on('completeActivityTask', () => {
      attempts += 1;
      if (attempts < 25) throw new StatusError(status.UNAVAILABLE, 'away');
      return {};
    });
    await make().start();
    (await scheduler.stream()).send(activity('t1', 'Echo', '1'));

    await completed(25);

    await worker.stop();
    assert.equal(attempts, 25);
    assert.equal(scheduler.requests('abandonTaskActivityWorkItem').length, 0);
  });

  it('takes a stale token as the end of a lost race, quietly', async () => {
    scheduler.on('completeActivityTask', () => {
      throw new StatusError(status.NOT_FOUND, "Work item 't1' with completion count '0' not found");
    });
    await make().start();
    (await scheduler.stream()).send(activity('t1', 'Echo', '1'));

    await completed(1);
    await worker.stop();

    assert.equal(scheduler.requests('completeActivityTask').length, 1);
    assert.equal(scheduler.requests('abandonTaskActivityWorkItem').length, 0);
    assert.deepEqual(
      logged.filter(({ level }) => level === 'warn' || level === 'error'),
      [],
    );
  });

  it('gives back a work item whose completion is refused for good', async () => {
    scheduler.on('completeActivityTask', () => {
      throw new StatusError(status.INVALID_ARGUMENT, 'no such field');
    });
    await make().start();
    (await scheduler.stream()).send(activity('t1', 'Echo', '1'));

    await scheduler.until(() => scheduler.requests('abandonTaskActivityWorkItem').length === 1);

    assert.equal(scheduler.requests('abandonTaskActivityWorkItem')[0]?.completionToken, 't1');
    assert.equal(scheduler.requests('completeActivityTask').length, 1);
  });

  it('fails an activity whose result is larger than the scheduler takes', async () => {
    scheduler.on('completeActivityTask', ({ result }) => {
      if (result === undefined) return {};
      throw new StatusError(status.RESOURCE_EXHAUSTED, 'message larger than max');
    });
    await make().start();
    (await scheduler.stream()).send(activity('t1', 'Echo', JSON.stringify('x'.repeat(3_950_000))));

    await completed(2);

    const failure = scheduler.requests('completeActivityTask')[1]?.failureDetails;
    assert.equal(failure?.errorType, 'ResultTooLargeError');
    assert.equal(failure.isNonRetriable, true);
  });

  it('tries again when the scheduler is only full for a moment', async () => {
    let attempts = 0;
    scheduler.on('completeActivityTask', () => {
      attempts += 1;
      if (attempts < 6) throw new StatusError(status.RESOURCE_EXHAUSTED, 'queue is full');
      return {};
    });
    await make().start();
    (await scheduler.stream()).send(activity('t1', 'Echo', '1'));

    await completed(6);

    assert.equal(scheduler.requests('completeActivityTask')[5]?.result, '1');
  });

  it('ends the stream and finishes what is in hand when it stops', async () => {
    const gate = Promise.withResolvers<string>();
    make().addNamedActivity('Slow', () => gate.promise);
    await worker.start();
    const stream = await scheduler.stream();
    stream.send(activity('t1', 'Slow'));
    stream.send(activity('t2', 'Echo', '2'));
    await completed(1);

    const stopped = worker.stop();
    await scheduler.until(() => stream.isCancelled());
    gate.resolve('late');
    await stopped;

    assert.equal(scheduler.requests('completeActivityTask')[1]?.result, '"late"');
    assert.equal(scheduler.requests('abandonTaskActivityWorkItem').length, 0);
  });

  it('aborts and gives back what is not done by the drain timeout', async () => {
    let signal: AbortSignal | undefined;
    make({ drainTimeoutMs: 20 }).addNamedActivity('Endless', (context) => {
      signal = context.signal;
      return new Promise(() => undefined);
    });
    await worker.start();
    const stream = await scheduler.stream();
    stream.send(activity('t1', 'Endless'));
    stream.send(activity('t2', 'Echo', '2'));
    await completed(1);

    await worker.stop();

    assert.equal(signal?.aborted, true);
    assert.equal(scheduler.requests('abandonTaskActivityWorkItem')[0]?.completionToken, 't1');
    assert.equal(scheduler.requests('completeActivityTask').length, 1);
  });

  it('stops at once when it was never started or has nothing in hand', async () => {
    await make().stop();
    await worker[Symbol.asyncDispose]();

    await assert.rejects(worker.start(), { code: 'WRONG_STATE' });
  });

  it('asks only for what is registered when its filters are automatic', async () => {
    make({ workItemFilters: 'auto' });
    worker.addNamedActivity('Versioned', () => 1, { version: '1' });
    worker.addNamedActivity('Versioned', () => 2, { version: '2' });
    await worker.start();

    const { request } = await scheduler.stream();

    assert.deepEqual(
      request.workItemFilters?.activities.map(({ name, versions }) => ({ name, versions })),
      [
        { name: 'Echo', versions: [] },
        { name: 'Versioned', versions: ['1', '2'] },
      ],
    );
    assert.deepEqual(request.workItemFilters.orchestrations, []);
  });

  it('fetches a history that is too long for the work item', async () => {
    scheduler.on('streamInstanceHistory', () => ({
      events: [turnStarted(1_000), started('Input', '"from history"')],
    }));
    make().addNamedOrchestrator('Input', (_, input: unknown) => input);
    await worker.start();
    const item = orchestratorTurn('t1', [turnStarted(2_000)]);
    (await scheduler.stream()).send({
      ...item,
      request: {
        ...item.request,
        value: { ...item.request.value, requiresHistoryStreaming: true },
      },
    });

    await scheduler.until(() => scheduler.requests('completeOrchestratorTask').length === 1);

    const [fetch] = scheduler.requests('streamInstanceHistory');
    assert.equal(fetch?.forWorkItemProcessing, true);
    const [action] = scheduler.requests('completeOrchestratorTask')[0]?.actions ?? [];
    assert.equal(action?.orchestratorActionType.case, 'completeOrchestration');
    assert.equal(action.orchestratorActionType.value.result, '"from history"');
  });

  it('gives an orchestration back whose history it cannot fetch', async () => {
    scheduler.on('streamInstanceHistory', () => {
      throw new StatusError(status.FAILED_PRECONDITION, 'stale execution');
    });
    await make().start();
    const item = orchestratorTurn('t1', [turnStarted(2_000)]);
    (await scheduler.stream()).send({
      ...item,
      request: {
        ...item.request,
        value: { ...item.request.value, requiresHistoryStreaming: true },
      },
    });

    await scheduler.until(() => scheduler.requests('abandonTaskOrchestratorWorkItem').length === 1);

    assert.equal(scheduler.requests('completeOrchestratorTask').length, 0);
  });

  it('asks for the history when it was left out for a session that is gone', async () => {
    await make().start();
    (await scheduler.stream()).send(orchestratorTurn('t1', [turnStarted(2_000)]));

    await scheduler.until(() => scheduler.requests('completeOrchestratorTask').length === 1);

    const [response] = scheduler.requests('completeOrchestratorTask');
    assert.equal(response?.requiresHistory, true);
    assert.deepEqual(response.actions, []);
  });

  for (const [name, value] of [
    ['maxConcurrentActivities', 0],
    ['drainTimeoutMs', -1],
    ['silentLimitMs', 1.5],
  ] as const) {
    it(`refuses ${name} = ${value}`, () => {
      make();
      assert.throws(
        () => new TaskHubWorker({ endpoint: 'http://h:1', taskHub: 'h', [name]: value }),
        {
          code: 'INVALID_ARGUMENT',
          message: new RegExp(`^${name} must be a whole number`),
        },
      );
    });
  }
});
