import assert from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import {
  HistoryEventSchema,
  OrchestrationStatus,
  TaskHubSidecarService,
} from '../../../src/proto/orchestrator_service_pb.ts';
import { action, complete, createChild, fail, scheduleTask } from '../../support/actions.ts';
import { ended, freshId, history, start, stateOf } from '../support/calls.ts';
import { shape } from '../support/history-shape.ts';
import { types, type HandWorker } from '../support/hand-worker.ts';
import { schedulerForTests } from '../support/scheduler-under-test.ts';

const rpc = TaskHubSidecarService.method;
const { COMPLETED, FAILED, RUNNING } = OrchestrationStatus;
const failureDetails = { errorType: 'E', errorMessage: 'm' };

describe('Rewind on the wire', function () {
  this.timeout(15_000);
  const host = schedulerForTests();
  let worker: HandWorker;
  before(async () => {
    worker = await host().worker();
  });
  after(() => {
    worker.cut();
  });

  const rewind = (instanceId: string): Promise<unknown> =>
    host().client.call(rpc.rewindInstance, { instanceId, reason: 'mended' });

  /** An orchestration that failed because its only activity did. */
  async function broken(): Promise<string> {
    const id = await start(host().client);
    await worker.run(id, [scheduleTask(1)]);
    await worker.finish(await worker.task(id), { failureDetails });
    await worker.run(id, [fail('E', 'm')]);
    return id;
  }

  // [wp 6.1-missing, 6.1-running, 6.1-other-terminal, 3.1-rewind]
  it('is refused with the state that stands against it', async () => {
    await assert.rejects(rewind(freshId('missing')), { code: status.NOT_FOUND });
    const id = await start(host().client);
    const refusal = { code: status.FAILED_PRECONDITION };
    await assert.rejects(rewind(id), { ...refusal, details: /not allow|precondition|running/i });
    await worker.run(id, [complete()]);
    await assert.rejects(rewind(id), refusal);
  });

  // [wp 6.2-server-side, 6.4-dispatch, 5.2-not-for-workers]
  it('leads to an ordinary turn: no failure, no rewind, nothing but the clock', async () => {
    const id = await broken();
    await rewind(id);
    const { request, token } = await worker.turn(id);
    assert.deepEqual(shape(request.pastEvents), [
      'orchestratorStarted -1',
      'executionStarted -1',
      'orchestratorStarted -1',
    ]);
    assert.deepEqual(types(request.newEvents), ['orchestratorStarted']);
    const streamed = await history(host().client, id, {
      executionId: request.executionId ?? '',
      forWorkItemProcessing: true,
    });
    assert.deepEqual(streamed, request.pastEvents);
    await worker.answer({ request, token }, [scheduleTask(1)]);
    await worker.finish(await worker.task(id), { result: '1' });
    await worker.run(id, [complete('"mended"')]);
    assert.equal((await ended(host().client, id)).output, '"mended"');
  });

  // [wp 6.4-cleared, 6.3-rewound-event]
  it('clears the end of the instance and leaves its mark for readers', async () => {
    const id = await broken();
    assert.equal((await stateOf(host().client, id)).orchestrationStatus, FAILED);
    await rewind(id);
    const state = await stateOf(host().client, id);
    assert.equal(state.orchestrationStatus, RUNNING);
    assert.deepEqual(
      [state.output, state.failureDetails, state.completedTimestamp],
      [undefined, undefined, undefined],
    );
    const marks = (await history(host().client, id)).flatMap(({ eventType }) =>
      eventType.case === 'executionRewound' ? [eventType.value.reason] : [],
    );
    assert.deepEqual(marks, ['mended']);
    await worker.run(id, [complete()]);
  });

  // [wp 6.3-execution-id, 6.4-children, 6.3-parent-execution]
  it('gives parent and failed child new executions that know each other', async () => {
    const [parent, child] = [await start(host().client), freshId('child')];
    const before = await worker.run(parent, [createChild(1, child)]);
    await worker.run(child, [scheduleTask(1)]);
    await worker.finish(await worker.task(child), { failureDetails });
    await worker.run(child, [fail('E', 'm')]);
    await worker.run(parent, [fail('E', 'm')]);

    await rewind(parent);

    const childTurn = await worker.turn(child);
    const { executionId } = await stateOf(host().client, parent);
    assert.notEqual(executionId, before.request.executionId);
    const started = childTurn.request.pastEvents[1];
    assert.ok(started?.eventType.case === 'executionStarted');
    const { parentInstance, orchestrationInstance } = started.eventType.value;
    assert.equal(parentInstance?.orchestrationInstance?.executionId, executionId);
    assert.equal(orchestrationInstance?.executionId, childTurn.request.executionId);
    await worker.answer(childTurn, [complete('"mended"')]);
    const told: string[] = [];
    while (!told.includes('subOrchestrationInstanceCompleted')) {
      const turn = await worker.turn(parent);
      told.push(...types(turn.request.newEvents).map(String));
      const isLast = told.includes('subOrchestrationInstanceCompleted');
      await worker.answer(turn, isLast ? [complete('"all"')] : []);
    }
    assert.equal((await ended(host().client, parent)).output, '"all"');
  });

  // [wp 5.5-rewind-action]
  it('by a worker’s own action replaces the history', async () => {
    const id = await start(host().client);
    const turn = await worker.turn(id);
    const [orchestratorStarted, started] = turn.request.newEvents;
    assert.ok(orchestratorStarted && started);
    const mark = create(HistoryEventSchema, {
      eventId: -1,
      eventType: { case: 'executionRewound', value: { reason: 'by the worker' } },
      ...(started.timestamp && { timestamp: started.timestamp }),
    });
    const newHistory = [orchestratorStarted, started, mark];
    await worker.answer(turn, [action(-1, { case: 'rewindOrchestration', value: { newHistory } })]);
    assert.equal((await stateOf(host().client, id)).orchestrationStatus, RUNNING);
    assert.ok(types(await history(host().client, id)).includes('executionRewound'));
    const next = await worker.run(id, [complete('"again"')]);
    assert.deepEqual(types(next.request.pastEvents), ['orchestratorStarted', 'executionStarted']);
    assert.equal((await ended(host().client, id)).orchestrationStatus, COMPLETED);
  });

  // [wp 5.5-rewind-action, 6.4-children]
  it('by a worker’s own action goes on to the failed children', async () => {
    const [parent, child] = [await start(host().client), freshId('child')];
    await worker.run(parent, [createChild(1, child)]);
    await worker.run(child, [scheduleTask(1)]);
    await worker.finish(await worker.task(child), { failureDetails });
    await worker.run(child, [fail('E', 'm')]);
    const turn = await worker.turn(parent);
    const newHistory = turn.request.pastEvents;
    await worker.answer(turn, [action(-1, { case: 'rewindOrchestration', value: { newHistory } })]);
    const childTurn = await worker.run(child, [complete('"mended"')]);
    assert.ok(!types(childTurn.request.pastEvents).includes('taskFailed'));
    const told: string[] = [];
    while (!told.includes('subOrchestrationInstanceCompleted')) {
      told.push(...types((await worker.run(parent)).request.newEvents).map(String));
    }
    await host().client.call(rpc.raiseEvent, { instanceId: parent, name: 'End' });
    await worker.run(parent, [complete()]);
  });

  // [wp 5.5-rewind-action]
  it('by a worker’s own action to a history that cannot run fails the orchestration', async () => {
    const id = await start(host().client);
    const none = action(-1, { case: 'rewindOrchestration', value: { newHistory: [] } });
    await worker.run(id, [none]);
    const { failureDetails: details } = await ended(host().client, id);
    assert.match(details?.errorMessage ?? '', /without executionStarted/);
  });
});
