import assert from 'node:assert/strict';
import { PurgeInstanceCriteria } from '@microsoft/durabletask-js';
import type { OrchestrationState } from '../../src/client/index.ts';
import { OrchestrationStatus, TaskHubClient } from '../../src/client/index.ts';
import type { RunningScheduler } from '../../src/server/index.ts';
import { openScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import type { CoreOrchestrationContext } from '../../src/worker/index.ts';
import { TaskHubWorker } from '../../src/worker/index.ts';

const { COMPLETED, FAILED, PENDING, RUNNING, TERMINATED } = OrchestrationStatus;

describe('TaskHubClient on instances', function () {
  this.timeout(20_000);
  let scheduler: RunningScheduler;
  let client: TaskHubClient;
  let worker: TaskHubWorker;
  let isBroken = true;

  before(async () => {
    const options = { storage: 'memory', grpcPort: 0, httpPort: 0, logger: silentLogger };
    scheduler = await openScheduler({ ...options, allowHubRecreate: true });
  });
  after(() => scheduler.close());
  beforeEach(async () => {
    const address = { endpoint: scheduler.grpcEndpoint, taskHub: 'default' };
    client = TaskHubClient.open(address);
    worker = new TaskHubWorker({ ...address, workItemFilters: 'auto' });
    await client.createTaskHub({ recreateIfExists: true });
    isBroken = true;
    worker.addNamedOrchestrator('Echo', (_: CoreOrchestrationContext, input: unknown) => input);
    worker.addNamedOrchestrator('Wait', function* (context: CoreOrchestrationContext) {
      return (yield context.waitForExternalEvent('Go')) as unknown;
    });
    worker.addNamedOrchestrator('Parent', function* (context: CoreOrchestrationContext) {
      return (yield context.callSubOrchestrator('Flaky', 7, { instanceId: 'child' })) as unknown;
    });
    worker.addNamedOrchestrator('Flaky', function* (context: CoreOrchestrationContext, n: number) {
      return (yield context.callActivity('Fix', n)) as unknown;
    });
    worker.addNamedActivity('Fix', (_, n: number) => {
      if (isBroken) throw new Error('still broken');
      return n * 2;
    });
    await worker.start();
  });
  afterEach(async () => {
    await worker.stop();
    await client.close();
  });

  async function ended(id: string): Promise<OrchestrationState> {
    const state = await client.waitForOrchestrationCompletion(id, true, 15);
    assert.ok(state !== undefined);
    return state;
  }

  async function echo(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, (_, n) => `e-${String(n).padStart(2, '0')}`);
    for (const id of ids) {
      await client.scheduleNewOrchestration('Echo', id, id);
      await ended(id);
    }
    return ids;
  }

  it('lists every instance once, item by item or page by page', async () => {
    const ids = await echo(7);

    const items = await Array.fromAsync(client.getAllInstances({ pageSize: 3 }));
    const pages = await Array.fromAsync(client.getAllInstances().asPages(undefined, 3));

    assert.deepEqual(
      items.map(({ instanceId }) => instanceId),
      ids,
    );
    assert.deepEqual(
      pages.map(({ values }) => values.length),
      [3, 3, 1],
    );
    assert.deepEqual(
      pages.map(({ hasMoreResults }) => hasMoreResults),
      [true, true, false],
    );
    assert.equal(items[0]?.serializedOutput, undefined);
  });

  it('goes on at the token of an earlier page', async () => {
    const ids = await echo(5);
    const [first] = await Array.fromAsync(client.getAllInstances({ pageSize: 2 }).asPages());

    const continuationToken = first?.continuationToken;
    const rest = await Array.fromAsync(client.getAllInstances({ continuationToken }));

    assert.deepEqual(
      rest.map(({ instanceId }) => instanceId),
      ids.slice(2),
    );
  });

  it('filters by status, time and prefix, and fetches payloads on demand', async () => {
    await echo(2);
    await client.scheduleNewOrchestration('Wait', undefined, 'w');
    await client.waitForOrchestrationStart('w');
    const idsOf = async (query: Parameters<TaskHubClient['getAllInstances']>[0]) =>
      (await Array.fromAsync(client.getAllInstances(query))).map(({ instanceId }) => instanceId);

    assert.deepEqual(await idsOf({ statuses: [RUNNING] }), ['w']);
    assert.deepEqual(await idsOf({ instanceIdPrefix: 'e-' }), ['e-00', 'e-01']);
    assert.deepEqual(await idsOf({ createdTo: new Date(0) }), []);
    assert.deepEqual(await idsOf({ createdFrom: new Date(0), statuses: [COMPLETED] }), [
      'e-00',
      'e-01',
    ]);
    assert.deepEqual(await idsOf({ taskHubNames: ['another'] }), []);
    const [full] = await Array.fromAsync(
      client.getAllInstances({ fetchInputsAndOutputs: true, instanceIdPrefix: 'e-00' }),
    );
    assert.equal(full?.serializedOutput, '"e-00"');
  });

  it('stops listing when its signal says so', async () => {
    await echo(3);
    const stop = new AbortController();
    const reason = new Error('seen enough');

    const listing = (async () => {
      for await (const page of client
        .getAllInstances({ pageSize: 1, signal: stop.signal })
        .asPages()) {
        assert.equal(page.values.length, 1);
        stop.abort(reason);
      }
    })();

    await assert.rejects(listing, reason);
  });

  it('refuses a page size that is none, naming it', async () => {
    await assert.rejects(
      Array.fromAsync(client.getAllInstances({ pageSize: 0 })),
      /pageSize must be a whole number from 1 on, got 0/,
    );
    await assert.rejects(
      client.listInstanceIds({ completedTimeFrom: new Date(Number.NaN) }),
      /completedTimeFrom is an invalid Date/,
    );
  });

  it('lists the ids of ended instances in pages', async () => {
    const ids = await echo(3);
    await client.scheduleNewOrchestration('Wait', undefined, 'w');

    const first = await client.listInstanceIds({ pageSize: 2, runtimeStatus: [COMPLETED] });
    const lastInstanceKey = first.continuationToken;
    const second = await client.listInstanceIds({ pageSize: 2, lastInstanceKey });

    assert.deepEqual([...first.values, ...second.values], ids);
    assert.equal(second.hasMoreResults, false);
  });

  it('purges by id, ids and criteria, and counts what it deleted', async () => {
    await echo(6);
    await client.scheduleNewOrchestration('Wait', undefined, 'w');
    await client.waitForOrchestrationStart('w');

    assert.equal((await client.purgeOrchestration('e-00')).deletedInstanceCount, 1);
    assert.equal((await client.purgeOrchestration('e-00')).deletedInstanceCount, 0);
    assert.equal((await client.purgeOrchestration('w')).deletedInstanceCount, 0);
    const many = ['e-01', 'e-02', 'w', ...Array.from({ length: 600 }, (_, n) => `no-${n}`)];
    assert.equal((await client.purgeInstances(many)).deletedInstanceCount, 2);
    const rest = await client.purgeOrchestration({ runtimeStatusList: [COMPLETED] });
    assert.deepEqual([rest.deletedInstanceCount, rest.isComplete], [3, true]);
    assert.equal((await client.getOrchestrationState('w'))?.runtimeStatus, RUNNING);
  });

  it('takes the criteria of the published package', async () => {
    await echo(2);
    const criteria = new PurgeInstanceCriteria();
    criteria.setCreatedTimeFrom(new Date(0));

    assert.equal((await client.purgeOrchestration(criteria)).deletedInstanceCount, 2);
  });

  it('purges children too when told so', async () => {
    isBroken = false;
    await client.scheduleNewOrchestration('Parent', undefined, 'p');
    await ended('p');

    const result = await client.purgeOrchestration('p', { recursive: true });

    assert.equal(result.deletedInstanceCount, 2);
    assert.equal(await client.getOrchestrationState('child'), undefined);
  });

  it('restarts an ended instance under its id, and any under a new one', async () => {
    await client.scheduleNewOrchestration('Echo', { n: 1 }, 'r');
    await ended('r');

    assert.equal(await client.restartOrchestration('r'), 'r');
    assert.equal((await ended('r')).serializedOutput, '{"n":1}');
    const other = await client.restartOrchestration('r', true);
    assert.match(other, /^[0-9a-f]{32}$/);
    assert.equal((await ended(other)).serializedInput, '{"n":1}');
  });

  it('says in the published words why it cannot restart', async () => {
    await client.scheduleNewOrchestration('Wait', undefined, 'w');

    await assert.rejects(client.restartOrchestration('w'), {
      code: 'WRONG_STATE',
      message: "An orchestration with the instanceId 'w' cannot be restarted.",
    });
    await assert.rejects(client.restartOrchestration('none'), {
      code: 'INSTANCE_NOT_FOUND',
      message: "An orchestration with the instanceId 'none' was not found.",
    });
  });

  it('rewinds a failed instance through its failed child', async () => {
    await client.scheduleNewOrchestration('Parent', undefined, 'p');
    assert.equal((await ended('p')).runtimeStatus, FAILED);
    isBroken = false;

    await client.rewindInstance('p', 'fixed it');

    assert.equal((await ended('p')).serializedOutput, '14');
    await assert.rejects(client.rewindInstance('p'), { code: 'WRONG_STATE' });
    await assert.rejects(client.rewindInstance('none'), {
      code: 'INSTANCE_NOT_FOUND',
      message: "An orchestration with the instanceId 'none' was not found.",
    });
  });

  it('ends instances without their workers, and names those that it could not end', async () => {
    await client.scheduleNewOrchestration('Nobody', undefined, 'stuck');
    await echo(1);
    assert.equal((await client.getOrchestrationState('stuck'))?.runtimeStatus, PENDING);

    const left = await client.forceTerminate(['stuck', 'e-00', 'none'], { reason: 'gone' });

    assert.deepEqual(left, ['e-00', 'none']);
    const state = await ended('stuck');
    assert.equal(state.runtimeStatus, TERMINATED);
    assert.equal(state.serializedOutput, 'gone');
  });
});
