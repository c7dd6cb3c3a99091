import assert from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import {
  OrchestrationStatus,
  TaskHubSidecarService,
  TraceContextSchema,
  WorkerCapability,
} from '../../../src/proto/orchestrator_service_pb.ts';
import { complete, scheduleTask } from '../../support/actions.ts';
import { freshId, start, stateOf } from '../support/calls.ts';
import { turnOfAny } from '../support/hand-worker.ts';
import { SchedulerUnderTest } from '../support/scheduler-under-test.ts';

const rpc = TaskHubSidecarService.method;

describe('GetWorkItems on the wire', function () {
  this.timeout(15_000);
  let host: SchedulerUnderTest;
  beforeEach(async () => {
    host = await SchedulerUnderTest.open();
  });
  afterEach(() => host.close());

  // [wp 4.2-first-ping]
  it('begins with a ping at once, without a token', async () => {
    const stream = host.client.stream(rpc.getWorkItems, {});
    const first = await stream.next();
    assert.deepEqual([first?.request.case, first?.completionToken], ['healthPing', '']);
    stream.call.cancel();
  });

  // [wp 4.2-idle-ping]
  it('pings every thirty seconds while there is nothing to do', async () => {
    const stream = host.client.stream(rpc.getWorkItems, {});
    await stream.next();
    for (let n = 0; n < 3; n += 1) {
      host.clock.advance(30_000);
      assert.equal((await stream.next())?.request.case, 'healthPing');
    }
    stream.call.cancel();
  });

  // [wp 4.2-forever]
  it('stays open for hours', async () => {
    const worker = await host.worker();
    host.clock.advance(5 * 3_600_000);
    const id = await start(host.client);
    await worker.run(id, [complete()]);
    worker.cut();
  });

  // [wp 5.1-ids, 5.1-entity-parameters, 5.1-first-turn, 5.1-properties]
  it('hands out a first turn with everything that clients need', async () => {
    const worker = await host.worker();
    const id = await start(host.client);
    const { request, token } = await worker.turn(id);
    assert.equal(request.instanceId, id);
    assert.match(request.executionId ?? '', /^[0-9a-f]{32}$/);
    assert.deepEqual(request.pastEvents, []);
    assert.equal(request.newEvents.length, 2);
    const { entityMessageReorderWindow: window } = request.entityParameters ?? {};
    assert.deepEqual([window?.seconds, window?.nanos], [durationFromMs(0).seconds, 0]);
    assert.equal(request.requiresHistoryStreaming, false);
    assert.deepEqual(request.properties, {});
    assert.equal(request.orchestrationTraceContext, undefined);
    assert.match(token, /^[^:]+:[^:]+:[^:]+$/);
    worker.cut();
  });

  // [wp 5.6-request]
  it('hands out an activity with everything that clients need', async () => {
    const worker = await host.worker();
    const id = await start(host.client);
    const parentTraceContext = { traceParent: '00-a-b-01', spanID: 'b', traceState: 'k=v' };
    const { request } = await worker.run(id, [
      scheduleTask(7, 'Say', { version: '2', input: '1', tags: { a: 'b' }, parentTraceContext }),
    ]);
    const { request: activity } = await worker.task(id);
    assert.deepEqual(
      [activity.name, activity.version, activity.input, activity.taskId],
      ['Say', '2', '1', 7],
    );
    assert.deepEqual(activity.tags, { a: 'b' });
    assert.equal(activity.orchestrationInstance?.executionId, request.executionId);
    assert.deepEqual(activity.parentTraceContext, create(TraceContextSchema, parentTraceContext));
    worker.cut();
  });

  // [wp 4.1-credit]
  it('keeps to the number of turns that a stream asks for', async () => {
    const worker = await host.worker({ request: { maxConcurrentOrchestrationWorkItems: 2 } });
    const ids = await Promise.all(Array.from({ length: 5 }, () => start(host.client)));
    const held = [await worker.turn(), await worker.turn()];
    await stateOf(host.client, ids[4] ?? '');
    assert.equal(worker.items.length, 0);
    for (const turn of held) await worker.answer(turn, [complete()]);
    for (let n = 0; n < 3; n += 1) await worker.answer(await worker.turn(), [complete()]);
    worker.cut();
  });

  // [wp 4.1-credit]
  it('keeps to the number of activities that a stream asks for', async () => {
    const worker = await host.worker({ request: { maxConcurrentActivityWorkItems: 1 } });
    const id = await start(host.client);
    await worker.run(id, [scheduleTask(1), scheduleTask(2)]);
    const first = await worker.task(id);
    assert.equal(worker.items.length, 0);
    await worker.finish(first);
    await worker.finish(await worker.task(id));
    worker.cut();
  });

  // [wp 4.1-zero]
  it('takes no number for many, not for none', async () => {
    const worker = await host.worker();
    const ids = await Promise.all(Array.from({ length: 20 }, () => start(host.client)));
    for (const id of ids) await worker.turn(id);
    worker.cut();
  });

  // [wp 4.1-unknown-capability]
  it('ignores capabilities that it does not know', async () => {
    const capabilities = [99 as WorkerCapability, WorkerCapability.SCHEDULED_TASKS];
    const worker = await host.worker({ request: { capabilities } });
    await worker.turn(await start(host.client));
    worker.cut();
  });

  // [wp 4.1-many-streams]
  it('spreads work over several streams', async () => {
    const request = { maxConcurrentOrchestrationWorkItems: 3 };
    const workers = [await host.worker({ request }), await host.worker({ request })];
    await Promise.all(Array.from({ length: 6 }, () => start(host.client)));
    for (const worker of workers) for (let n = 0; n < 3; n += 1) await worker.turn();
    for (const worker of workers) worker.cut();
  });

  // [wp 4.3-empty-category, 4.3-unwanted]
  it('gives nothing of a kind whose filter list is empty', async () => {
    const turns = await host.worker({
      request: { workItemFilters: { orchestrations: [{ name: 'Orchestrator' }] } },
    });
    const id = await start(host.client);
    await turns.run(id, [scheduleTask(1)]);
    const other = await start(host.client);
    await turns.run(other, [complete()]);
    assert.equal(turns.items.length, 0);
    const all = await host.worker();
    await all.task(id);
    turns.cut();
    all.cut();
  });

  // [wp 4.3-versions, 4.3-unversioned]
  it('matches versions: none listed is any, an empty one is unversioned', async () => {
    const worker = await host.worker({
      request: {
        workItemFilters: {
          orchestrations: [
            { name: 'Any' },
            { name: 'Bare', versions: [''] },
            { name: 'One', versions: ['1'] },
          ],
        },
      },
    });
    const wanted = [
      await start(host.client, { name: 'Any', version: '9' }),
      await start(host.client, { name: 'Any' }),
      await start(host.client, { name: 'Bare' }),
      await start(host.client, { name: 'One', version: '1' }),
    ];
    const unwanted = [
      await start(host.client, { name: 'Bare', version: '1' }),
      await start(host.client, { name: 'One' }),
      await start(host.client, { name: 'one', version: '1' }),
      await start(host.client, { name: 'Other' }),
    ];
    for (const id of wanted) await worker.run(id, [complete()]);
    await worker.run(await start(host.client, { name: 'Any' }), [complete()]);
    assert.equal(worker.items.length, 0);
    for (const id of unwanted) {
      const { orchestrationStatus } = await stateOf(host.client, id);
      assert.equal(orchestrationStatus, OrchestrationStatus.PENDING);
    }
    worker.cut();
  });

  // [wp 5.3-one-turn]
  it('has one turn of an instance out at a time', async () => {
    const workers = [await host.worker(), await host.worker()];
    const id = await start(host.client);
    const turn = await turnOfAny(workers, id);
    await host.client.call(rpc.raiseEvent, { instanceId: id, name: 'E' });
    await stateOf(host.client, id);
    assert.deepEqual(
      workers.map(({ items }) => items.length),
      [0, 0],
    );
    await turn.worker.answer(turn.turn, []);
    const next = await turnOfAny(workers, id);
    assert.equal(next.turn.request.newEvents.length, 2);
    for (const worker of workers) worker.cut();
  });

  // [wp 4.6-stream-end, 4.6-redelivered]
  it('hands out again what a lost worker held, with a new token and what came since', async () => {
    const lost = await host.worker();
    const id = await start(host.client);
    const first = await lost.turn(id);
    lost.cut();
    await host.client.call(rpc.raiseEvent, { instanceId: id, name: 'E' });
    const worker = await host.worker();
    host.clock.advance(2_000);
    const second = await worker.turn(id);
    assert.notEqual(second.token, first.token);
    assert.equal(second.request.executionId, first.request.executionId);
    assert.equal(second.request.newEvents.length, 3);
    await assert.rejects(worker.answer(first, [complete('"stale"')]), {
      code: status.NOT_FOUND,
      details: `Work item '${first.token}' with completion count '0' not found`,
    });
    await worker.answer(second, [complete('"good"')]);
    assert.equal((await stateOf(host.client, id)).output, '"good"');
    worker.cut();
  });

  // [wp 4.6-grace]
  it('takes the answer of a worker that closed its stream first', async () => {
    const worker = await host.worker();
    const id = await start(host.client);
    await worker.run(id, [scheduleTask(1), scheduleTask(2)]);
    const tasks = [await worker.task(id), await worker.task(id)];
    worker.cut();
    await worker.stream.ended;
    for (const task of tasks) await worker.finish(task, { result: '1' });
    const next = await host.worker();
    const { request } = await next.run(id, [complete()]);
    assert.equal(request.newEvents.length, 3);
    next.cut();
  });

  // [wp 4.6-no-expiry]
  it('does not take an activity away because it runs long', async () => {
    const takes = (name: string) => ({
      request: {
        workItemFilters: { orchestrations: [{ name }], activities: [{ name: 'Activity' }] },
      },
    });
    const slow = await host.worker(takes('Orchestrator'));
    const id = await start(host.client);
    await slow.run(id, [scheduleTask(1)]);
    const task = await slow.task(id);
    const idle = await host.worker(takes('Probe'));
    host.clock.advance(6 * 3_600_000);
    await idle.run(await start(host.client, { name: 'Probe' }), [complete()]);
    assert.equal(idle.items.length, 0);
    await slow.finish(task, { result: '"at last"' });
    for (const worker of [slow, idle]) worker.cut();
  });

  // [wp 4.6-activity-again]
  it('runs an activity of a lost worker again, and its history has one result', async () => {
    const lost = await host.worker();
    const id = await start(host.client);
    await lost.run(id, [scheduleTask(1)]);
    const first = await lost.task(id);
    lost.cut();
    await lost.stream.ended;
    const worker = await host.worker();
    host.clock.advance(11_000);
    const second = await worker.task(id);
    assert.notEqual(second.token, first.token);
    await worker.finish(second, { result: '2' });
    await assert.rejects(worker.finish(first, { result: '1' }), { code: status.NOT_FOUND });
    const { request } = await worker.run(id, [complete()]);
    const results = request.newEvents.flatMap(({ eventType }) =>
      eventType.case === 'taskCompleted' ? [eventType.value.result] : [],
    );
    assert.deepEqual(results, ['2']);
    worker.cut();
  });

  // [wp 4.8-back-off, 4.8-other-stream]
  it('offers an abandoned turn to another stream first, after a pause', async () => {
    const workers = [await host.worker(), await host.worker()];
    const id = await start(host.client);
    const { worker, turn } = await turnOfAny(workers, id);
    await worker.abandonTurn(turn);
    const other = workers.find((each) => each !== worker);
    assert.ok(other);
    host.clock.advance(1_000);
    const again = await other.turn(id);
    assert.notEqual(again.token, turn.token);
    await other.answer(again, [complete()]);
    for (const each of workers) each.cut();
  });

  // [wp 4.8-back-off, 4.8-activity]
  it('waits longer each time that an activity is abandoned', async () => {
    const worker = await host.worker();
    const id = await start(host.client);
    await worker.run(id, [scheduleTask(1)]);
    const waitsMs: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      await worker.abandonTask(await worker.task(id));
      const from = host.clock.now();
      while (worker.items.length === 0) {
        host.clock.advance(50);
        await stateOf(host.client, id);
      }
      waitsMs.push(host.clock.now() - from);
    }
    const [first = 0, , , last = 0] = waitsMs;
    assert.ok(first >= 150 && last > 2 * first, waitsMs.join(' '));
    worker.cut();
  });

  // [wp 4.8-unknown]
  it('accepts the abandoning of what nobody holds', async () => {
    const completionToken = `1:2:${freshId()}`;
    await host.client.call(rpc.abandonTaskActivityWorkItem, { completionToken });
    await host.client.call(rpc.abandonTaskOrchestratorWorkItem, { completionToken });
    await host.client.call(rpc.abandonTaskEntityWorkItem, { completionToken });
  });
});
