import assert from 'node:assert/strict';
import { EntityInstanceId, TaskHubClient } from '../../src/client/index.ts';
import type { RunningScheduler } from '../../src/server/index.ts';
import { openScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import type { CoreOrchestrationContext, TaskHubWorkerOptions } from '../../src/worker/index.ts';
import { TaskHubWorker } from '../../src/worker/index.ts';
import { MeteredConnection } from './support/metered-connection.ts';

interface Metered {
  readonly worker: TaskHubWorker;
  readonly meter: MeteredConnection;
}

describe('states of entities on their way to a worker', function () {
  this.timeout(30_000);
  let scheduler: RunningScheduler;
  let client: TaskHubClient;
  const workers: TaskHubWorker[] = [];
  let ids = 0;

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

  async function start(options: TaskHubWorkerOptions = {}): Promise<Metered> {
    const meter = new MeteredConnection({ endpoint: scheduler.grpcEndpoint });
    const worker = new TaskHubWorker({ connection: meter, ...options });
    worker.addNamedEntity('Text', () => ({
      run: ({ name, state, getInput }) => {
        const text = state.getState<string>() ?? '';
        if (name === 'delete') state.setState(null);
        else if (name === 'append') state.setState(text + (getInput<string>() ?? ''));
        return text.length;
      },
    }));
    worker.addNamedOrchestrator(
      'Call',
      function* (
        context: CoreOrchestrationContext,
        calls: readonly (readonly [string, string, string?])[],
      ) {
        const results: unknown[] = [];
        for (const [key, operation, input] of calls) {
          const id = new EntityInstanceId('Text', key);
          results.push(yield context.entities.callEntity(id, operation, input));
        }
        return results;
      },
    );
    workers.push(worker);
    await worker.connected();
    return { worker, meter };
  }

  const freshKey = (): string => {
    ids += 1;
    return `k${ids}`;
  };

  /** Calls one after the other; what they returned. */
  async function call(...calls: readonly (readonly [string, string, string?])[]): Promise<unknown> {
    const id = await client.scheduleNewOrchestration('Call', calls);
    const state = await client.waitForOrchestrationCompletion(id, true, 20);
    return JSON.parse(state?.serializedOutput ?? 'null');
  }

  async function textOf(key: string): Promise<string | undefined> {
    return (await client.getEntity<string>(new EntityInstanceId('Text', key)))?.state;
  }

  const large = 'x'.repeat(100_000);
  const appends = (key: string, count: number) =>
    Array.from({ length: count }, () => [key, 'append', 'y'] as const);

  it('cost nothing after the first batch: the bytes do not grow with the state', async () => {
    const { meter } = await start();
    const [small, big] = [freshKey(), freshKey()];
    await call([small, 'append', 'a'], [big, 'append', large]);
    meter.batches.length = 0;
    await call(...appends(small, 10), ...appends(big, 10));

    const bytesOf = (key: string): number[] =>
      meter.batches.filter((batch) => batch.instanceId === `@text@${key}`).map((b) => b.bytes);
    assert.equal(bytesOf(big).length, 10);
    for (const bytes of bytesOf(big)) assert.ok(bytes < 700, `a batch took ${bytes} bytes`);
    assert.ok(Math.max(...bytesOf(big)) - Math.min(...bytesOf(small)) < 50);
    assert.deepEqual([meter.forgotten, await textOf(big)], [0, `${large}yyyyyyyyyy`]);
  });

  it('travel with each batch to a worker that keeps none', async () => {
    const { meter } = await start({ cachedEntityBytesMax: 0 });
    const key = freshKey();
    await call([key, 'append', 'a'], ...appends(key, 3));

    assert.deepEqual(
      meter.batches.map(({ hasState }) => hasState),
      [false, true, true, true],
    );
    assert.equal(meter.forgotten, 0);
  });

  it('are asked for by a worker that had to forget, and no operation is lost or run twice', async () => {
    // Room for one of the two.
    const { meter } = await start({ cachedEntityBytesMax: 300_000 });
    const [one, two] = [freshKey(), freshKey()];
    await call([one, 'append', large], [two, 'append', large]);
    const turns = Array.from({ length: 6 }, (_, turn) => [
      turn % 2 === 0 ? one : two,
      'append',
      'y',
    ]);
    await call(...(turns as [string, string, string][]));

    assert.ok(meter.forgotten > 0);
    assert.deepEqual([await textOf(one), await textOf(two)], [`${large}yyy`, `${large}yyy`]);
  });

  it('come along for a worker that takes over, and are not taken from one that had them before', async () => {
    const key = freshKey();
    const entity = { workItemFilters: { entities: [{ name: 'text' }] } };
    const other = { workItemFilters: { orchestrations: [{ name: 'Call' }] } };
    await start(other);
    const one = await start(entity);
    await call([key, 'append', 'a'], [key, 'append', 'b']);
    await one.worker.stop();
    const two = await start(entity);
    await call([key, 'append', 'c'], [key, 'append', 'd']);
    const three = await start(entity);
    await two.worker.stop();
    await call([key, 'append', 'e']);

    assert.equal(await textOf(key), 'abcde');
    const sent = [one, two, three].map(({ meter }) => meter.batches.map((batch) => batch.hasState));
    assert.deepEqual(sent, [[false, false], [true, false], [true]]);
  });

  it('are those of the other worker where two take turns', async () => {
    // An entity of its own holds the only place of a worker until it is told to go on.
    let taken = Promise.withResolvers<undefined>();
    let gate = Promise.withResolvers<undefined>();
    const startBusy = async (hog: string): Promise<Metered> => {
      const entities = [{ name: 'text' }, { name: hog }];
      const started = await start({ maxConcurrentEntities: 1, workItemFilters: { entities } });
      started.worker.addNamedEntity(hog, () => ({
        run: () => {
          taken.resolve(undefined);
          return gate.promise;
        },
      }));
      return started;
    };
    await start({ workItemFilters: { orchestrations: [{ name: 'Call' }] } });
    const [one, two] = [await startBusy('one'), await startBusy('two')];
    const key = freshKey();
    for (const busy of ['one', 'two', 'one', 'two', 'one']) {
      await client.signalEntity(new EntityInstanceId(busy, 'hog'), 'wait');
      await taken.promise;
      await call([key, 'append', busy.slice(0, 1)], [key, 'append', '.']);
      gate.resolve(undefined);
      taken = Promise.withResolvers();
      gate = Promise.withResolvers();
    }

    assert.equal(await textOf(key), 'o.t.o.t.o.');
    const sent = [one, two].map(({ meter }) =>
      meter.batches.filter(({ instanceId }) => instanceId === `@text@${key}`),
    );
    assert.deepEqual(
      sent.map((batches) => batches.map(({ hasState }) => hasState)),
      [
        [true, false, true, false],
        [false, false, true, false, true, false],
      ],
    );
  });

  it('are those of before where the scheduler did not take what a batch left', async () => {
    const { meter } = await start();
    const key = freshKey();
    const half = 'x'.repeat(600_000);
    assert.deepEqual(await call([key, 'append', half]), [0]);
    assert.equal(await call([key, 'append', half]), null);

    assert.deepEqual(await call([key, 'append', 'y'], [key, 'length']), [600_000, 600_001]);
    assert.equal(await textOf(key), `${half}y`);
    assert.equal(meter.forgotten, 0);
  });

  it('are gone with the entity: one that comes back begins with none', async () => {
    const { meter } = await start();
    const key = freshKey();
    const lengths = await call(
      [key, 'append', 'abc'],
      [key, 'delete'],
      [key, 'length'],
      [key, 'append', 'de'],
      [key, 'length'],
    );
    await client.purgeOrchestration(`@text@${key}`);

    assert.deepEqual(lengths, [0, 3, 0, 0, 2]);
    assert.deepEqual(await call([key, 'length']), [0]);
    assert.equal(meter.forgotten, 0);
  });
});
