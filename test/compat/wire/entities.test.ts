/** Entities on the wire (wire-protocol 7.1 to 7.4). */
import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { ENTITY_BATCH_MAX } from '../../../src/core/limits.ts';
import { TaskHubSidecarService } from '../../../src/proto/orchestrator_service_pb.ts';
import {
  callEntity,
  complete,
  continueAsNew,
  requestId,
  signalEntity,
} from '../../support/actions.ts';
import { ended, freshId, history, start, stateOf } from '../support/calls.ts';
import { calling, entityOf, signal, told, withState } from '../support/entity-calls.ts';
import { types, type Batch, type HandWorker } from '../support/hand-worker.ts';
import { schedulerForTests } from '../support/scheduler-under-test.ts';

const rpc = TaskHubSidecarService.method;
const GUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;

const freshEntity = (name = 'counter'): string => `@${name}@${freshId()}`;

function operationsOf({ request }: Batch): { requestId: string; input: string | undefined }[] {
  return request.operationRequests.map(({ eventType: type }) => {
    assert.ok(type.case === 'entityOperationCalled' || type.case === 'entityOperationSignaled');
    return { requestId: type.value.requestId, input: type.value.input };
  });
}

const inputsOf = (batch: Batch): (string | undefined)[] =>
  operationsOf(batch).map(({ input }) => input);

