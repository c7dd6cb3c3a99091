import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import {
  OrchestrationStatus,
  TaskHubSidecarService,
} from '../../../src/proto/orchestrator_service_pb.ts';
import { complete } from '../../support/actions.ts';
import { ended, freshId, history, start, stateOf } from '../support/calls.ts';
import { types } from '../support/hand-worker.ts';
import { schedulerForTests } from '../support/scheduler-under-test.ts';

const rpc = TaskHubSidecarService.method;
const { PENDING, RUNNING, TERMINATED } = OrchestrationStatus;

describe('A start on the wire', function () {
  this.timeout(15_000);
  const host = schedulerForTests();

  // [wp 3.3-empty-id, 2-server-made-ids, 2-execution-id]
  it('gets ids of 32 hex digits from the server', async () => {
    const { instanceId } = await host().client.call(rpc.startInstance, { name: 'X' });
    assert.match(instanceId, /^[0-9a-f]{32}$/);
    const { executionId } = await stateOf(host().client, instanceId);
    assert.match(executionId ?? '', /^[0-9a-f]{32}$/);
  });

  // [wp 2-execution-id]
  it('may bring its execution id', async () => {
    const executionId = 'ab'.repeat(16);
    const id = await start(host().client, { executionId });
    assert.equal((await stateOf(host().client, id)).executionId, executionId);
  });

  for (const [what, request, text] of [
    ['an empty name', { name: '' }, /name must not be empty/],
    [
      'an id of 101 characters',
      { instanceId: 'i'.repeat(101) },
      /101 characters; the limit is 100/,
    ],
    ['an id beyond printable ASCII', { instanceId: 'naïve' }, /printable ASCII/],
    ['the id of an entity', { instanceId: '@counter@a' }, /starts with '@'/],
    ['tags over 1,000 bytes', { tags: { long: 'x'.repeat(1000) } }, /tags take .* limit is 1000/],
  ] as const) {
    // [wp 3.3-refused, 2-instance-id, 2.1-tags, 1.2-bad-argument]
    it(`is refused with ${what}`, async () => {
      await assert.rejects(start(host().client, request), {
        code: status.INVALID_ARGUMENT,
        details: text,
      });
    });
  }

  // [wp 2-instance-id]
  it('takes ids with any printable character, case-sensitive, up to a hundred', async () => {
    const id = freshId(`Ab ~!:+/%'"é`.replace('é', '')).padEnd(100, 'x');
    await start(host().client, { instanceId: id });
    assert.equal((await stateOf(host().client, id)).instanceId, id);
    const { exists } = await host().client.call(rpc.getInstance, { instanceId: id.toLowerCase() });
    assert.equal(exists, false);
  });

  // [wp 3.4-fields, 3.3-pending]
  it('leaves an instance that is pending, with its times', async () => {
    const id = await start(host().client, { version: '1.0', input: '"in"', tags: { a: 'b' } });
    const state = await stateOf(host().client, id);
    assert.equal(state.orchestrationStatus, PENDING);
    assert.deepEqual([state.name, state.version], ['Orchestrator', '1.0']);
    assert.equal(state.input, '"in"');
    assert.deepEqual(state.tags, { a: 'b' });
    assert.ok(state.createdTimestamp);
    assert.deepEqual(state.createdTimestamp, state.lastUpdatedTimestamp);
    assert.equal(state.completedTimestamp, undefined);
    assert.equal(state.scheduledStartTimestamp, undefined);
    assert.equal(state.parentInstanceId, undefined);
  });

  // [wp 3.3-pending, 3.6-start]
  it('stays pending until its first turn is committed, and waits for the start see that', async () => {
    const worker = await host().worker();
    const id = await start(host().client);
    const turn = await worker.turn(id);
    await assert.rejects(
      host().client.call(
        rpc.waitForInstanceStart,
        { instanceId: id },
        { deadline: Date.now() + 150 },
      ),
      { code: status.DEADLINE_EXCEEDED },
    );
    assert.equal((await stateOf(host().client, id)).orchestrationStatus, PENDING);

    const started = host().client.call(rpc.waitForInstanceStart, { instanceId: id });
    await worker.answer(turn, []);

    assert.equal((await started).orchestrationState?.orchestrationStatus, RUNNING);
    worker.cut();
  });

  // [wp 2-epoch-zero]
  it('at time zero or in the past is a start now', async () => {
    const worker = await host().worker();
    for (const atMs of [0, 1_000]) {
      const id = await start(host().client, { scheduledStartTimestamp: timestampFromMs(atMs) });
      const { request } = await worker.run(id, [complete()]);
      assert.deepEqual(types(request.newEvents), ['orchestratorStarted', 'executionStarted']);
    }
    worker.cut();
  });

  // [wp 3.3-scheduled]
  it('in the future shows its time and reaches a worker then', async () => {
    const worker = await host().worker();
    const at = host().clock.now() + 50_000;
    const id = await start(host().client, { scheduledStartTimestamp: timestampFromMs(at) });
    const now = await start(host().client);
    await worker.run(now, [complete()]);
    const state = await stateOf(host().client, id);
    assert.ok(state.scheduledStartTimestamp);
    assert.equal(timestampMs(state.scheduledStartTimestamp), at);
    assert.equal(worker.items.length, 0);

    host().clock.advance(51_000);
    const { request } = await worker.run(id, [complete()]);

    const [, started] = request.newEvents;
    assert.ok(started?.eventType.case === 'executionStarted');
    assert.ok(started.eventType.value.scheduledStartTimestamp);
    worker.cut();
  });

  // [wp 5.2-started-fields]
  it('reaches the worker with everything that the client gave', async () => {
    const worker = await host().worker();
    const parentTraceContext = {
      traceParent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    };
    const id = await start(host().client, {
      ...{ version: '2', input: '[1]', tags: { team: 'blue' }, parentTraceContext },
      requestTime: timestampFromMs(1),
    });
    const { request } = await worker.run(id, [complete()]);
    const event = request.newEvents[1];
    assert.ok(event?.eventType.case === 'executionStarted');
    const { value } = event.eventType;
    assert.equal(event.eventId, -1);
    assert.ok(event.timestamp);
    assert.deepEqual([value.name, value.version, value.input], ['Orchestrator', '2', '[1]']);
    assert.deepEqual(value.tags, { team: 'blue' });
    assert.equal(value.orchestrationInstance?.instanceId, id);
    assert.equal(value.orchestrationInstance.executionId, request.executionId);
    assert.equal(value.parentInstance, undefined);
    assert.equal(value.parentTraceContext?.traceParent, parentTraceContext.traceParent);
    worker.cut();
  });

  // [wp 2-empty-input, 2-string-values]
  it('tells an empty input from none', async () => {
    const worker = await host().worker();
    const empty = await start(host().client, { input: '' });
    const none = await start(host().client);
    for (const [id, expected] of [
      [empty, ''],
      [none, undefined],
    ] as const) {
      const { request } = await worker.run(id, [complete()]);
      const event = request.newEvents[1];
      assert.ok(event?.eventType.case === 'executionStarted');
      assert.equal(event.eventType.value.input, expected);
      assert.equal((await ended(host().client, id)).output, undefined);
    }
    worker.cut();
  });

  // [wp 3.7-never-started, 3.11-terminate-before-first]
  it('that is terminated before its first turn ends without a worker', async () => {
    const id = await start(host().client, { instanceId: freshId('unseen'), name: 'NobodyTakesMe' });
    await host().client.call(rpc.terminateInstance, { instanceId: id, output: '"over"' });
    const state = await ended(host().client, id);
    assert.deepEqual([state.orchestrationStatus, state.output], [TERMINATED, '"over"']);
    assert.deepEqual(types(await history(host().client, id)), [
      'executionStarted',
      'executionTerminated',
      'executionCompleted',
    ]);
  });
});
