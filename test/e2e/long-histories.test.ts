import assert from 'node:assert/strict';
import type { OrchestrationState } from '../../src/client/index.ts';
import { OrchestrationStatus, TaskHubClient } from '../../src/client/index.ts';
import type { RunningScheduler } from '../../src/server/index.ts';
import { openScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import type { CoreOrchestrationContext, TaskHubWorkerOptions } from '../../src/worker/index.ts';
import { TaskHubWorker, whenAll } from '../../src/worker/index.ts';
import { MeteredConnection } from './support/metered-connection.ts';

type Context = CoreOrchestrationContext;

interface Metered {
  readonly worker: TaskHubWorker;
  readonly meter: MeteredConnection;
}

describe('long histories', function () {
  this.timeout(60_000);
  let scheduler: RunningScheduler;
  let client: TaskHubClient;
  const workers: TaskHubWorker[] = [];

  before(async () => {
    const options = { storage: 'memory', grpcPort: 0, httpPort: 0, logger: silentLogger };
    scheduler = await openScheduler(options);
    client = TaskHubClient.open({ endpoint: scheduler.grpcEndpoint, taskHub: 'default' });
  });
  after(async () => {
    await client.close();
    await scheduler.close();
  });
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
  });

  async function start(
    options: TaskHubWorkerOptions & { readonly userAgent?: string } = {},
  ): Promise<Metered> {
    const { userAgent, ...more } = options;
    const meter = new MeteredConnection({
      endpoint: scheduler.grpcEndpoint,
      ...(userAgent !== undefined && { userAgent }),
    });
    const worker = new TaskHubWorker({ connection: meter, ...more });
    register(worker);
    workers.push(worker);
    await worker.connected();
    return { worker, meter };
  }

  function register(worker: TaskHubWorker): void {
    worker.addNamedActivity('Inc', (_, n: number) => n + 1);
    worker.addNamedActivity('Text', (_, length: number) => 'x'.repeat(length));
    worker.addNamedOrchestrator('Count', function* (context: Context, until: number) {
      let n = 0;
      while (n < until) n = (yield context.callActivity('Inc', n)) as number;
      return n;
    });
    worker.addNamedOrchestrator('Sum', function* (context: Context, count: number) {
      let sum = 0;
      for (let n = 0; n < count; n += 1)
        sum += (yield context.waitForExternalEvent('Add')) as number;
      return sum;
    });
    worker.addNamedOrchestrator('Batches', function* (context: Context, batches: number) {
      let sum = 0;
      for (let batch = 0; batch < batches; batch += 1) {
        const tasks = Array.from({ length: 100 }, (_, n) => context.callActivity('Inc', n));
        for (const n of (yield whenAll(tasks)) as number[]) sum += n;
      }
      yield context.waitForExternalEvent('Go');
      return sum;
    });
    worker.addNamedOrchestrator('Large', function* (context: Context, count: number) {
      const tasks = Array.from({ length: count }, () => context.callActivity('Text', 1_000_000));
      const texts = (yield whenAll(tasks)) as string[];
      context.setCustomStatus('read');
      yield context.waitForExternalEvent('Go');
      return texts.reduce((sum, text) => sum + text.length, 0);
    });
  }

  async function ended(id: string): Promise<OrchestrationState> {
    const state = await client.waitForOrchestrationCompletion(id, true, 50);
    assert.equal(state?.runtimeStatus, OrchestrationStatus.COMPLETED);
    return state;
  }

  /** Resolves when the instance has begun so many turns of its own accord. */
  async function historyOf(id: string): Promise<number> {
    return (await Array.fromAsync(client.getOrchestrationHistory(id))).length;
  }

  it('cost a live session nothing: each turn is as small as the ones before', async () => {
    const { meter } = await start();
    const id = await client.scheduleNewOrchestration('Count', 120);
    await ended(id);

    const [first, ...later] = meter.turnsOf(id);
    assert.equal(first?.pastEvents, 0);
    assert.equal(later.length, 120);
    for (const { pastEvents, newEvents, bytes } of later) {
      assert.deepEqual([pastEvents, newEvents], [0, 2]);
      assert.ok(bytes < 400, `a turn took ${bytes} bytes`);
    }
    assert.equal(meter.forgotten, 0);
  });

  it('travel with each turn to a worker that keeps nothing', async () => {
    const { meter } = await start({ cachedOrchestrationsMax: 0 });
    const id = await client.scheduleNewOrchestration('Count', 30);

    assert.equal((await ended(id)).serializedOutput, '30');
    const past = meter.turnsOf(id).map(({ pastEvents }) => pastEvents);
    // Two events begin a history, the first turn adds one, each later turn three.
    assert.deepEqual(past, [0, ...Array.from({ length: 30 }, (_, turn) => 3 * (turn + 1))]);
  });

  it('are replayed once by the worker that takes over, which then keeps them', async () => {
    const first = await start({ drainTimeoutMs: 0 });
    const id = await client.scheduleNewOrchestration('Sum', 6);
    for (const n of [1, 2, 3]) await add(id, n);
    await first.worker.stop();
    const second = await start();
    for (const n of [4, 5, 6]) await add(id, n);

    assert.equal((await ended(id)).serializedOutput, '21');
    const [takenOver, ...later] = second.meter.turnsOf(id);
    assert.ok((takenOver?.pastEvents ?? 0) > 6);
    for (const { pastEvents } of later) assert.equal(pastEvents, 0);
  });

  it('are sent to a worker that knew them once, but not what another did since', async () => {
    // The async orchestrator holds the only place of its worker until it is told to go on.
    const gates = new Map<string, PromiseWithResolvers<undefined>>();
    const hold = { maxConcurrentOrchestrations: 1, nonDurableWaitMs: 50_000 };
    const hog = async (context: Context): Promise<void> => {
      const gate = Promise.withResolvers<undefined>();
      gates.set(context.instanceId, gate);
      await gate.promise;
    };
    const one = await start({ ...hold, workItemFilters: only('Sum', 'HogOne') });
    one.worker.addNamedOrchestrator('HogOne', hog);
    const id = await client.scheduleNewOrchestration('Sum', 3);
    await add(id, 1);

    const busy = await client.scheduleNewOrchestration('HogOne');
    await until(() => gates.has(busy));
    const two = await start({ ...hold, workItemFilters: only('Sum', 'HogTwo') });
    two.worker.addNamedOrchestrator('HogTwo', hog);
    await add(id, 10);
    const busyToo = await client.scheduleNewOrchestration('HogTwo');
    await until(() => gates.has(busyToo));
    gates.get(busy)?.resolve(undefined);
    await ended(busy);
    await client.raiseOrchestrationEvent(id, 'Add', 100);

    assert.equal((await ended(id)).serializedOutput, '111');
    assert.ok((one.meter.turnsOf(id).at(-1)?.pastEvents ?? 0) > 0);
    gates.get(busyToo)?.resolve(undefined);
    await ended(busyToo);
  });

  it('of 10,000 events are replayed and completed', async () => {
    const first = await start({ maxConcurrentActivities: 200 });
    const id = await client.scheduleNewOrchestration('Batches', 50);
    await until(async () => (await historyOf(id)) >= 10_000 && first.worker.workItemCount === 0);
    await first.worker.stop();
    const second = await start();
    await client.raiseOrchestrationEvent(id, 'Go');

    assert.equal((await ended(id)).serializedOutput, String(50 * 5050));
    const [replayed, ...more] = second.meter.turnsOf(id);
    assert.ok((replayed?.pastEvents ?? 0) >= 10_000);
    assert.deepEqual(more, []);
  });

  it('of 6 MB are fetched in parts by a worker that takes messages of 4 MiB only', async () => {
    const first = await start();
    const id = await client.scheduleNewOrchestration('Large', 6);
    await until(
      async () => (await client.getOrchestrationState(id))?.serializedCustomStatus !== undefined,
    );
    await first.worker.stop();
    const second = await start({ userAgent: 'somebody/1.0' });
    await client.raiseOrchestrationEvent(id, 'Go');

    assert.equal((await ended(id)).serializedOutput, '6000000');
    const [replayed] = second.meter.turnsOf(id);
    assert.deepEqual([replayed?.isStreamed, replayed?.pastEvents], [true, 0]);
    const { historyChunks } = second.meter;
    assert.ok(historyChunks.reduce((sum, bytes) => sum + bytes, 0) > 6_000_000);
    assert.ok(Math.max(...historyChunks) < 4 * 1024 * 1024);
  });

  /** Sends a number and waits for the turn that takes it. */
  async function add(id: string, n: number): Promise<void> {
    const before = await historyOf(id);
    await client.raiseOrchestrationEvent(id, 'Add', n);
    await until(async () => (await historyOf(id)) > before + 1);
  }

  async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
    const lateAt = Date.now() + 30_000;
    while (!(await holds())) assert.ok(Date.now() < lateAt, 'it took too long');
  }

  function only(...names: string[]): TaskHubWorkerOptions['workItemFilters'] {
    return { orchestrations: names.map((name) => ({ name })) };
  }
});
