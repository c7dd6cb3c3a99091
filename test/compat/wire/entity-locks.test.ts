/** Critical sections on the wire (wire-protocol 7.5, 7.6). */
import assert from 'node:assert/strict';
import {
  OrchestrationStatus,
  TaskHubSidecarService,
  type OrchestratorAction,
} from '../../../src/proto/orchestrator_service_pb.ts';
import {
  callEntity,
  complete,
  completeWith,
  continueAsNew,
  fail,
  lockEntities,
  unlockEntity,
} from '../../support/actions.ts';
import { freshId, start, stateOf } from '../support/calls.ts';
import { entityOf, signal, told } from '../support/entity-calls.ts';
import { types, type HandWorker } from '../support/hand-worker.ts';
import { schedulerForTests } from '../support/scheduler-under-test.ts';

const rpc = TaskHubSidecarService.method;

describe('critical sections on the wire', function () {
  this.timeout(15_000);

  const host = schedulerForTests();
  let worker: HandWorker;

  beforeEach(async () => {
    worker = await host().worker();
  });
  afterEach(() => worker.leave());

  const fresh = (names: readonly string[]): string[] => {
    const key = freshId();
    return names.map((name) => `@${name}@${key}`);
  };

  const lockedBy = async (entity: string): Promise<string | undefined> =>
    (await entityOf(host().client, entity))?.lockedBy;

  /** An orchestration that has asked for locks. */
  async function asking(entities: string[]): Promise<string> {
    const id = await start(host().client);
    await worker.run(id, [lockEntities(1, 'section', entities)]);
    return id;
  }

  /** One that has them. */
  async function holding(entities: string[]): Promise<string> {
    const id = await asking(entities);
    const { request } = await worker.run(id);
    assert.deepEqual(types(request.newEvents), ['orchestratorStarted', 'entityLockGranted']);
    return id;
  }

  async function act(id: string, actions: OrchestratorAction[]): Promise<void> {
    await host().client.call(rpc.raiseEvent, { instanceId: id, name: 'go' });
    await worker.run(id, actions);
  }

  // [wp 7.5-granted, 7.7-locked-by, 7.7-locked, 7.5-transient]
  it('are granted once all of the set is locked, each once', async () => {
    const [b = '', a = ''] = fresh(['b', 'a']);
    const id = await holding([b, a, b]);
    for (const entity of [a, b]) {
      const found = await entityOf(host().client, entity);
      assert.deepEqual([found?.lockedBy, found?.serializedState], [id, undefined]);
    }
    await act(id, [unlockEntity(2, 'section', a), unlockEntity(3, 'section', b), complete()]);
    assert.equal(await entityOf(host().client, a), undefined);
    assert.equal(await entityOf(host().client, b), undefined);
  });

  // [wp 7.5-waits]
  it('wait behind what came before them', async () => {
    const [a = ''] = fresh(['a']);
    await signal(host().client, a);
    const id = await asking([a]);
    assert.equal(await lockedBy(a), undefined);
    await worker.settle(await worker.batch(a), ['1']);
    assert.equal(await lockedBy(a), id);
    await told(worker, id);
  });

  // [wp 7.5-exclusive, 7.5-overtakes, 7.7-backlog]
  it('let the calls of their owner run, and nobody else', async () => {
    const [a = ''] = fresh(['a']);
    const id = await holding([a]);
    await signal(host().client, a, { input: 'other' });
    await act(id, [callEntity(2, a, 'get')]);
    const batch = await worker.batch(a);
    assert.deepEqual(types(batch.request.operationRequests), ['entityOperationCalled']);
    assert.equal((await entityOf(host().client, a))?.backlogQueueSize, 2);
    await worker.settle(batch, ['1']);
    await worker.run(id, [unlockEntity(3, 'section', a), complete()]);
    const next = await worker.batch(a);
    assert.deepEqual(types(next.request.operationRequests), ['entityOperationSignaled']);
  });

  // [wp 7.5-release]
  it('end with an unlock of their own, not of somebody else', async () => {
    const [a = ''] = fresh(['a']);
    const id = await holding([a]);
    const other = await start(host().client);
    await worker.run(other, [unlockEntity(1, 'section', a)]);
    await act(id, [unlockEntity(2, 'another section', a)]);
    assert.equal(await lockedBy(a), id);
    await act(id, [unlockEntity(3, 'section', a)]);
    assert.equal(await lockedBy(a), undefined);
  });

  // [wp 7.5-order]
  it('do not wait for each other in a circle', async () => {
    const [a = '', b = ''] = fresh(['a', 'b']);
    const first = await asking([a, b]);
    const second = await asking([b, a]);
    await worker.run(first, [complete()]);
    const { request } = await told(worker, second);
    assert.deepEqual(types(request.newEvents), ['orchestratorStarted', 'entityLockGranted']);
  });

  // [wp 7.6-completed, 7.6-failed, 7.6-continued]
  for (const [how, end] of [
    ['completes', complete()],
    ['fails', fail('Broken', 'broken')],
    ['continues as new', continueAsNew()],
  ] as const) {
    it(`are free when their owner ${how}`, async () => {
      const [a = '', b = ''] = fresh(['a', 'b']);
      const id = await holding([a, b]);
      const next = await asking([a, b]);
      await act(id, [end]);
      assert.equal(await lockedBy(a), next);
      assert.equal(await lockedBy(b), next);
      await told(worker, next);
    });
  }

  // [wp 7.6-terminated]
  it('are free when their owner is terminated', async () => {
    const [a = ''] = fresh(['a']);
    const id = await holding([a]);
    await host().client.call(rpc.terminateInstance, { instanceId: id });
    await worker.run(id, [completeWith(OrchestrationStatus.TERMINATED)]);
    assert.equal(await lockedBy(a), undefined);
  });

  // [wp 7.6-pending]
  it('are asked for no more when the one that waits is over', async () => {
    const [a = ''] = fresh(['a']);
    const id = await holding([a]);
    const waiting = await asking([a]);
    await host().client.call(rpc.raiseEvent, { instanceId: waiting, name: 'go' });
    await worker.run(waiting, [complete()]);
    await act(id, [complete()]);
    assert.equal(await entityOf(host().client, a), undefined);
  });

  // [wp 3.13-locks]
  it('keep their owner from being ended by force', async () => {
    const [a = ''] = fresh(['a']);
    const id = await holding([a]);
    const { client } = host();
    const force = async (): Promise<readonly string[]> =>
      (
        await client.call(rpc.skipGracefulOrchestrationTerminations, {
          instanceBatch: { instanceIds: [id] },
        })
      ).unterminatedInstanceIds;
    assert.deepEqual(await force(), [id]);
    await act(id, [unlockEntity(2, 'section', a)]);
    assert.deepEqual(await force(), []);
    assert.equal((await stateOf(client, id)).orchestrationStatus, OrchestrationStatus.TERMINATED);
  });
});
