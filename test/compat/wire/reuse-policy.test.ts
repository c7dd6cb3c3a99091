import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import {
  OrchestrationStatus,
  TaskHubSidecarService,
} from '../../../src/proto/orchestrator_service_pb.ts';
import { isTerminal, statusName } from '../../../src/core/instance.ts';
import { complete, completeWith, createChild, fail, scheduleTask } from '../../support/actions.ts';
import { ended, freshId, history, start, stateOf } from '../support/calls.ts';
import { types, type HandWorker } from '../support/hand-worker.ts';
import { schedulerForTests } from '../support/scheduler-under-test.ts';

const rpc = TaskHubSidecarService.method;
const { CANCELED, COMPLETED, CONTINUED_AS_NEW, FAILED, PENDING, RUNNING, SUSPENDED, TERMINATED } =
  OrchestrationStatus;
const STATES = [PENDING, RUNNING, SUSPENDED, COMPLETED, FAILED, TERMINATED, CANCELED];
const LIVE = [PENDING, RUNNING, SUSPENDED];

type Policy = readonly OrchestrationStatus[] | undefined;

/** Lists with each state alone (beside TERMINATED where a live one needs it), and the usual ones. */
const POLICIES: readonly Policy[] = [
  undefined,
  [],
  [COMPLETED],
  [FAILED],
  [TERMINATED],
  [CANCELED],
  [PENDING, TERMINATED],
  [RUNNING, TERMINATED],
  [SUSPENDED, TERMINATED],
  [COMPLETED, FAILED, TERMINATED, CANCELED],
  STATES,
  [...STATES, CONTINUED_AS_NEW],
  STATES.filter((state) => state !== COMPLETED),
];

function expected(existing: OrchestrationStatus, policy: Policy): boolean {
  return policy ? policy.includes(existing) : isTerminal(existing);
}

function nameOf(policy: Policy): string {
  if (!policy) return 'no policy';
  return `[${policy.map(statusName).join(' ')}]`;
}

describe('The reuse policy on the wire', function () {
  this.timeout(15_000);
  const host = schedulerForTests();
  let worker: HandWorker;
  before(async () => {
    worker = await host().worker({
      request: { workItemFilters: { orchestrations: [{ name: 'Taken' }] } },
    });
  });
  after(() => {
    worker.cut();
  });

  /** An instance in the given state; nobody works on the name `Fresh`. */
  async function instanceIn(state: OrchestrationStatus): Promise<string> {
    const { client } = host();
    if (state === PENDING) return start(client, { name: 'Fresh', input: '"old"' });
    const id = await start(client, { name: 'Taken', input: '"old"' });
    const actions = {
      [COMPLETED]: [complete()],
      [FAILED]: [fail('E', 'm')],
      [TERMINATED]: [completeWith(TERMINATED)],
      [CANCELED]: [completeWith(CANCELED)],
    }[state as number];
    await worker.run(id, actions ?? []);
    if (state === SUSPENDED) {
      await client.call(rpc.suspendInstance, { instanceId: id });
      await worker.run(id);
    }
    assert.equal((await stateOf(client, id)).orchestrationStatus, state);
    return id;
  }

  function startAgain(instanceId: string, policy: Policy): Promise<string> {
    return start(host().client, {
      ...{ instanceId, name: 'Fresh', input: '"new"' },
      ...(policy && { orchestrationIdReusePolicy: { replaceableStatus: [...policy] } }),
    });
  }

  for (const policy of POLICIES) {
    // [wp 3.3.1-absent, 3.3.1-empty, 3.3.1-list, 3.1-start, 1.2-already-exists]
    it(`lets go what it says, with ${nameOf(policy)}`, async () => {
      for (const state of STATES) {
        const id = await instanceIn(state);
        const before = await stateOf(host().client, id);
        if (expected(state, policy)) {
          assert.equal(await startAgain(id, policy), id);
          const after = await stateOf(host().client, id);
          assert.equal(after.input, '"new"', statusName(state));
          assert.equal(after.orchestrationStatus, PENDING);
          assert.notEqual(after.executionId, before.executionId);
        } else {
          await assert.rejects(startAgain(id, policy), {
            code: status.ALREADY_EXISTS,
            details: `An Orchestration instance with the ID ${id} already exists.`,
          });
          assert.deepEqual(await stateOf(host().client, id), before);
        }
      }
    });
  }

  for (const state of LIVE) {
    // [wp 3.3.1-invalid]
    it(`is refused when it lists ${statusName(state)} without TERMINATED`, async () => {
      const refusal = {
        code: status.INVALID_ARGUMENT,
        details:
          /Invalid reusable statuses: cannot exclude 'Terminated' while also allowing reuse of running instances/,
      };
      const id = await instanceIn(RUNNING);
      await assert.rejects(startAgain(id, [state, COMPLETED]), refusal);
      assert.equal((await stateOf(host().client, id)).input, '"old"');
      await assert.rejects(startAgain(freshId('missing'), [state]), refusal);
    });
  }

  // [wp 3.3.1-replace-live]
  it('fences late answers of the execution that was replaced', async () => {
    const { client } = host();
    const everything = await host().worker();
    const id = await start(client, { name: 'Busy' });
    await everything.run(id, [scheduleTask(1)]);
    const task = await everything.task(id);
    const waiting = client.call(rpc.waitForInstanceCompletion, {
      instanceId: id,
      getInputsAndOutputs: true,
    });

    await start(client, {
      ...{ instanceId: id, name: 'Busy', input: '"second"' },
      orchestrationIdReusePolicy: { replaceableStatus: STATES },
    });
    const turn = await everything.turn(id);
    assert.deepEqual(types(turn.request.newEvents), ['orchestratorStarted', 'executionStarted']);
    await everything.finish(task, { result: '"late"' }).catch((error: unknown) => {
      assert.equal((error as { readonly code?: number }).code, status.NOT_FOUND);
    });
    await everything.answer(turn, [complete('"second"')]);

    assert.equal((await waiting).orchestrationState?.output, '"second"');
    assert.ok(!types(await history(client, id)).includes('taskCompleted'));
    everything.cut();
  });

  // [wp 3.3.1-replace-live]
  it('refuses the turn of an execution that was replaced', async () => {
    const everything = await host().worker();
    const id = await start(host().client, { name: 'Busy' });
    const turn = await everything.turn(id);
    await start(host().client, {
      ...{ instanceId: id, name: 'Fresh' },
      orchestrationIdReusePolicy: { replaceableStatus: STATES },
    });
    await assert.rejects(everything.answer(turn, [complete('"old"')]), { code: status.NOT_FOUND });
    everything.cut();
  });

  // [wp 3.3.1-replaced-child]
  it('tells the parent of a child that was replaced', async () => {
    const everything = await host().worker();
    const [parent, child] = [await start(host().client, { name: 'Parent' }), freshId('child')];
    await everything.run(parent, [createChild(1, child)]);
    await everything.run(child, []);
    await start(host().client, {
      ...{ instanceId: child, name: 'Fresh' },
      orchestrationIdReusePolicy: { replaceableStatus: STATES },
    });
    const { request } = await everything.run(parent, [complete()]);
    assert.deepEqual(types(request.newEvents), [
      'orchestratorStarted',
      'subOrchestrationInstanceFailed',
    ]);
    await ended(host().client, parent);
    everything.cut();
  });
});
