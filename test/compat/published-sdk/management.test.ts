import assert from 'node:assert/strict';
import { OrchestrationStatus, PurgeInstanceCriteria } from '@microsoft/durabletask-js';
import { freshId } from '../support/calls.ts';
import { publishedSdk } from '../support/published-sdk.ts';

const { COMPLETED, FAILED, RUNNING, TERMINATED } = OrchestrationStatus;

describe('Management by the published SDK', function () {
  this.timeout(20_000);
  const sdk = publishedSdk();
  sdk.orchestrator('Echo', async function* (_, value: unknown) {
    yield* [];
    return value;
  });
  sdk.orchestrator('Wait', async function* (context) {
    return yield context.waitForExternalEvent('Go');
  });
  sdk.orchestrator('Fail', async function* () {
    yield* [];
    throw new Error('always');
  });
  sdk.orchestrator('Parent', async function* (context, instanceId: string) {
    return yield context.callSubOrchestrator('Echo', 1, { instanceId });
  });

  async function runMany(prefix: string, count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, (_, n) => `${prefix}-${String(n).padStart(4, '0')}`);
    await Promise.all(ids.map((instanceId) => sdk.run('Echo', instanceId, { instanceId })));
    return ids;
  }

  async function found(
    filter: Parameters<typeof sdk.client.getAllInstances>[0],
  ): Promise<string[]> {
    const states = await Array.fromAsync(sdk.client.getAllInstances(filter));
    return states.map(({ instanceId }) => instanceId);
  }

  // [wp 3.9-prefix]
  it('finds instances by prefix, case-sensitive', async () => {
    const prefix = freshId('Prefix');
    const ids = await runMany(prefix, 3);
    assert.deepEqual((await found({ instanceIdPrefix: prefix })).sort(), ids);
    assert.deepEqual(await found({ instanceIdPrefix: prefix.toLowerCase() }), []);
  });

  // [wp 3.9-status]
  it('finds instances by status', async () => {
    const prefix = freshId('status');
    await sdk.run('Fail', 0, { instanceId: `${prefix}-f` });
    await sdk.run('Echo', 0, { instanceId: `${prefix}-c` });
    await sdk.running('Wait', 0, { instanceId: `${prefix}-r` });
    const by = (...statuses: OrchestrationStatus[]): Promise<string[]> =>
      found({ instanceIdPrefix: prefix, statuses });
    assert.deepEqual(await by(FAILED), [`${prefix}-f`]);
    assert.deepEqual(await by(RUNNING), [`${prefix}-r`]);
    assert.deepEqual((await by(FAILED, COMPLETED)).sort(), [`${prefix}-c`, `${prefix}-f`]);
    assert.deepEqual(await by(TERMINATED), []);
  });

  // [wp 3.9-created]
  it('finds instances by creation time, from inclusive and to exclusive', async () => {
    const prefix = freshId('created');
    await runMany(prefix, 1);
    const [id = ''] = await found({ instanceIdPrefix: prefix });
    const { createdAt } = await sdk.state(id);
    const later = new Date(createdAt.getTime() + 1);
    const between = (createdFrom: Date, createdTo?: Date): Promise<string[]> =>
      found({ instanceIdPrefix: prefix, createdFrom, ...(createdTo && { createdTo }) });
    assert.deepEqual(await between(createdAt), [id]);
    assert.deepEqual(await between(later), []);
    assert.deepEqual(await between(new Date(0), createdAt), []);
    assert.deepEqual(await between(new Date(0), later), [id]);
  });

  // [wp 3.9-paging, 3.9-last-page]
  it('visits each instance once, page by page, while others are added', async () => {
    const prefix = freshId('page');
    const ids = await runMany(prefix, 25);
    const seen: string[] = [];
    const sizes: number[] = [];
    let added = 0;
    const pages = sdk.client.getAllInstances({ instanceIdPrefix: prefix, pageSize: 10 }).asPages();
    for await (const page of pages) {
      seen.push(...page.values.map(({ instanceId }) => instanceId));
      sizes.push(page.values.length);
      assert.notEqual(page.continuationToken, '');
      if (added < 2) await runMany(`${prefix}-late${(added += 1)}`, 1);
    }
    assert.equal(new Set(seen).size, seen.length);
    for (const id of ids) assert.ok(seen.includes(id), id);
    assert.ok(sizes.every((size) => size <= 10));
  });

  it('takes a page up where another client left it', async () => {
    const prefix = freshId('resume');
    await runMany(prefix, 4);
    const query = { instanceIdPrefix: prefix, pageSize: 3 };
    let token: string | undefined;
    for await (const page of sdk.client.getAllInstances(query).asPages()) {
      token = page.continuationToken;
      break;
    }
    assert.ok(token !== undefined && token !== '' && token !== '0');
    assert.equal((await found({ ...query, continuationToken: token })).length, 1);
  });

  // [wp 3.9-payloads]
  it('shows payloads in a list only to those who ask', async () => {
    const prefix = freshId('payload');
    await runMany(prefix, 1);
    const list = async (fetchInputsAndOutputs: boolean): Promise<unknown> => {
      const query = { instanceIdPrefix: prefix, fetchInputsAndOutputs };
      const [state] = await Array.fromAsync(sdk.client.getAllInstances(query));
      return state?.serializedOutput;
    };
    assert.equal(await list(true), `"${prefix}-0000"`);
    assert.equal((await list(false)) ?? '', '');
  });

  // [wp 3.9-list-ids]
  it('lists the ids of ended instances only, each once', async () => {
    const from = new Date(sdk.host.clock.now());
    const prefix = freshId('ended');
    const ids = await runMany(prefix, 7);
    await sdk.running('Wait', 0, { instanceId: `${prefix}-live` });
    const seen: string[] = [];
    let lastInstanceKey: string | undefined;
    do {
      const page = await sdk.client.listInstanceIds({
        completedTimeFrom: from,
        pageSize: 3,
        ...(lastInstanceKey !== undefined && { lastInstanceKey }),
      });
      seen.push(...page.values);
      lastInstanceKey = page.continuationToken;
    } while (lastInstanceKey !== undefined && lastInstanceKey !== '');
    assert.deepEqual(seen.filter((id) => id.startsWith(prefix)).sort(), ids);
    assert.equal(new Set(seen).size, seen.length);
  });

  // [wp 3.10-id]
  it('purges an ended instance', async () => {
    const { instanceId } = await sdk.run('Echo', 1);
    assert.equal((await sdk.client.purgeOrchestration(instanceId))?.deletedInstanceCount, 1);
    assert.equal(await sdk.client.getOrchestrationState(instanceId), undefined);
    assert.deepEqual(await sdk.history(instanceId), []);
  });

  // [wp 3.10-missing]
  it('purges nothing where nothing is', async () => {
    const result = await sdk.client.purgeOrchestration(freshId('missing'));
    assert.equal(result?.deletedInstanceCount, 0);
  });

  // [wp 3.10-live]
  it('does not purge what still runs', async () => {
    const id = await sdk.running('Wait');
    assert.equal((await sdk.client.purgeOrchestration(id))?.deletedInstanceCount, 0);
    assert.equal((await sdk.state(id)).runtimeStatus, RUNNING);
  });

  // [wp 3.10-filter]
  it('purges by time and status', async () => {
    sdk.host.clock.advance(10_000);
    const criteria = new PurgeInstanceCriteria();
    criteria.setCreatedTimeFrom(new Date(sdk.host.clock.now()));
    criteria.setRuntimeStatusList([FAILED, RUNNING]);
    const failed = await sdk.run('Fail');
    const completed = await sdk.run('Echo', 1);
    const live = await sdk.running('Wait');

    const result = await sdk.client.purgeOrchestration(criteria);

    assert.equal(result?.deletedInstanceCount, 1);
    const exists = async (id: string): Promise<boolean> =>
      (await sdk.client.getOrchestrationState(id)) !== undefined;
    assert.deepEqual(
      await Promise.all([failed.instanceId, completed.instanceId, live].map(exists)),
      [false, true, true],
    );
  });

  // [wp 3.10-recursive, 3.10-not-recursive]
  it('purges children only when asked to', async () => {
    const [kept, gone] = [freshId('kept'), freshId('gone')];
    const first = await sdk.run('Parent', kept);
    const second = await sdk.run('Parent', gone);
    const alone = await sdk.client.purgeOrchestration(first.instanceId);
    const all = await sdk.client.purgeOrchestration(second.instanceId, { recursive: true });
    assert.deepEqual([alone?.deletedInstanceCount, all?.deletedInstanceCount], [1, 2]);
    assert.ok(await sdk.client.getOrchestrationState(kept));
    assert.equal(await sdk.client.getOrchestrationState(gone), undefined);
  });

  // [wp 3.6-missing]
  it('waits for a purged instance until it is there again', async () => {
    const { instanceId } = await sdk.run('Echo', 1);
    await sdk.client.purgeOrchestration(instanceId);
    const waiting = sdk.client.waitForOrchestrationStart(instanceId, false, 10);
    await sdk.start('Echo', 1, { instanceId });
    assert.equal((await waiting)?.instanceId, instanceId);
  });

  // [wp 3.8-same-id]
  it('restarts under the same id', async () => {
    const tags = { team: 'red' };
    const before = await sdk.run('Echo', 'again', { tags, version: '2.0' });
    const id = await sdk.client.restartOrchestration(before.instanceId);
    assert.equal(id, before.instanceId);
    const after = await sdk.ended(id);
    assert.deepEqual([after.name, after.serializedOutput, after.tags], ['Echo', '"again"', tags]);
    assert.ok(after.createdAt >= before.createdAt);
  });

  // [wp 3.8-new-id]
  it('restarts under a new id', async () => {
    const before = await sdk.run('Echo', 'again');
    const id = await sdk.client.restartOrchestration(before.instanceId, true);
    assert.match(id, /^[0-9a-f]{32}$/);
    assert.equal((await sdk.ended(id)).serializedOutput, '"again"');
    assert.deepEqual((await sdk.state(before.instanceId)).createdAt, before.createdAt);
  });

  // [wp 3.8-live-new-id]
  it('restarts a live instance under a new id, and leaves it running', async () => {
    const source = await sdk.running('Wait');
    const id = await sdk.client.restartOrchestration(source, true);
    await sdk.client.raiseOrchestrationEvent(id, 'Go', 'copy');
    assert.equal((await sdk.ended(id)).serializedOutput, '"copy"');
    assert.equal((await sdk.state(source)).runtimeStatus, RUNNING);
  });

  // [wp 3.8-live-same-id, 3.8-missing]
  it('refuses to restart what runs or is missing', async () => {
    const source = await sdk.running('Wait');
    await assert.rejects(sdk.client.restartOrchestration(source));
    await assert.rejects(sdk.client.restartOrchestration(freshId('missing')));
  });
});
