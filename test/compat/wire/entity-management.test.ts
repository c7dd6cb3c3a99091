/** What clients see of entities, and their purge (wire-protocol 7.7). */
import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { TaskHubSidecarService } from '../../../src/proto/orchestrator_service_pb.ts';
import { freshId } from '../support/calls.ts';
import { calling, entityOf, query, signal, told, withState } from '../support/entity-calls.ts';
import { types, type HandWorker } from '../support/hand-worker.ts';
import { schedulerForTests } from '../support/scheduler-under-test.ts';

const rpc = TaskHubSidecarService.method;

describe('what clients see of entities', function () {
  this.timeout(15_000);

  const host = schedulerForTests();
  let worker: HandWorker;

  beforeEach(async () => {
    worker = await host().worker();
  });
  afterEach(() => worker.leave());

  // [wp 7.7-missing]
  it('is nothing of those without state', async () => {
    const entity = `@counter@${freshId()}`;
    assert.equal(await entityOf(host().client, entity), undefined);
    await withState(worker, entity, '1');
    await signal(host().client, entity);
    await worker.settle(await worker.batch(entity), ['1']);
    assert.equal(await entityOf(host().client, entity), undefined);
  });

  // [wp 7.7-include-state, 7.7-backlog]
  it('is the state when it is asked for, and how much waits', async () => {
    const entity = `@counter@${freshId()}`;
    await withState(worker, entity, '1');
    await signal(host().client, entity);
    await worker.batch(entity);
    await signal(host().client, entity);
    const found = await entityOf(host().client, entity, false);
    assert.deepEqual(
      [found?.serializedState, found?.backlogQueueSize, found?.lockedBy],
      [undefined, 2, undefined],
    );
    assert.equal((await entityOf(host().client, entity))?.serializedState, '1');
  });

  // [wp 7.7-query-filters]
  it('are those that a query names, transient ones only on demand', async () => {
    const name = `q${freshId().replaceAll('-', '')}`;
    await withState(worker, `@${name}@a`, '1');
    await withState(worker, `@${name}@b`, '2');
    await signal(host().client, `@${name}@c`);
    await worker.batch(`@${name}@c`);
    const ids = async (asked: Parameters<typeof query>[1]): Promise<readonly string[]> => {
      const { entities } = await query(host().client, asked);
      return entities.map(({ instanceId }) => instanceId);
    };
    const prefix = { instanceIdStartsWith: `@${name.toUpperCase()}@` };
    assert.deepEqual(await ids(prefix), [`@${name}@a`, `@${name}@b`]);
    assert.deepEqual(await ids({ ...prefix, includeTransient: true }), [
      `@${name}@a`,
      `@${name}@b`,
      `@${name}@c`,
    ]);
    assert.deepEqual(await ids({ instanceIdStartsWith: `@${name}@b` }), [`@${name}@b`]);
    assert.deepEqual(await ids({ instanceIdStartsWith: name }), []);
    const { entities } = await query(host().client, { ...prefix, includeState: true });
    assert.deepEqual(
      entities.map(({ serializedState }) => serializedState),
      ['1', '2'],
    );
    const [first] = entities;
    const from = { ...prefix, lastModifiedFrom: first?.lastModifiedTime };
    const to = { ...prefix, lastModifiedTo: first?.lastModifiedTime };
    assert.ok((await ids(from)).includes(`@${name}@a`));
    assert.deepEqual(await ids(to as Parameters<typeof query>[1]), []);
    const later = { ...prefix, lastModifiedFrom: timestampFromMs(host().clock.now() + 60_000) };
    assert.deepEqual(await ids(later), []);
  });

  // [wp 7.7-query-pages]
  it('come in pages, of which the last has no token', async () => {
    const name = `p${freshId().replaceAll('-', '')}`;
    const all = ['1', '2', '3', '4', '5'].map((key) => `@${name}@${key}`);
    for (const entity of all) await withState(worker, entity, '1');
    const seen: string[] = [];
    const asked = { instanceIdStartsWith: `@${name}`, pageSize: 2 };
    let page = await query(host().client, { ...asked, continuationToken: '' });
    for (;;) {
      seen.push(...page.entities.map(({ instanceId }) => instanceId));
      if (page.token === undefined) break;
      page = await query(host().client, { ...asked, continuationToken: page.token });
    }
    assert.deepEqual(seen, all);
    await assert.rejects(query(host().client, { ...asked, continuationToken: '0' }), {
      code: status.INVALID_ARGUMENT,
    });
  });

  // [wp 7.7-clean]
  it('leaves nothing to clean', async () => {
    const cleaned = await host().client.call(rpc.cleanEntityStorage, {
      removeEmptyEntities: true,
      releaseOrphanedLocks: true,
    });
    assert.deepEqual(
      [cleaned.emptyEntitiesRemoved, cleaned.orphanedLocksReleased, cleaned.continuationToken],
      [0, 0, undefined],
    );
  });

  // [wp 7.7-purge]
  it('is gone after a purge, and who waits for it is told', async () => {
    const entity = `@counter@${freshId()}`;
    await withState(worker, entity, '1');
    const { id, batch } = await calling(worker, entity);
    const reply = await host().client.call(rpc.purgeInstances, {
      request: { case: 'instanceId', value: entity },
    });
    assert.deepEqual([reply.deletedInstanceCount, reply.isComplete], [1, true]);
    assert.equal(await entityOf(host().client, entity), undefined);
    await assert.rejects(worker.settle(batch, ['1'], { entityState: '2' }), {
      code: status.NOT_FOUND,
    });
    const { request } = await told(worker, id);
    assert.deepEqual(types(request.newEvents), ['orchestratorStarted', 'entityOperationFailed']);
  });
});
