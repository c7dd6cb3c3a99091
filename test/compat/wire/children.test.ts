import assert from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import {
  HistoryEventSchema,
  OrchestrationStatus,
  TaskHubSidecarService,
} from '../../../src/proto/orchestrator_service_pb.ts';
import {
  complete,
  completeWith,
  continueAsNew,
  createChild,
  createTimer,
  fail,
  scheduleTask,
  sendEvent,
} from '../../support/actions.ts';
import { ended, freshId, history, start, stateOf } from '../support/calls.ts';
import { types, type HandWorker, type Turn } from '../support/hand-worker.ts';
import { schedulerForTests } from '../support/scheduler-under-test.ts';

const rpc = TaskHubSidecarService.method;
const { CANCELED, CONTINUED_AS_NEW, RUNNING, TERMINATED } = OrchestrationStatus;

describe('Children and generations on the wire', function () {
  this.timeout(15_000);
  const host = schedulerForTests();
  let worker: HandWorker;
  before(async () => {
    worker = await host().worker();
  });
  after(() => {
    worker.cut();
  });

  /** A parent that waits for one child, which has had its first turn. */
  async function family(): Promise<{ readonly parent: string; readonly child: string }> {
    const [parent, child] = [await start(host().client), freshId('child')];
    await worker.run(parent, [createChild(1, child)]);
    await worker.run(child);
    return { parent, child };
  }

  function failureIn({ request }: Turn) {
    const event = request.newEvents.at(-1);
    assert.ok(event?.eventType.case === 'subOrchestrationInstanceFailed');
    return event.eventType.value;
  }

  async function end(instanceId: string): Promise<void> {
    await host().client.call(rpc.terminateInstance, { instanceId });
    await worker.run(instanceId, [completeWith(TERMINATED)]);
  }

  // [wp 5.7-server-made-id]
  it('get an id made of the parent’s and the action’s when the action has none', async () => {
    const parent = await start(host().client);
    await worker.run(parent, [createChild(26, '')]);
    const child = `${parent}:001a`;
    await worker.run(child, [complete('"ok"')]);
    const { request } = await worker.run(parent, [complete()]);
    const created = request.pastEvents[2];
    assert.ok(created?.eventType.case === 'subOrchestrationInstanceCreated');
    assert.equal(created.eventType.value.instanceId, child);
  });

  // [wp 5.7-completed, 5.7-failed]
  it('tell their parent how they ended', async () => {
    const [parent, good, bad] = [await start(host().client), freshId('good'), freshId('bad')];
    await worker.run(parent, [createChild(1, good), createChild(2, bad)]);
    await worker.run(good, [complete('"fine"')]);
    const first = await worker.run(parent);
    const done = first.request.newEvents[1];
    assert.ok(done?.eventType.case === 'subOrchestrationInstanceCompleted');
    assert.deepEqual(
      [done.eventType.value.taskScheduledId, done.eventType.value.result],
      [1, '"fine"'],
    );
    await worker.run(bad, [fail('E', 'broken')]);
    const failed = failureIn(await worker.run(parent, [complete()]));
    assert.equal(failed.taskScheduledId, 2);
    assert.equal(failed.failureDetails?.errorMessage, 'broken');
  });

  for (const status of [TERMINATED, CANCELED]) {
    // [wp 5.7-terminated]
    it(`that end with status ${status} are failures with details`, async () => {
      const { parent, child } = await family();
      await host().client.call(rpc.raiseEvent, { instanceId: child, name: 'E' });
      await worker.run(child, [completeWith(status)]);
      const { failureDetails } = failureIn(await worker.run(parent, [complete()]));
      assert.equal(failureDetails?.errorType, 'OrchestrationTerminated');
      assert.notEqual(failureDetails.errorMessage, '');
    });
  }

  // [wp 5.7-id-taken-live]
  it('whose id a live instance has fail at once, and leave that one alone', async () => {
    const live = await start(host().client);
    await worker.run(live);
    const before = await stateOf(host().client, live);
    const parent = await start(host().client);
    await worker.run(parent, [createChild(1, live)]);
    const failed = failureIn(await worker.run(parent, [complete()]));
    assert.equal(failed.failureDetails?.errorType, 'OrchestrationAlreadyExists');
    assert.deepEqual(await stateOf(host().client, live), before);
    await end(live);
  });

  // [wp 5.7-id-taken-terminal]
  it('replace an ended instance of their id, as retries do', async () => {
    const [parent, child] = [await start(host().client), freshId('child')];
    await worker.run(parent, [createChild(1, child)]);
    const first = await worker.run(child, [fail('E', 'once')]);
    await worker.run(parent, [createChild(3, child)]);
    const second = await worker.run(child, [complete('"twice"')]);
    assert.notEqual(second.request.executionId, first.request.executionId);
    assert.deepEqual(second.request.pastEvents, []);
    const { request } = await worker.run(parent, [complete()]);
    const event = request.newEvents[1];
    assert.ok(event?.eventType.case === 'subOrchestrationInstanceCompleted');
    assert.equal(event.eventType.value.taskScheduledId, 3);
  });

  // [wp 5.7-delivery]
  it('tell nobody when their parent is gone or another execution', async () => {
    const { parent, child } = await family();
    await host().client.call(rpc.raiseEvent, { instanceId: parent, name: 'Next' });
    await worker.run(parent, [continueAsNew()]);
    await worker.run(parent);
    await host().client.call(rpc.raiseEvent, { instanceId: child, name: 'E' });
    await worker.run(child, [complete('"late"')]);
    await host().client.call(rpc.raiseEvent, { instanceId: parent, name: 'Probe' });
    const { request } = await worker.run(parent, [complete()]);
    assert.deepEqual(types(request.newEvents), ['orchestratorStarted', 'eventRaised']);
  });

  // [wp 5.8-recursive]
  it('are terminated with their parent when that is asked for, after it', async () => {
    const { parent, child } = await family();
    const input = { instanceId: parent, recursive: true, output: '"all"' };
    await host().client.call(rpc.terminateInstance, input);
    const turn = await worker.turn(parent);
    assert.equal(worker.items.length, 0);
    await worker.answer(turn, [completeWith(TERMINATED, { result: '"all"' })]);
    const { request } = await worker.run(child, [completeWith(TERMINATED, { result: '"all"' })]);
    const event = request.newEvents[1];
    assert.ok(event?.eventType.case === 'executionTerminated');
    assert.deepEqual([event.eventType.value.input, event.eventType.value.recurse], ['"all"', true]);
    assert.equal((await ended(host().client, child)).orchestrationStatus, TERMINATED);
  });

  // [wp 5.11-new-execution, 5.11-same-identity, 5.11-carryover, 5.11-order]
  it('of the next generation are the same instance in a new execution', async () => {
    const parentTraceContext = { traceParent: '00-1-2-01' };
    const asked = { version: '1', tags: { a: 'b' }, input: '1', parentTraceContext };
    const id = await start(host().client, asked);
    const turn = await worker.turn(id);
    await host().client.call(rpc.raiseEvent, { instanceId: id, name: 'Inbox' });
    const carried = create(HistoryEventSchema, {
      eventType: { case: 'eventRaised', value: { name: 'Carried' } },
    });
    const self = sendEvent(1, id, 'Self', '0');
    await worker.answer(turn, [self, continueAsNew('2', [carried])]);
    const next = await worker.turn(id);
    assert.deepEqual(next.request.pastEvents, []);
    assert.notEqual(next.request.executionId, turn.request.executionId);
    assert.match(next.request.executionId ?? '', /^[0-9a-f]{32}$/);
    const started = next.request.newEvents[1];
    assert.ok(started?.eventType.case === 'executionStarted');
    const { value } = started.eventType;
    assert.deepEqual([value.name, value.version, value.input], ['Orchestrator', '1', '2']);
    assert.deepEqual(value.tags, { a: 'b' });
    assert.equal(value.parentTraceContext?.traceParent, '00-1-2-01');
    assert.equal(value.orchestrationInstance?.executionId, next.request.executionId);
    const names = next.request.newEvents.flatMap(({ eventType, timestamp }) => {
      assert.ok(timestamp && timestamp.seconds > 0n);
      return eventType.case === 'eventRaised' ? [eventType.value.name] : [];
    });
    assert.deepEqual(names, ['Carried', 'Inbox', 'Self']);
    await worker.answer(next, [complete()]);
  });

  // [wp 5.11-new-version]
  it('may change their version from one generation to the next', async () => {
    const id = await start(host().client, { version: '1' });
    await worker.run(id, [completeWith(CONTINUED_AS_NEW, { newVersion: '2' })]);
    const { request } = await worker.run(id, [complete()]);
    const started = request.newEvents[1];
    assert.ok(started?.eventType.case === 'executionStarted');
    assert.equal(started.eventType.value.version, '2');
    assert.equal((await ended(host().client, id)).version, '2');
  });

  // [wp 5.11-status, 12-created]
  it('show as running between two generations, created when the first was', async () => {
    const id = await start(host().client, { input: '1' });
    const { createdTimestamp } = await stateOf(host().client, id);
    host().clock.advance(1_000);
    await worker.run(id, [continueAsNew('2')]);
    const state = await stateOf(host().client, id);
    assert.equal(state.orchestrationStatus, RUNNING);
    assert.deepEqual(state.createdTimestamp, createdTimestamp);
    assert.equal(state.completedTimestamp, undefined);
    assert.equal(state.input, '2');
    await worker.run(id, [complete()]);
  });

  // [wp 5.11-fenced, 5.3-other-execution]
  it('are not told of what the generation before had asked for', async () => {
    const id = await start(host().client);
    const [child, fireAt] = [freshId('child'), host().clock.now() + 5_000];
    await worker.run(id, [scheduleTask(1), createTimer(2, fireAt), createChild(3, child)]);
    const task = await worker.task(id);
    await worker.run(child);
    await host().client.call(rpc.raiseEvent, { instanceId: id, name: 'Next' });
    await worker.run(id, [continueAsNew()]);
    await worker.run(id);
    await worker.finish(task, { result: '"late"' }).catch((error: unknown) => {
      assert.equal((error as { readonly code?: number }).code, 5);
    });
    host().clock.advance(6_000);
    await end(child);
    await host().client.call(rpc.raiseEvent, { instanceId: id, name: 'Probe' });
    const { request } = await worker.run(id, [complete()]);
    assert.deepEqual(types(request.newEvents), ['orchestratorStarted', 'eventRaised']);
  });

  // [wp 5.5-can-mixture]
  it('begin although work comes together with continue-as-new: all of it is done but the timers', async () => {
    const [id, child] = [await start(host().client), freshId('child')];
    await worker.run(id, [
      continueAsNew('2'),
      scheduleTask(1),
      createChild(2, child),
      createTimer(3, host().clock.now()),
    ]);
    const next = await worker.turn(id);
    await worker.task(id);
    await worker.run(child, [complete()]);
    assert.deepEqual(types(next.request.newEvents), ['orchestratorStarted', 'executionStarted']);
    await worker.answer(next, [complete()]);
    assert.equal((await history(host().client, id)).length, 3);
  });

  // [wp 5.7-continue-as-new]
  it('keep their parent through generations', async () => {
    const { parent, child } = await family();
    await host().client.call(rpc.raiseEvent, { instanceId: child, name: 'Next' });
    await worker.run(child, [continueAsNew('2')]);
    const { request } = await worker.run(child, [complete('"last"')]);
    const started = request.newEvents[1];
    assert.ok(started?.eventType.case === 'executionStarted');
    assert.equal(started.eventType.value.parentInstance?.orchestrationInstance?.instanceId, parent);
    const told = await worker.run(parent, [complete()]);
    assert.deepEqual(types(told.request.newEvents), [
      'orchestratorStarted',
      'subOrchestrationInstanceCompleted',
    ]);
  });

  // [wp 5.5-action-ids, 9-first-action-id]
  it('work with action ids that begin at 0, and completions with any id', async () => {
    const [id, child] = [await start(host().client), freshId('child')];
    await worker.run(id, [scheduleTask(0), createChild(1, child)]);
    await worker.finish(await worker.task(id));
    await worker.run(child, [completeWith(OrchestrationStatus.COMPLETED, {}, 0)]);
    let seen = 0;
    while (seen < 2) seen += (await worker.run(id)).request.newEvents.length - 1;
    await host().client.call(rpc.raiseEvent, { instanceId: id, name: 'E' });
    await worker.run(id, [completeWith(OrchestrationStatus.COMPLETED, {}, 2)]);
    const ids = (await history(host().client, id)).map(({ eventId }) => eventId);
    assert.deepEqual(ids.filter((eventId) => eventId >= 0).slice(0, 2), [0, 1]);
  });

  // [wp 5.5-several-sends]
  it('may send several events under one action id', async () => {
    const target = await start(host().client);
    await worker.run(target);
    const id = await start(host().client);
    await worker.run(id, [sendEvent(1, target, 'A'), sendEvent(1, target, 'B'), complete()]);
    const { request } = await worker.run(target, [complete()]);
    assert.deepEqual(types(request.newEvents).slice(1), ['eventRaised', 'eventRaised']);
  });
});