describe('entities on the wire', function () {
  this.timeout(15_000);

  const host = schedulerForTests();
  let worker: HandWorker;

  beforeEach(async () => {
    worker = await host().worker();
  });
  afterEach(() => worker.leave());

  // [wp 7.1-name-case, 7.1-any-key]
  it('have names in lower case, and keys as they are given', async () => {
    const key = freshId();
    for (const [asked, meant] of [
      [`@Counter@${key}A`, `@counter@${key}A`],
      [`@counter@${key}@b@`, `@counter@${key}@b@`],
      [`@only${key}@`, `@only${key}@`],
    ] as const) {
      await signal(host().client, asked);
      const batch = await worker.batch(meant);
      await worker.settle(batch, ['1'], { entityState: '1' });
      assert.equal((await entityOf(host().client, asked))?.instanceId, meant);
    }
  });

  // [wp 7.1-refused, 7.7-signal-refused]
  it('are refused where the id names none, or the operation is empty', async () => {
    const wrong = ['', 'counter', '@counter', '@@key', `@counter@${'k'.repeat(100)}`, '@a@ü'];
    for (const instanceId of wrong) {
      await assert.rejects(signal(host().client, instanceId), { code: status.INVALID_ARGUMENT });
    }
    await assert.rejects(signal(host().client, freshEntity(), { name: '' }), {
      code: status.INVALID_ARGUMENT,
    });
    const large = { input: 'x'.repeat(1024 * 1024 + 1) };
    await assert.rejects(signal(host().client, freshEntity(), large), {
      code: status.INVALID_ARGUMENT,
    });
  });

  // [wp 7.1-no-orchestration]
  it('are in no list and no purge of orchestrations', async () => {
    const entity = freshEntity();
    await withState(worker, entity, '1');
    const { client } = host();
    const listed = await client.call(rpc.queryInstances, { query: { maxInstanceCount: 1000 } });
    assert.ok(listed.orchestrationState.every(({ instanceId }) => !instanceId.startsWith('@')));
    assert.equal((await client.call(rpc.getInstance, { instanceId: entity })).exists, false);
    await client.call(rpc.purgeInstances, {
      request: { case: 'purgeInstanceFilter', value: { createdTimeFrom: timestampFromMs(1) } },
    });
    assert.equal((await entityOf(client, entity))?.serializedState, '1');
  });

  // [wp 7.2-created, 7.4-v2, 7.4-state, 7.4-modified, 3.1-entities]
  it('are made by the first message, and keep the state of the last batch', async () => {
    const entity = freshEntity();
    const first = await withState(worker, entity, '1');
    assert.equal(first.request.entityState, undefined);
    assert.match(first.request.executionId, /^[0-9a-f]{32}$/);
    const second = await withState(worker, entity, '2');
    assert.deepEqual(
      [second.request.entityState, second.request.executionId],
      ['1', first.request.executionId],
    );
    const found = await entityOf(host().client, entity);
    assert.equal(found?.serializedState, '2');
    assert.ok(found.lastModifiedTime && timestampMs(found.lastModifiedTime) <= host().clock.now());
  });

  // [wp 7.2-one-batch]
  it('run one batch at a time, side by side with other entities', async () => {
    const [entity, other] = [freshEntity(), freshEntity()];
    await signal(host().client, entity, { input: '1' });
    const first = await worker.batch(entity);
    await signal(host().client, entity, { input: '2' });
    await signal(host().client, entity, { input: '3' });
    await signal(host().client, other);
    await worker.settle(await worker.batch(other), ['1']);
    await worker.settle(first, ['1'], { entityState: '1' });
    assert.deepEqual(inputsOf(await worker.batch(entity)), ['2', '3']);
  });

  // [wp 7.2-redelivered, 7.4-stale]
  it('run a batch again whose worker was lost, and refuse what comes late', async () => {
    const entity = freshEntity();
    await signal(host().client, entity, { input: '1' });
    const first = await worker.batch(entity);
    worker.cut();
    const second = await host().worker();
    const again = await second.batch(entity);
    assert.deepEqual(inputsOf(again), ['1']);
    assert.notEqual(again.token, first.token);
    await assert.rejects(second.settle(first, ['1']), { code: status.NOT_FOUND });
    await second.settle(again, ['1'], { entityState: '1' });
    await assert.rejects(second.settle(again, ['1']), { code: status.NOT_FOUND });
    second.cut();
  });

  // [wp 7.4-abandoned]
  it('run a batch again that was given back', async () => {
    const entity = freshEntity();
    await signal(host().client, entity);
    await worker.abandonBatch(await worker.batch(entity));
    const again = await worker.batch(entity);
    await worker.settle(again, ['1']);
  });

  // [wp 7.2-order, 5.5-entity-messages]
  it('keep the order of an orchestration’s signals and calls', async () => {
    const entity = freshEntity();
    const id = await start(host().client);
    await worker.run(id, [
      signalEntity(1, entity, 'add'),
      callEntity(2, entity, 'get'),
      signalEntity(3, entity, 'add'),
    ]);
    const batch = await worker.batch(entity);
    assert.deepEqual(
      operationsOf(batch).map((operation) => operation.requestId),
      [1, 2, 3].map(requestId),
    );
    await worker.settle(batch, ['1', '2', '3']);
    await told(worker, id);
  });

  // [wp 7.2-once, 7.2-implicit-deletion]
  it('apply a request once, also when they were deleted meanwhile', async () => {
    const entity = freshEntity();
    const repeated = { requestId: '11111111-2222-4333-8444-555555555555', input: 'once' };
    await signal(host().client, entity, repeated);
    await worker.settle(await worker.batch(entity), ['1']);
    assert.equal(await entityOf(host().client, entity), undefined);
    await signal(host().client, entity, repeated);
    await signal(host().client, entity, { input: 'other' });
    assert.deepEqual(inputsOf(await worker.batch(entity)), ['other']);
  });

  // [wp 7.3-history, 7.3-parent]
  it('are told who calls; the caller’s history keeps whom', async () => {
    const entity = freshEntity();
    const { id, turn, batch } = await calling(worker, entity);
    const [operation] = batch.request.operationRequests;
    assert.ok(operation?.eventType.case === 'entityOperationCalled');
    const call = operation.eventType.value;
    assert.deepEqual(
      [call.parentInstanceId, call.parentExecutionId, call.targetInstanceId, call.input],
      [id, turn.request.executionId, undefined, '5'],
    );
    assert.ok(operation.timestamp);
    await worker.settle(batch, ['"5"']);
    await told(worker, id);
    const events = await history(host().client, id);
    const called = events.find(({ eventType }) => eventType.case === 'entityOperationCalled');
    assert.ok(called?.eventType.case === 'entityOperationCalled');
    assert.deepEqual([called.eventId, called.eventType.value.targetInstanceId], [1, entity]);
  });

  // [wp 7.3-request-id, 7.3-entity-signal, 7.3-batch-signal]
  it('signal each other under ids of their own, at once or later', async () => {
    const [entity, other] = [freshEntity(), freshEntity('other')];
    await signal(host().client, entity);
    const batch = await worker.batch(entity);
    assert.match(operationsOf(batch)[0]?.requestId ?? '', GUID);
    const scheduledTime = timestampFromMs(host().clock.now() + 3_600_000);
    const send = (input: string, rest = {}) => ({
      operationActionType: {
        case: 'sendSignal' as const,
        value: { instanceId: other, name: 'add', input, ...rest },
      },
    });
    await worker.settle(batch, ['1'], { actions: [send('later', { scheduledTime }), send('now')] });
    const now = await worker.batch(other);
    assert.deepEqual(inputsOf(now), ['now']);
    assert.match(operationsOf(now)[0]?.requestId ?? '', GUID);
    await worker.settle(now, ['1']);
    host().clock.advance(3_600_000);
    assert.deepEqual(inputsOf(await worker.batch(other)), ['later']);
  });

  // [wp 7.3-scheduled, 7.3-past]
  it('get a scheduled signal in time, and one for the past at once', async () => {
    const entity = freshEntity();
    const at = (ms: number) => ({ scheduledTime: timestampFromMs(host().clock.now() + ms) });
    await withState(worker, entity, '1');
    await signal(host().client, entity, { input: 'later', ...at(3_600_000) });
    assert.equal((await entityOf(host().client, entity))?.backlogQueueSize, 0);
    await signal(host().client, entity, { input: 'past', ...at(-1000) });
    const batch = await worker.batch(entity);
    assert.deepEqual(inputsOf(batch), ['past']);
    await worker.settle(batch, ['1'], { entityState: '1' });
    host().clock.advance(3_600_000);
    assert.deepEqual(inputsOf(await worker.batch(entity)), ['later']);
  });

  // [wp 7.4-v1]
  it('come as batches of the first generation to workers that ask for them', async () => {
    const entity = freshEntity('early');
    const early = await host().worker({
      headers: { 'x-durabletask-entity-request': '1' },
      request: { workItemFilters: { entities: [{ name: 'early' }] } },
    });
    worker.cut();
    const id = requestId(7);
    await signal(host().client, entity, { input: '5', requestId: id });
    const item = await early.next(({ request }) => request.case === 'entityRequest', 'a batch');
    assert.ok(item.request.case === 'entityRequest');
    const { instanceId, entityState, operations } = item.request.value;
    assert.deepEqual([instanceId, entityState], [entity, undefined]);
    assert.deepEqual(
      operations.map(({ operation, requestId: asked, input }) => [operation, asked, input]),
      [['add', id, '5']],
    );
    await early.settle({ token: item.completionToken }, ['1'], { entityState: '5' });
    assert.equal((await entityOf(host().client, entity))?.serializedState, '5');
    early.cut();
  });

  // [wp 7.4-cap, 7.4-fewer, 7.4-more]
  it('come in bounded batches, of which the worker does as much as it likes', async () => {
    const entity = freshEntity();
    await signal(host().client, entity, { input: 'first' });
    const first = await worker.batch(entity);
    const inputs = Array.from({ length: ENTITY_BATCH_MAX + 1 }, (_, at) => `${at}`);
    await Promise.all(inputs.map((input) => signal(host().client, entity, { input })));
    await worker.settle(first, ['1', 'too', 'many'], { entityState: '1' });
    const full = await worker.batch(entity);
    assert.equal(full.request.operationRequests.length, ENTITY_BATCH_MAX);
    const [, second, third] = inputsOf(full);
    await worker.settle(full, ['1'], { entityState: '1' });
    const rest = await worker.batch(entity);
    assert.deepEqual(inputsOf(rest).slice(0, 2), [second, third]);
    assert.equal(rest.request.operationRequests.length, ENTITY_BATCH_MAX);
  });

  // [wp 7.4-result, 7.4-failure]
  it('answer calls with results, empty ones and failures', async () => {
    const entity = freshEntity();
    const id = await start(host().client);
    await worker.run(
      id,
      [1, 2, 3].map((at) => callEntity(at, entity, 'get')),
    );
    const wrong = { errorType: 'EntityTaskNotFound', errorMessage: 'no such entity' };
    await worker.settle(await worker.batch(entity), ['"5"', '', wrong], { entityState: '1' });
    const { request } = await told(worker, id);
    const answers = request.newEvents.map(({ eventType: type }) => {
      if (type.case === 'entityOperationCompleted') return type.value.output;
      return type.case === 'entityOperationFailed' ? type.value.failureDetails?.errorType : 'none';
    });
    assert.deepEqual(answers, ['none', '"5"', '', 'EntityTaskNotFound']);
    await signal(host().client, entity);
    assert.equal((await worker.batch(entity)).request.entityState, '1');
  });

  // [wp 7.4-fenced]
  it('answer no other generation than the one that called', async () => {
    const entity = freshEntity();
    const id = await start(host().client);
    await worker.run(id, [callEntity(1, entity, 'get'), continueAsNew()]);
    await worker.settle(await worker.batch(entity), ['"5"'], { entityState: '1' });
    const { request } = await told(worker, id);
    assert.deepEqual(types(request.newEvents), ['orchestratorStarted', 'executionStarted']);
    await ended(host().client, id);
  });

  // [wp 7.4-start, 7.4-start-taken]
  it('start orchestrations without a parent, and leave live ones alone', async () => {
    const { client } = host();
    const live = await start(client);
    await worker.run(live);
    const over = await start(client);
    await worker.run(over, [complete('"first"')]);
    const entity = freshEntity();
    await signal(client, entity);
    const startNew = (instanceId: string) => ({
      operationActionType: {
        case: 'startNewOrchestration' as const,
        value: { instanceId, name: `Started${entity}`, input: '7' },
      },
    });
    const actions = [startNew(live), startNew(over), startNew('')];
    await worker.settle(await worker.batch(entity), ['1'], { actions });
    const again = await worker.turn(over);
    assert.equal((await stateOf(client, over)).input, '7');
    await worker.answer(again, [complete('"again"')]);
    const fresh = await worker.turn();
    assert.match(fresh.request.instanceId, /^[0-9a-f]{32}$/);
    await worker.answer(fresh, [complete('"fresh"')]);
    const state = await stateOf(client, fresh.request.instanceId);
    assert.deepEqual([state.name, state.parentInstanceId], [`Started${entity}`, undefined]);
    assert.equal((await stateOf(client, live)).name, 'Orchestrator');
  });

  // [wp 7.4-batch-failed]
  it('try a batch again that a worker could not run, and fail its calls in the end', async () => {
    const entity = freshEntity();
    const { id, batch } = await calling(worker, entity);
    const failureDetails = { errorType: 'NoEntities', errorMessage: 'not here' };
    await worker.settle(batch, [], { failureDetails });
    for (let attempt = 2; attempt <= 5; attempt += 1) {
      host().clock.advance(60_000);
      await worker.settle(await worker.batch(entity), [], { failureDetails });
    }
    const { request } = await told(worker, id);
    assert.deepEqual(types(request.newEvents), ['orchestratorStarted', 'entityOperationFailed']);
  });

  // [wp 7.4-requires-state]
  it('come again with their state when the worker asks for it', async () => {
    const entity = freshEntity();
    await withState(worker, entity, '1');
    await signal(host().client, entity, { input: '2' });
    await worker.settle(await worker.batch(entity), [], { requiresState: true });
    const again = await worker.batch(entity);
    assert.deepEqual([again.request.entityState, inputsOf(again)], ['1', ['2']]);
  });

  // [wp 2.1-entity-state]
  it('keep their state when the new one is over the limit; its calls fail', async () => {
    const entity = freshEntity();
    await withState(worker, entity, '1');
    const { id, batch } = await calling(worker, entity);
    await worker.settle(batch, ['"ok"'], { entityState: 'x'.repeat(1024 * 1024 + 1) });
    const { request } = await told(worker, id);
    const answer = request.newEvents.at(-1)?.eventType;
    assert.ok(answer?.case === 'entityOperationFailed');
    assert.match(answer.value.failureDetails?.errorMessage ?? '', /entity state takes 1048577/);
    assert.equal((await entityOf(host().client, entity))?.serializedState, '1');
  });

  // [wp 7.4-filters]
  it('go to workers that take their name', async () => {
    worker.cut();
    const key = freshId();
    const [wanted, other] = [`@wanted@${key}`, `@other@${key}`];
    const request = { workItemFilters: { entities: [{ name: 'Wanted' }] } };
    const choosy = await host().worker({ request });
    const none = await host().worker({ request: { workItemFilters: { activities: [] } } });
    await signal(host().client, other);
    await signal(host().client, wanted);
    await choosy.settle(await choosy.batch(), ['1'], { entityState: '1' });
    assert.equal((await entityOf(host().client, wanted))?.serializedState, '1');
    assert.deepEqual([choosy.items.length, none.items.length], [0, 0]);
    const all = await host().worker();
    await all.settle(await all.batch(other), ['1']);
    for (const one of [choosy, none, all]) one.cut();
  });

  // [wp 7.4-credit]
  it('are no more in flight than the worker takes', async () => {
    worker.cut();
    const name = `narrow${freshId().replaceAll('-', '')}`;
    const narrow = await host().worker({
      request: {
        maxConcurrentEntityWorkItems: 1,
        workItemFilters: { entities: [{ name }] },
      },
    });
    await signal(host().client, `@${name}@1`);
    await signal(host().client, `@${name}@2`);
    const first = await narrow.batch();
    await signal(host().client, `@${name}@3`);
    assert.equal(narrow.items.length, 0);
    await narrow.settle(first, ['1']);
    await narrow.settle(await narrow.batch(), ['1']);
    await narrow.settle(await narrow.batch(), ['1']);
    narrow.cut();
  });
});
