import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { toBinary } from '@bufbuild/protobuf';
import {
  OrchestrationStatus,
  OrchestratorRequestSchema,
  TaskHubSidecarService,
  WorkerCapability,
} from '../../../src/proto/orchestrator_service_pb.ts';
import { complete, createChild, scheduleTask, sendEvent } from '../../support/actions.ts';
import { ended, freshId, history, start, stateOf } from '../support/calls.ts';
import { types, type HandWorker } from '../support/hand-worker.ts';
import { schedulerForTests } from '../support/scheduler-under-test.ts';

const rpc = TaskHubSidecarService.method;
const { FAILED } = OrchestrationStatus;
const JAVASCRIPT = 'durabletask-js/0.4.0 (DurableTaskWorker)';
const DOTNET = 'durabletask-dotnet/1.0 (DurableTaskWorker)';
const MIB = 1024 * 1024;
const LARGE = 'x'.repeat(MIB);

describe('Message sizes on the wire', function () {
  this.timeout(20_000);
  const host = schedulerForTests();
  const workers: HandWorker[] = [];
  afterEach(() => {
    for (const worker of workers.splice(0)) worker.cut();
  });

  /** A worker for one orchestrator name, so that tests do not take each other's turns. */
  async function connect(
    name: string,
    userAgent = 'durabletask-java/1.0',
    capabilities: WorkerCapability[] = [],
  ): Promise<HandWorker> {
    const worker = await host().worker({
      headers: { 'x-user-agent': userAgent },
      request: {
        capabilities,
        workItemFilters: { orchestrations: [{ name }], activities: [{ name: 'Activity' }] },
      },
    });
    workers.push(worker);
    return worker;
  }

  /** An orchestration with a history of five megabytes and one event waiting. */
  async function longHistory(name: string): Promise<{ readonly id: string }> {
    const id = await start(host().client, { name });
    const worker = await connect(name);
    const first = await worker.turn(id);
    await worker.answer(
      first,
      Array.from({ length: 5 }, (_, n) => sendEvent(n + 1, 'x', 'E', LARGE)),
    );
    worker.cut();
    await worker.stream.ended;
    await host().client.call(rpc.raiseEvent, { instanceId: id, name: 'Next' });
    return { id };
  }

  // [wp 5.1-fan-in, 13-fan-in]
  it('cut a fan-in of large results over several turns, each below 4 MiB of news', async () => {
    const worker = await connect('FanIn', JAVASCRIPT);
    const id = await start(host().client, { name: 'FanIn' });
    const count = 9;
    const turn = await worker.turn(id);
    await worker.answer(
      turn,
      Array.from({ length: count }, (_, n) => scheduleTask(n + 1)),
    );
    const tasks = [];
    while (tasks.length < count) tasks.push(await worker.task(id));
    const held = await worker.client.call(rpc.raiseEvent, { instanceId: id, name: 'Hold' });
    assert.ok(held);
    const busy = await worker.turn(id);
    for (const task of tasks) await worker.finish(task, { result: LARGE });
    await worker.answer(busy, []);
    let results = 0;
    let turns = 0;
    while (results < count) {
      const next = await worker.turn(id);
      const { newEvents } = next.request;
      const news = newEvents.reduce(
        (sum, { eventType }) =>
          sum + (eventType.case === 'taskCompleted' ? (eventType.value.result ?? '').length : 0),
        0,
      );
      assert.ok(news <= 3 * MIB, `${news} bytes of news`);
      results += types(newEvents).filter((type) => type === 'taskCompleted').length;
      turns += 1;
      await worker.answer(next, results === count ? [complete()] : []);
    }
    assert.equal(results, count);
    assert.ok(turns >= 4, `${turns} turns`);
  });

  // [wp 1-client-receive-limit, 5.1-large-history]
  it('give a history over 4 MiB inline to a client known to take it', async () => {
    const { id } = await longHistory('Inline');
    const worker = await connect('Inline', JAVASCRIPT);
    const { request } = await worker.run(id, [complete('"seen"')]);
    assert.equal(request.requiresHistoryStreaming, false);
    assert.equal(request.pastEvents.length, 7);
    assert.equal((await ended(host().client, id)).output, '"seen"');
  });

  // [wp 5.1-streaming, 3.11-chunks, 3.11-worker-mode]
  it('let a client that can do so fetch a history over 4 MiB', async () => {
    const { id } = await longHistory('Streamed');
    const worker = await connect('Streamed', DOTNET, [WorkerCapability.HISTORY_STREAMING]);
    const turn = await worker.turn(id);
    const { request } = turn;
    assert.equal(request.requiresHistoryStreaming, true);
    assert.deepEqual(request.pastEvents, []);
    assert.ok(toBinary(OrchestratorRequestSchema, request).length < 4 * MIB);
    const { executionId = '' } = request;
    const stream = host().client.stream(rpc.streamInstanceHistory, {
      ...{ instanceId: id, executionId, forWorkItemProcessing: true },
    });
    let events = 0;
    for (let chunk = await stream.next(); chunk; chunk = await stream.next()) {
      events += chunk.events.length;
      assert.ok(chunk.events.length <= 2, `${chunk.events.length} events of 1 MiB in one message`);
    }
    assert.equal(events, 7);
    await worker.answer(turn, [complete('"fetched"')]);
    assert.equal((await ended(host().client, id)).output, '"fetched"');
  });

  // [wp 5.1-no-way]
  it('leave a turn queued that no connected client can receive', async () => {
    const { id } = await longHistory('Queued');
    const plain = await connect('Queued');
    const probe = await start(host().client, { name: 'Queued' });
    await plain.run(probe, [complete()]);
    assert.equal(plain.items.length, 0);
    assert.equal(
      (await stateOf(host().client, id)).orchestrationStatus,
      OrchestrationStatus.RUNNING,
    );
    const able = await connect('Queued', JAVASCRIPT);
    host().clock.advance(2_000);
    await able.run(id, [complete()]);
  });

  for (const [what, actions, text] of [
    ['an activity input', [scheduleTask(1, 'A', { input: `${LARGE}x` })], /activity input/],
    ['a child input', [createChild(1, 'never', { input: `${LARGE}x` })], /orchestration input/],
    ['event data', [sendEvent(1, 'x', 'E', `${LARGE}x`)], /event data/],
    ['an output', [complete(`${LARGE}x`)], /orchestration output/],
  ] as const) {
    // [wp 2.1-action]
    it(`fail an orchestration over ${what} of more than 1 MB, and carry nothing out`, async () => {
      const name = freshId('TooLarge');
      const worker = await connect(name);
      const id = await start(host().client, { name });
      await worker.run(id, [...actions]);
      const state = await ended(host().client, id);
      assert.deepEqual(
        [state.orchestrationStatus, state.failureDetails?.errorType],
        [FAILED, 'PayloadTooLarge'],
      );
      assert.match(state.failureDetails?.errorMessage ?? '', text);
      assert.match(
        state.failureDetails?.errorMessage ?? '',
        /takes 1048577 bytes.*limit of 1048576.*payloadLimits\./,
      );
      assert.deepEqual(types(await history(host().client, id)), [
        'orchestratorStarted',
        'executionStarted',
        'executionCompleted',
      ]);
    });
  }

  // [wp 2.1-start, 2.1-event, 2.1-terminate]
  it('refuse what is over 1 MB in a call, and keep nothing', async () => {
    const { client } = host();
    const instanceId = freshId();
    const text = `${LARGE}x`;
    const refusal = (name: string) => ({
      code: status.INVALID_ARGUMENT,
      details: new RegExp(`${name} takes 1048577 bytes, more than the limit of 1048576 bytes`),
    });
    await assert.rejects(
      start(client, { instanceId, input: text }),
      refusal('orchestration input'),
    );
    assert.equal((await client.call(rpc.getInstance, { instanceId })).exists, false);
    await start(client, { instanceId, name: 'Nobody' });
    await assert.rejects(
      client.call(rpc.raiseEvent, { instanceId, name: 'E', input: text }),
      refusal('event data'),
    );
    await assert.rejects(
      client.call(rpc.terminateInstance, { instanceId, output: text }),
      refusal('orchestration output'),
    );
    const suspend = client.call(rpc.suspendInstance, { instanceId, reason: text });
    await assert.rejects(suspend, { code: status.INVALID_ARGUMENT });
  });

  // [wp 2.1-activity-result]
  it('turn an activity result over 1 MB into a failure that is not retried', async () => {
    const worker = await connect('Result');
    const id = await start(host().client, { name: 'Result' });
    await worker.run(id, [scheduleTask(1)]);
    await worker.finish(await worker.task(id), { result: `${LARGE}x` });
    const { request } = await worker.run(id, [complete()]);
    const event = request.newEvents[1];
    assert.ok(event?.eventType.case === 'taskFailed');
    const { failureDetails } = event.eventType.value;
    assert.equal(failureDetails?.isNonRetriable, true);
    assert.match(failureDetails.errorMessage, /activity output takes 1048577 bytes/);
  });

  // [wp 2.1-child-tags]
  it('fail a child whose tags are over 1,000 bytes, not its parent', async () => {
    const worker = await connect('Tags');
    const id = await start(host().client, { name: 'Tags' });
    await worker.run(id, [createChild(1, freshId('child'), { tags: { a: 'x'.repeat(1000) } })]);
    const { request } = await worker.run(id, [complete()]);
    assert.equal(request.newEvents[1]?.eventType.case, 'subOrchestrationInstanceFailed');
  });
});
