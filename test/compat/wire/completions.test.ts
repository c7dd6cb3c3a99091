import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import {
  OrchestrationStatus,
  TaskHubSidecarService,
} from '../../../src/proto/orchestrator_service_pb.ts';
import { action, complete, completeWith, scheduleTask } from '../../support/actions.ts';
import { ended, freshId, history, start, stateOf } from '../support/calls.ts';
import { turnOfAny, types, type HandWorker } from '../support/hand-worker.ts';
import { schedulerForTests } from '../support/scheduler-under-test.ts';

const rpc = TaskHubSidecarService.method;
const { FAILED } = OrchestrationStatus;

describe('Completions on the wire', function () {
  this.timeout(15_000);
  const host = schedulerForTests();
  let worker: HandWorker;
  before(async () => {
    worker = await host().worker();
  });
  after(() => {
    worker.cut();
  });

  function unknown(token: string): { readonly code: number; readonly details: string } {
    const details = `Work item '${token}' with completion count '0' not found`;
    return { code: status.NOT_FOUND, details };
  }

  // [wp 4.5-used, 1.2-permanent-refusal]
  it('count once: the second one of a turn is refused and changes nothing', async () => {
    const id = await start(host().client);
    const turn = await worker.run(id, [complete('"first"')]);
    await assert.rejects(worker.answer(turn, [complete('"second"')]), unknown(turn.token));
    assert.equal((await ended(host().client, id)).output, '"first"');
  });

  // [wp 4.5-used, 4.7-activity-completed]
  it('count once for an activity too', async () => {
    const id = await start(host().client);
    await worker.run(id, [scheduleTask(1)]);
    const task = await worker.task(id);
    await worker.finish(task, { result: '1' });
    await assert.rejects(worker.finish(task, { result: '2' }), unknown(task.token));
    const { request } = await worker.run(id, [complete()]);
    assert.deepEqual(types(request.newEvents), ['orchestratorStarted', 'taskCompleted']);
    const event = request.newEvents[1];
    assert.ok(event?.eventType.case === 'taskCompleted');
    assert.equal(event.eventId, -1);
    assert.equal(event.eventType.value.result, '1');
  });

  for (const token of ['garbage', '1:2:3', `99999:1:${'a'.repeat(32)}`, '1.2:3:ffff', ':::']) {
    // [wp 4.5-unknown]
    it(`are refused with the token '${token}'`, async () => {
      const call = { instanceId: 'any', completionToken: token };
      const { client } = host();
      await assert.rejects(client.call(rpc.completeOrchestratorTask, call), unknown(token));
      await assert.rejects(client.call(rpc.completeActivityTask, call), unknown(token));
    });
  }

  // [wp 4.5-empty]
  it('need a token', async () => {
    const refusal = { code: status.INVALID_ARGUMENT };
    await assert.rejects(host().client.call(rpc.completeOrchestratorTask, {}), refusal);
    await assert.rejects(host().client.call(rpc.completeActivityTask, {}), refusal);
  });

  // [wp 4.5-kind]
  it('of one kind do not take the token of another', async () => {
    const id = await start(host().client);
    const turn = await worker.turn(id);
    await assert.rejects(
      host().client.call(rpc.completeActivityTask, { completionToken: turn.token }),
      unknown(turn.token),
    );
    await worker.answer(turn, [complete()]);
  });

  // [wp 4.7-terminal]
  it('of an activity whose orchestration has ended are accepted or refused for good, and dropped', async () => {
    const id = await start(host().client);
    await worker.run(id, [scheduleTask(1)]);
    const task = await worker.task(id);
    await host().client.call(rpc.terminateInstance, { instanceId: id });
    await worker.run(id, [completeWith(OrchestrationStatus.TERMINATED)]);
    const before = await history(host().client, id);
    await worker.finish(task, { result: '1' }).catch((error: unknown) => {
      assert.equal((error as { readonly code?: number }).code, status.NOT_FOUND);
    });
    assert.deepEqual(await history(host().client, id), before);
  });

  // [wp 5.4-chunks, 9-chunked]
  it('may come in chunks, and are committed whole at the last', async () => {
    const id = await start(host().client);
    const turn = await worker.turn(id);
    const part = { isPartial: true, customStatus: '"busy"' };
    await worker.answer(turn, [scheduleTask(0, 'A')], {
      ...part,
      chunkIndex: 0,
      orchestrationTraceContext: { spanID: 'span' },
    });
    await worker.answer(turn, [scheduleTask(1, 'B')], {
      ...part,
      chunkIndex: 1,
      numEventsProcessed: 0,
    });
    assert.equal((await history(host().client, id)).length, 0);
    const last = { customStatus: '"busy"', chunkIndex: 2, numEventsProcessed: 0 };
    await worker.answer(turn, [scheduleTask(2, 'C')], last);
    const tasks = [await worker.task(id), await worker.task(id), await worker.task(id)];
    assert.deepEqual(tasks.map(({ request }) => request.name).sort(), ['A', 'B', 'C']);
    assert.deepEqual(types(await history(host().client, id)), [
      'orchestratorStarted',
      'executionStarted',
      ...Array.from({ length: 3 }, () => 'taskScheduled'),
    ]);
    assert.equal((await stateOf(host().client, id)).customStatus, '"busy"');
    for (const task of tasks) await worker.finish(task);
    const next = await worker.turn(id);
    assert.equal(next.request.orchestrationTraceContext?.spanID, 'span');
    await worker.answer(next, [complete()]);
  });

  // [wp 5.4-chunk-repeated]
  it('may repeat a chunk, which replaces the first', async () => {
    const id = await start(host().client);
    const turn = await worker.turn(id);
    const part = { isPartial: true, chunkIndex: 0 };
    await worker.answer(turn, [scheduleTask(0, 'Lost')], part);
    await worker.answer(turn, [scheduleTask(0, 'Kept')], part);
    await worker.answer(turn, [], { chunkIndex: 1, numEventsProcessed: 0 });
    assert.equal((await worker.task(id)).request.name, 'Kept');
    assert.equal(types(await history(host().client, id)).length, 3);
  });

  // [wp 5.4-chunk-lost]
  it('are dropped with the stream that sent half of them', async () => {
    const id = await start(host().client, { name: 'Halved' });
    const filters = { workItemFilters: { orchestrations: [{ name: 'Halved' }] } };
    const turn = await worker.turn(id);
    await worker.answer(turn, [scheduleTask(0, 'Half')], { isPartial: true, chunkIndex: 0 });
    worker.cut();
    await worker.stream.ended;
    worker = await host().worker();
    const other = await host().worker({ request: filters });
    host().clock.advance(2_000);
    const { turn: again } = await turnOfAny([other, worker], id);
    await worker.answer(again, [complete('"whole"')]);
    assert.equal((await ended(host().client, id)).output, '"whole"');
    assert.ok(!types(await history(host().client, id)).includes('taskScheduled'));
    other.cut();
  });

  // [wp 5.4-num-events]
  it('may process the first events only; the rest comes first in the next turn', async () => {
    const id = await start(host().client);
    await worker.run(id);
    for (const name of ['A', 'B', 'C']) {
      await host().client.call(rpc.raiseEvent, { instanceId: id, name });
    }
    let seen: string[] = [];
    let turn = await worker.turn(id);
    const names = (events: typeof turn.request.newEvents): string[] =>
      events.flatMap(({ eventType }) =>
        eventType.case === 'eventRaised' ? [eventType.value.name] : [],
      );
    while (seen.length < 3) {
      seen = [...seen, ...names(turn.request.newEvents).slice(0, 1)];
      await worker.answer(turn, seen.length === 3 ? [complete()] : [], { numEventsProcessed: 2 });
      if (seen.length < 3) turn = await worker.turn(id);
    }
    assert.deepEqual(seen, ['A', 'B', 'C']);
    assert.equal(
      types(await history(host().client, id)).filter((type) => type === 'eventRaised').length,
      3,
    );
  });

  // [wp 5.4-requires-history]
  it('may ask for the history instead, which comes in full', async () => {
    const sticky = await host().worker({
      request: { workItemFilters: { orchestrations: [{ name: 'Sticky' }] } },
      headers: { 'x-durabletask-sticky': '1' },
    });
    const id = freshId();
    worker.cut();
    await worker.stream.ended;
    await start(host().client, { instanceId: id, name: 'Sticky' });
    await sticky.run(id, []);
    await host().client.call(rpc.raiseEvent, { instanceId: id, name: 'E' });
    const short = await sticky.turn(id);
    assert.deepEqual(short.request.pastEvents, []);
    await sticky.answer(short, [complete('"ignored"')], { requiresHistory: true });
    const full = await sticky.turn(id);
    assert.deepEqual(types(full.request.pastEvents), ['orchestratorStarted', 'executionStarted']);
    assert.ok(types(full.request.newEvents).includes('eventRaised'));
    await sticky.answer(full, [complete('"known"')]);
    assert.equal((await ended(host().client, id)).output, '"known"');
    sticky.cut();
    worker = await host().worker();
  });

  // [wp 5.4-empty]
  it('without actions are normal', async () => {
    const id = await start(host().client);
    await worker.run(id, []);
    assert.equal(
      (await stateOf(host().client, id)).orchestrationStatus,
      OrchestrationStatus.RUNNING,
    );
    await host().client.call(rpc.raiseEvent, { instanceId: id, name: 'E' });
    await worker.run(id, [complete()]);
  });

  // [wp 5.5-unset]
  it('with an action of no type fail the orchestration rather than loop', async () => {
    const id = await start(host().client);
    await worker.run(id, [action(1, { case: undefined })]);
    const state = await ended(host().client, id);
    assert.equal(state.orchestrationStatus, FAILED);
    assert.match(state.failureDetails?.errorMessage ?? '', /no type that this scheduler knows/);
  });

  // [wp 5.5-several-completions]
  it('with several completions end with the last', async () => {
    const id = await start(host().client);
    await worker.run(id, [complete('"first"'), complete('"last"')]);
    assert.equal((await ended(host().client, id)).output, '"last"');
    assert.equal(
      types(await history(host().client, id)).filter((type) => type === 'executionCompleted')
        .length,
      1,
    );
  });

  // [wp 5.10-overwrite, 5.10-empty, 5.10-keep-on-failure]
  it('set the custom status, clear it with none or an empty text, and keep it on a failure', async () => {
    const id = await start(host().client);
    const customStatus = async (): Promise<string | undefined> =>
      (await stateOf(host().client, id)).customStatus;
    const again = (): Promise<unknown> =>
      host().client.call(rpc.raiseEvent, { instanceId: id, name: 'E' });
    await worker.run(id, [], { customStatus: '"a"' });
    assert.equal(await customStatus(), '"a"');
    await again();
    await worker.run(id, []);
    assert.equal(await customStatus(), undefined);
    await again();
    await worker.run(id, [], { customStatus: '"b"' });
    await again();
    await worker.run(id, [], { customStatus: '' });
    assert.equal(await customStatus(), undefined);
    await again();
    await worker.run(id, [], { customStatus: '"c"' });
    await again();
    const failureDetails = { errorType: 'E', errorMessage: 'm' };
    await worker.run(id, [completeWith(FAILED, { failureDetails })]);
    assert.equal(await customStatus(), '"c"');
  });
});
