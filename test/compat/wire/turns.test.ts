import assert from 'node:assert/strict';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import {
  OrchestrationStatus,
  TaskHubSidecarService,
} from '../../../src/proto/orchestrator_service_pb.ts';
import {
  complete,
  completeWith,
  createChild,
  createTimer,
  scheduleTask,
  sendEvent,
  terminateOther,
} from '../../support/actions.ts';
import { ended, freshId, history, start, stateOf } from '../support/calls.ts';
import { types, type HandWorker } from '../support/hand-worker.ts';
import { schedulerForTests } from '../support/scheduler-under-test.ts';

const rpc = TaskHubSidecarService.method;
const { COMPLETED, RUNNING, SUSPENDED, TERMINATED } = OrchestrationStatus;

describe('Turns on the wire', function () {
  this.timeout(15_000);
  const host = schedulerForTests();
  let worker: HandWorker;
  before(async () => {
    worker = await host().worker();
  });
  after(() => {
    worker.cut();
  });

  const raise = (instanceId: string, name: string): Promise<unknown> =>
    host().client.call(rpc.raiseEvent, { instanceId, name });
  const terminate = (instanceId: string, recursive = false): Promise<unknown> =>
    host().client.call(rpc.terminateInstance, { instanceId, output: '"stop"', recursive });

  // [wp 5.2-order, 5.2-started-once, 8-started-first, 3.3-pending-events]
  it('begin with orchestratorStarted, then executionStarted, then the rest as it arrived', async () => {
    worker.cut();
    await worker.stream.ended;
    const id = await start(host().client);
    await raise(id, 'A');
    await host().client.call(rpc.suspendInstance, { instanceId: id });
    await raise(id, 'B');
    await host().client.call(rpc.resumeInstance, { instanceId: id });
    worker = await host().worker();
    const { request } = await worker.run(id);
    assert.deepEqual(types(request.newEvents), [
      'orchestratorStarted',
      'executionStarted',
      'eventRaised',
      'executionSuspended',
      'eventRaised',
      'executionResumed',
    ]);
    assert.ok(request.newEvents.every(({ eventId, timestamp }) => eventId === -1 && timestamp));
    await raise(id, 'C');
    const next = await worker.run(id, [complete()]);
    assert.deepEqual(types(next.request.newEvents), ['orchestratorStarted', 'eventRaised']);
    assert.deepEqual(next.request.pastEvents, request.newEvents);
  });

  // [wp 5.2-clock]
  it('have a clock that goes on, and is not before the timers that fired', async () => {
    const id = await start(host().client);
    const fireAt = host().clock.now() + 50_000;
    const first = await worker.run(id, [createTimer(1, fireAt)]);
    host().clock.advance(51_000);
    const second = await worker.run(id, [complete()]);
    const at = ({ request }: typeof first): number => {
      const { timestamp } = request.newEvents[0] ?? {};
      assert.ok(timestamp);
      return timestampMs(timestamp);
    };
    assert.ok(at(second) >= fireAt && at(second) >= at(first));
    const fired = second.request.newEvents[1];
    assert.ok(fired?.eventType.case === 'timerFired');
    assert.deepEqual([fired.eventType.value.timerId, fired.eventId], [1, -1]);
    assert.equal(fired.eventType.value.fireAt && timestampMs(fired.eventType.value.fireAt), fireAt);
  });

  // [wp 5.3-deduplicated]
  it('hold one completion for each task and timer', async () => {
    const id = await start(host().client);
    await worker.run(id, [scheduleTask(1), createTimer(2, 0)]);
    await worker.finish(await worker.task(id), { result: '1' });
    const seen: string[] = [];
    while (seen.length < 2) {
      const { request } = await worker.run(id);
      seen.push(...types(request.newEvents).slice(1).map(String));
    }
    host().clock.advance(60_000);
    await raise(id, 'Done');
    const last = await worker.run(id, [complete()]);
    assert.deepEqual([...seen].sort(), ['taskCompleted', 'timerFired']);
    assert.deepEqual(types(last.request.newEvents), ['orchestratorStarted', 'eventRaised']);
  });

  // [wp 5.5-with-completion]
  it('carry out what comes together with a completion', async () => {
    const [target, child] = [await start(host().client), freshId('child')];
    await worker.run(target);
    const id = await start(host().client);
    await worker.run(id, [
      sendEvent(1, target, 'Hello', '1'),
      createChild(2, child),
      scheduleTask(3),
      createTimer(4, host().clock.now() + 1_000),
      complete('"done"'),
      sendEvent(5, target, 'Bye'),
    ]);
    await worker.finish(await worker.task(id));
    await worker.run(child, [complete()]);
    const { request } = await worker.run(target);
    const rest = types(request.newEvents).length < 3 ? await worker.run(target) : undefined;
    const events = [...request.newEvents, ...(rest?.request.newEvents ?? [])];
    assert.equal(types(events).filter((type) => type === 'eventRaised').length, 2);
    assert.equal((await ended(host().client, id)).output, '"done"');
    assert.deepEqual(types(await history(host().client, id)), [
      'orchestratorStarted',
      'executionStarted',
      'eventSent',
      'subOrchestrationInstanceCreated',
      'taskScheduled',
      'eventSent',
      'executionCompleted',
    ]);
    await terminate(target);
    await worker.run(target, [completeWith(TERMINATED)]);
  });

  // [wp 5.5-terminate-action]
  it('may terminate another instance, or nobody', async () => {
    const target = await start(host().client);
    await worker.run(target);
    const id = await start(host().client);
    await worker.run(id, [
      terminateOther(1, target),
      terminateOther(2, freshId('missing')),
      complete(),
    ]);
    const { request } = await worker.run(target, [completeWith(TERMINATED)]);
    assert.deepEqual(types(request.newEvents), ['orchestratorStarted', 'executionTerminated']);
    assert.equal((await ended(host().client, target)).orchestrationStatus, TERMINATED);
    assert.ok(!types(await history(host().client, id)).includes('executionTerminated'));
  });

  // [wp 5.8-together]
  it('that hold a terminate among others end as the worker says', async () => {
    const id = await start(host().client);
    const turn = await worker.turn(id);
    await raise(id, 'A');
    await terminate(id);
    await raise(id, 'B');
    await worker.answer(turn, []);
    const { request } = await worker.run(id, [completeWith(TERMINATED, { result: '"stop"' })]);
    assert.deepEqual(types(request.newEvents).slice(1), [
      'eventRaised',
      'executionTerminated',
      'eventRaised',
    ]);
    const state = await ended(host().client, id);
    assert.deepEqual([state.orchestrationStatus, state.output], [TERMINATED, '"stop"']);
  });

  // [wp 5.8-empty-output]
  it('that end terminated with an empty text keep it', async () => {
    const id = await start(host().client);
    await worker.run(id, [completeWith(TERMINATED, { result: '' })]);
    assert.equal((await ended(host().client, id)).output, '');
  });

  // [wp 5.8-after-continue-as-new]
  it('let a terminate reach the next generation', async () => {
    const id = await start(host().client);
    const turn = await worker.turn(id);
    await terminate(id);
    await worker.answer(turn, [completeWith(OrchestrationStatus.CONTINUED_AS_NEW)]);
    const state = await stateOf(host().client, id);
    if (state.orchestrationStatus !== TERMINATED) {
      const { request } = await worker.run(id, [completeWith(TERMINATED, { result: '"stop"' })]);
      assert.ok(types(request.newEvents).includes('executionTerminated'));
    }
    assert.equal((await ended(host().client, id)).orchestrationStatus, TERMINATED);
  });

  // [wp 5.9-suspended, 5.9-resumed, 5.9-events]
  it('are handed out while suspended, and show it', async () => {
    const id = await start(host().client);
    await worker.run(id);
    await host().client.call(rpc.suspendInstance, { instanceId: id, reason: 'lunch' });
    const status = async (): Promise<OrchestrationStatus> =>
      (await stateOf(host().client, id)).orchestrationStatus;
    const { request } = await worker.run(id);
    const event = request.newEvents[1];
    assert.ok(event?.eventType.case === 'executionSuspended');
    assert.equal(event.eventType.value.input, 'lunch');
    assert.equal(await status(), SUSPENDED);
    await raise(id, 'E');
    const during = await worker.run(id);
    assert.deepEqual(types(during.request.newEvents), ['orchestratorStarted', 'eventRaised']);
    assert.equal(await status(), SUSPENDED);
    await host().client.call(rpc.resumeInstance, { instanceId: id });
    await worker.run(id);
    assert.equal(await status(), RUNNING);
    await terminate(id);
    await worker.run(id, [completeWith(TERMINATED)]);
  });

  // [wp 5.4-completion-wins]
  it('that complete a suspended orchestration end it', async () => {
    const id = await start(host().client);
    await worker.run(id);
    await host().client.call(rpc.suspendInstance, { instanceId: id });
    await worker.run(id, [complete('"anyway"')]);
    assert.equal((await ended(host().client, id)).orchestrationStatus, COMPLETED);
  });

  // [wp 8-terminal]
  it('end with the orchestration: what was on its way is dropped', async () => {
    const id = await start(host().client);
    const turn = await worker.turn(id);
    await raise(id, 'Late');
    await worker.answer(turn, [complete('"done"')]);
    const probe = await start(host().client);
    await worker.run(probe, [complete()]);
    assert.equal(worker.items.length, 0);
    assert.equal((await history(host().client, id)).length, 3);
  });

  // [wp 5.13-response]
  it('bring back the trace context of the last answer, until the execution is a new one', async () => {
    const id = await start(host().client);
    const orchestrationTraceContext = { spanID: 's1', spanStartTime: { seconds: 7n, nanos: 1 } };
    await worker.run(id, [], { orchestrationTraceContext });
    await raise(id, 'E');
    const second = await worker.run(id, [completeWith(OrchestrationStatus.CONTINUED_AS_NEW)], {
      orchestrationTraceContext,
    });
    assert.equal(second.request.orchestrationTraceContext?.spanID, 's1');
    assert.equal(second.request.orchestrationTraceContext.spanStartTime?.seconds, 7n);
    const third = await worker.run(id, [complete()]);
    assert.equal(third.request.orchestrationTraceContext, undefined);
  });

  // [wp 5.13-actions, 5.7-started, 2-tags]
  it('hand trace context, tags and version of an action on to the child and the history', async () => {
    const [id, child] = [await start(host().client, { tags: { of: 'parent' } }), freshId('child')];
    const parentTraceContext = { traceParent: '00-1-2-01', traceState: 'a=b' };
    const asked = { version: '3', input: '[]', tags: { of: 'child' }, parentTraceContext };
    await worker.run(id, [createChild(4, child, asked)]);
    const { request } = await worker.run(child, [complete('"ok"')]);
    const started = request.newEvents[1];
    assert.ok(started?.eventType.case === 'executionStarted');
    const { value } = started.eventType;
    assert.deepEqual([value.name, value.version, value.input], ['Child', '3', '[]']);
    assert.deepEqual(value.tags, { of: 'child' });
    assert.equal(value.parentTraceContext?.traceParent, '00-1-2-01');
    assert.equal(value.parentTraceContext.traceState, 'a=b');
    assert.equal(value.parentInstance?.taskScheduledId, 4);
    assert.equal(value.parentInstance.name, 'Orchestrator');
    assert.equal(value.parentInstance.orchestrationInstance?.instanceId, id);
    const parentTurn = await worker.run(id, [complete()]);
    const execution = value.parentInstance.orchestrationInstance.executionId;
    assert.equal(parentTurn.request.executionId, execution);
    const created = parentTurn.request.pastEvents[2];
    assert.ok(created?.eventType.case === 'subOrchestrationInstanceCreated');
    assert.deepEqual(created.eventType.value.tags, { of: 'child' });
    assert.equal(created.eventType.value.parentTraceContext?.traceParent, '00-1-2-01');
  });
});
