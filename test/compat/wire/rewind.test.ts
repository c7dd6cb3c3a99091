import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import {
  OrchestrationStatus,
  TaskHubSidecarService,
} from '../../../src/proto/orchestrator_service_pb.ts';
import { complete, createChild, fail, scheduleTask } from '../../support/actions.ts';
import { ended, freshId, history, start, stateOf } from '../support/calls.ts';
import { shape } from '../support/history-shape.ts';
import { types, type HandWorker } from '../support/hand-worker.ts';
import { schedulerForTests } from '../support/scheduler-under-test.ts';

const rpc = TaskHubSidecarService.method;
const { FAILED, RUNNING } = OrchestrationStatus;
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
});
