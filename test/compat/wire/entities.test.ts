/** Entities on the wire (wire-protocol 7). */
import assert from 'node:assert/strict';
import { TaskHubSidecarService } from '../../../src/proto/orchestrator_service_pb.ts';
import { callEntity, complete, lockEntities, unlockEntity } from '../../support/actions.ts';
import { ended, freshId, start } from '../support/calls.ts';
import { types, type HandWorker } from '../support/hand-worker.ts';
import { schedulerForTests } from '../support/scheduler-under-test.ts';

const rpc = TaskHubSidecarService.method;

describe('entities on the wire', () => {
  const host = schedulerForTests();
  let worker: HandWorker;

  beforeEach(async () => {
    worker = await host().worker();
  });
  afterEach(() => {
    worker.cut();
  });

  it('run a signal and keep the state', async () => {
    const instanceId = `@counter@${freshId()}`;
    await host().client.call(rpc.signalEntity, { instanceId, name: 'add', input: '1' });
    const batch = await worker.batch(instanceId);
    assert.equal(batch.request.entityState, undefined);
    assert.deepEqual(types(batch.request.operationRequests), ['entityOperationSignaled']);
    await worker.settle(batch, ['1'], { entityState: '1' });
    const { exists, entity } = await host().client.call(rpc.getEntity, {
      instanceId,
      includeState: true,
    });
    assert.equal(exists, true);
    assert.equal(entity?.serializedState, '1');
    assert.equal(entity.backlogQueueSize, 0);
  });

  it('answer a call', async () => {
    const entity = `@counter@${freshId()}`;
    const id = await start(host().client);
    await worker.run(id, [callEntity(1, entity, 'get')]);
    const batch = await worker.batch(entity);
    await worker.settle(batch, ['"42"'], { entityState: '42' });
    const turn = await worker.turn(id);
    assert.deepEqual(types(turn.request.newEvents), [
      'orchestratorStarted',
      'entityOperationCompleted',
    ]);
    await worker.answer(turn, [complete('"ok"')]);
    await ended(host().client, id);
  });

  it('lock a set of entities for one orchestration', async () => {
    const key = freshId();
    const entities = [`@b@${key}`, `@a@${key}`];
    const id = await start(host().client);
    await worker.run(id, [lockEntities(1, 'section', entities)]);
    const turn = await worker.turn(id);
    assert.deepEqual(types(turn.request.newEvents), ['orchestratorStarted', 'entityLockGranted']);
    const [first = '', second = ''] = entities;
    const { entity } = await host().client.call(rpc.getEntity, { instanceId: first });
    assert.equal(entity?.lockedBy, id);
    await worker.answer(turn, [
      unlockEntity(2, 'section', first),
      unlockEntity(3, 'section', second),
      complete('"ok"'),
    ]);
    await ended(host().client, id);
    assert.equal((await host().client.call(rpc.getEntity, { instanceId: first })).exists, false);
  });
});
