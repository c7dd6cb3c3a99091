import assert from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import {
  OrchestrationStatus,
  TaskFailureDetailsSchema,
  TaskHubSidecarService,
} from '../../../src/proto/orchestrator_service_pb.ts';
import { complete, completeWith, createChild, fail, scheduleTask } from '../../support/actions.ts';
import { ended, freshId, history, start, stateOf } from '../support/calls.ts';
import { types, type HandWorker } from '../support/hand-worker.ts';
import { schedulerForTests } from '../support/scheduler-under-test.ts';

const rpc = TaskHubSidecarService.method;
const { COMPLETED, FAILED, RUNNING } = OrchestrationStatus;

describe('State, waits and events on the wire', function () {
  this.timeout(15_000);
  const host = schedulerForTests();
  let worker: HandWorker;
  before(async () => {
    worker = await host().worker();
  });
  after(() => {
    worker.cut();
  });

  // [wp 3.4-missing, 3.1-get]
  it('say that a missing instance, or an entity, does not exist', async () => {
    for (const instanceId of [freshId('missing'), '@counter@key']) {
      const reply = await host().client.call(rpc.getInstance, { instanceId });
      assert.deepEqual([reply.exists, reply.orchestrationState], [false, undefined]);
    }
  });

  // [wp 3.4-payloads]
  it('give payloads, custom status and failure only to those who ask', async () => {
    const id = await start(host().client, { input: '1' });
    await worker.run(id, [fail('E', 'broken')], { customStatus: '"half"' });
    const bare = await host().client.call(rpc.getInstance, { instanceId: id });
    const { input, output, customStatus, failureDetails } = bare.orchestrationState ?? {};
    assert.deepEqual([input, output, customStatus, failureDetails], Array(4).fill(undefined));
    const full = await stateOf(host().client, id);
    assert.equal(full.input, '1');
    assert.equal(full.failureDetails?.errorMessage, 'broken');
  });

  // [wp 3.4-output, 3.4-completed]
  it('show how an instance ended', async () => {
    const done = await start(host().client);
    await worker.run(done, [complete('"out"')]);
    const state = await ended(host().client, done);
    assert.deepEqual([state.orchestrationStatus, state.output], [COMPLETED, '"out"']);
    assert.ok(state.completedTimestamp);

    const broken = await start(host().client);
    await worker.run(broken, [
      completeWith(FAILED, {
        result: '"text"',
        failureDetails: { errorType: 'E', errorMessage: 'm' },
      }),
    ]);
    const failed = await ended(host().client, broken);
    assert.deepEqual([failed.orchestrationStatus, failed.output], [FAILED, undefined]);
    assert.equal(failed.failureDetails?.errorType, 'E');
  });

  // [wp 2-failure-details]
  it('keep failure details whole: inner failures, properties, retriability', async () => {
    const failureDetails = {
      errorType: 'Outer',
      errorMessage: 'outer',
      stackTrace: 'at x',
      isNonRetriable: true,
      innerFailure: {
        errorType: 'Inner',
        errorMessage: 'inner',
        innerFailure: { errorType: 'Root', errorMessage: 'root' },
      },
      properties: {
        code: { kind: { case: 'numberValue' as const, value: 7 } },
        when: { kind: { case: 'stringValue' as const, value: 'dt:2026-01-01T00:00:00Z' } },
      },
    };
    const [parent, child] = [await start(host().client), freshId('child')];
    await worker.run(parent, [createChild(1, child), scheduleTask(2)]);
    await worker.finish(await worker.task(parent), { failureDetails });
    await worker.run(child, [completeWith(FAILED, { failureDetails })]);

    const seen: unknown[] = [];
    while (seen.length < 2) {
      const { request } = await worker.run(parent, []);
      for (const { eventType } of request.newEvents) {
        if (eventType.case === 'taskFailed' || eventType.case === 'subOrchestrationInstanceFailed')
          seen.push(eventType.value.failureDetails);
      }
    }
    seen.push((await stateOf(host().client, child)).failureDetails);
    const whole = create(TaskFailureDetailsSchema, failureDetails);
    for (const details of seen) assert.deepEqual(details, whole);
  });

  // [wp 3.4-parent]
  it('name the parent of a child', async () => {
    const [parent, child] = [await start(host().client), freshId('child')];
    await worker.run(parent, [createChild(1, child)]);
    assert.equal((await stateOf(host().client, child)).parentInstanceId, parent);
    await worker.run(child, [complete()]);
  });

  // [wp 3.6-missing, 3.1-wait, 1.2-no-deadline]
  it('hold a wait for an instance that is not there yet', async () => {
    const instanceId = freshId('later');
    const waiting = host().client.call(rpc.waitForInstanceCompletion, {
      instanceId,
      getInputsAndOutputs: true,
    });
    await start(host().client, { instanceId });
    await worker.run(instanceId, [complete('"here"')]);
    assert.equal((await waiting).orchestrationState?.output, '"here"');
  });

  // [wp 3.6-completion]
  it('hold a wait for the end through continue-as-new', async () => {
    const id = await start(host().client);
    const waiting = ended(host().client, id);
    await worker.run(id, [completeWith(OrchestrationStatus.CONTINUED_AS_NEW, { result: '2' })]);
    await worker.run(id, [complete('"last"')]);
    assert.equal((await waiting).output, '"last"');
  });

  // [wp 3.6-start]
  it('end a wait for the start at whatever comes after pending', async () => {
    const id = await start(host().client);
    const waiting = host().client.call(rpc.waitForInstanceStart, { instanceId: id });
    await worker.run(id, [complete()]);
    assert.equal((await waiting).orchestrationState?.orchestrationStatus, COMPLETED);
  });

  // [wp 3.6-purged]
  it('end a wait whose instance is ended and purged at once', async () => {
    const scheduledStartTimestamp = timestampFromMs(host().clock.now() + 3_600_000);
    const instanceId = await start(host().client, { scheduledStartTimestamp });
    const waiting = host().client.call(rpc.waitForInstanceCompletion, { instanceId });
    await host().client.call(rpc.terminateInstance, { instanceId });
    const purged = await host().client.call(rpc.purgeInstances, {
      request: { case: 'instanceId', value: instanceId },
    });
    assert.equal(purged.deletedInstanceCount, 1);
    const { exists, orchestrationState } = await waiting;
    assert.equal(exists, orchestrationState !== undefined);
  });

  // [wp 3.6-many]
  it('end all waits for one instance', async () => {
    const id = await start(host().client);
    const waits = Array.from({ length: 20 }, () => ended(host().client, id));
    await worker.run(id, [complete('1')]);
    for (const state of await Promise.all(waits)) assert.equal(state.output, '1');
  });

  for (const [name, call] of [
    [
      'raiseEvent',
      (instanceId: string) => host().client.call(rpc.raiseEvent, { instanceId, name: 'E' }),
    ],
    [
      'terminateInstance',
      (instanceId: string) => host().client.call(rpc.terminateInstance, { instanceId }),
    ],
    [
      'suspendInstance',
      (instanceId: string) => host().client.call(rpc.suspendInstance, { instanceId }),
    ],
    [
      'resumeInstance',
      (instanceId: string) => host().client.call(rpc.resumeInstance, { instanceId }),
    ],
  ] as const) {
    // [wp 3.1-raise-missing, 3.1-terminate-missing, 3.1-suspend-missing, 1.2-missing]
    it(`refuse ${name} for a missing instance, and keep nothing for it`, async () => {
      const instanceId = freshId('missing');
      await assert.rejects(call(instanceId), { code: status.NOT_FOUND });
      await start(host().client, { instanceId });
      const { request } = await worker.run(instanceId, [complete()]);
      assert.deepEqual(types(request.newEvents), ['orchestratorStarted', 'executionStarted']);
    });

    // [wp 3.1-raise-terminal, 3.1-terminate-terminal, 3.1-suspend-terminal]
    it(`accept and drop ${name} for an ended instance`, async () => {
      const id = await start(host().client);
      await worker.run(id, [complete('"end"')]);
      const before = await history(host().client, id);
      await call(id);
      assert.deepEqual(await history(host().client, id), before);
      assert.equal((await stateOf(host().client, id)).output, '"end"');
    });
  }

  // [wp 3.1-raise-refused]
  it('refuse an event without a name or an instance', async () => {
    const id = await start(host().client);
    const refusal = { code: status.INVALID_ARGUMENT };
    const { client } = host();
    await assert.rejects(client.call(rpc.raiseEvent, { instanceId: id, name: '' }), refusal);
    await assert.rejects(client.call(rpc.raiseEvent, { instanceId: '', name: 'E' }), refusal);
    await worker.run(id, [complete()]);
  });

  // [wp 3.5-raise, 3.5-names]
  it('hand an event on as it came', async () => {
    const id = await start(host().client);
    await worker.run(id);
    await host().client.call(rpc.raiseEvent, { instanceId: id, name: 'MiXed', input: '{"a" :1}' });
    const { request } = await worker.run(id, [complete()]);
    const event = request.newEvents[1];
    assert.ok(event?.eventType.case === 'eventRaised');
    assert.equal(event.eventId, -1);
    assert.deepEqual(
      [event.eventType.value.name, event.eventType.value.input],
      ['MiXed', '{"a" :1}'],
    );
  });

  // [wp 3.11-missing, 3.1-history]
  it('stream an empty history of nobody, and of entities', async () => {
    assert.deepEqual(await history(host().client, freshId('missing')), []);
    assert.deepEqual(await history(host().client, '@counter@key'), []);
  });

  // [wp 3.11-client-mode]
  it('stream the history of the current execution, or of the one that is named', async () => {
    const id = await start(host().client);
    const { request } = await worker.run(id);
    const { executionId = '' } = request;
    assert.equal((await stateOf(host().client, id)).orchestrationStatus, RUNNING);
    assert.equal((await history(host().client, id)).length, 2);
    assert.equal((await history(host().client, id, { executionId })).length, 2);
    await host().client.call(rpc.terminateInstance, { instanceId: id });
    await worker.run(id, [complete()]);
  });

  // [wp 3.11-worker-mode]
  it('stream to a worker what its past events would be, and nothing newer', async () => {
    const id = await start(host().client);
    await worker.run(id, [scheduleTask(1)]);
    await worker.finish(await worker.task(id), { result: '1' });
    const { request, token } = await worker.turn(id);
    const { executionId = '', pastEvents } = request;
    const forWorkItemProcessing = true;
    const streamed = await history(host().client, id, { executionId, forWorkItemProcessing });
    assert.deepEqual(streamed, pastEvents);
    assert.deepEqual(types(streamed), ['orchestratorStarted', 'executionStarted', 'taskScheduled']);
    await worker.answer({ request, token }, [complete()]);
  });

  // [wp 3.11-stale-worker]
  it('do not stream another execution to a worker', async () => {
    const id = await start(host().client);
    await worker.run(id);
    const stale = { executionId: 'f'.repeat(32), forWorkItemProcessing: true };
    await assert.rejects(
      async () => {
        const events = await history(host().client, id, stale);
        assert.deepEqual(events, [], 'events of another execution');
        throw Object.assign(new Error('an empty stream'), { code: status.OK });
      },
      ({ code }: { readonly code: status }) =>
        code === status.NOT_FOUND || code === status.FAILED_PRECONDITION,
    );
  });
});
