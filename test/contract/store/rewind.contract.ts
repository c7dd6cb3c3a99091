import assert from 'node:assert/strict';
import { OrchestrationStatus } from '../../../src/proto/orchestrator_service_pb.ts';
import type { ClaimedOrchestration, RewindCommit } from '../../../src/storage/store.ts';
import {
  callEntity,
  complete,
  createChild,
  createTimer,
  fail,
  lockEntities,
  requestId,
  scheduleTask,
} from '../../support/actions.ts';
import {
  activityDone,
  activityFailed,
  caseOf,
  casesOf,
  deliver,
  HUB,
  newEventsOf,
  raise,
  refusal,
  terminate,
  turn,
  type Bench,
  type UseBench,
} from './bench.ts';
import { batchDone, eventsTaken, operationsOf, takeBatch } from './entity-bench.ts';

const { COMPLETED, FAILED, PENDING, RUNNING } = OrchestrationStatus;
const BROKEN = fail('Broken', 'it is broken');

function rewind(instanceId: string, reason?: string): RewindCommit {
  return { kind: 'rewind', hub: HUB, instanceId, reason };
}

/** An instance whose only activity failed, and it with that. */
async function failedInstance(bench: Bench, instanceId = 'a'): Promise<void> {
  await bench.apply(turn(await bench.begin(instanceId), [scheduleTask(1)]));
  await bench.apply(activityFailed(await bench.takeActivity()));
  await bench.apply(turn(await bench.takeTurn(), [BROKEN]));
}

/** A parent and its child `child`, both failed. */
async function failedFamily(bench: Bench): Promise<void> {
  await bench.apply(turn(await bench.begin('parent'), [createChild(1, 'child')]));
  await bench.apply(turn(await bench.takeTurn(), [BROKEN]));
  await bench.apply(turn(await bench.takeTurn(), [BROKEN]));
}

/** Turns that are ready, by instance. */
async function turns(bench: Bench): Promise<ReadonlyMap<string, ClaimedOrchestration>> {
  const claimed = await bench.take({ activities: 0 });
  return new Map(
    claimed.flatMap((item) => (item.kind === 'orchestration' ? [[item.instanceId, item]] : [])),
  );
}

function turnOf(
  ready: ReadonlyMap<string, ClaimedOrchestration>,
  instanceId: string,
): ClaimedOrchestration {
  const item = ready.get(instanceId);
  assert.ok(item, `${instanceId} has a turn`);
  return item;
}

export function rewindContract(use: UseBench): void {
  describe('a rewind', () => {
    it('begins a new execution that runs', async () => {
      const bench = use();
      await failedInstance(bench);
      const before = await bench.get('a');
      bench.advance(1000);
      await bench.apply(rewind('a'));
      const after = await bench.get('a');
      assert.equal(after.status, RUNNING);
      assert.deepEqual(
        [after.output, after.failureDetails, after.completedAt],
        [undefined, undefined, undefined],
      );
      assert.equal(after.createdAt, before.createdAt);
      assert.equal(after.updatedAt, bench.now);
      assert.match(after.executionId, /^[0-9a-f]{32}$/);
      assert.notEqual(after.executionId, before.executionId);
    });

    it('tells the worker nothing but the history without the failure', async () => {
      const bench = use();
      await failedInstance(bench);
      await bench.apply(rewind('a', 'mended'));
      const item = await bench.takeTurn();
      assert.deepEqual(casesOf(item), {
        past: ['orchestratorStarted', 'executionStarted', 'orchestratorStarted'],
        fresh: ['orchestratorStarted'],
      });
      const started = (await bench.history('a'))[1]?.eventType;
      assert.ok(started?.case === 'executionStarted');
      assert.equal(started.value.orchestrationInstance?.executionId, item.executionId);
    });

    it('leaves its mark for clients, not for a worker that reads the history', async () => {
      const bench = use();
      await failedInstance(bench);
      await bench.apply(rewind('a', 'mended'));
      const ofClient = await bench.history('a');
      const mark = ofClient.at(-1)?.eventType;
      assert.ok(mark?.case === 'executionRewound');
      assert.equal(mark.value.reason, 'mended');
      const ofWorker = await bench.history('a', HUB, { forWorker: true });
      assert.deepEqual(ofWorker, ofClient.slice(0, -1));
      await bench.apply(turn(await bench.takeTurn(), [complete('"ok"')]));
      const cases = (await bench.history('a')).map(caseOf);
      assert.deepEqual(cases.slice(3), [
        'executionRewound',
        'orchestratorStarted',
        'executionCompleted',
      ]);
      assert.equal((await bench.get('a')).output, '"ok"');
    });

    it('has the failed work done again, under its old id', async () => {
      const bench = use();
      await failedInstance(bench);
      await bench.apply(rewind('a'));
      await bench.apply(turn(await bench.takeTurn(), [scheduleTask(1)]));
      await bench.apply(activityDone(await bench.takeActivity(), '1'));
      const item = await bench.takeTurn();
      const answer = newEventsOf(item)[1]?.eventType;
      assert.ok(answer?.case === 'taskCompleted');
      assert.equal(answer.value.taskScheduledId, 1);
      await bench.apply(turn(item, [complete()]));
      assert.equal((await bench.get('a')).status, COMPLETED);
    });

    it('can follow a rewind that failed again', async () => {
      const bench = use();
      await failedInstance(bench);
      for (const reason of ['first', 'second']) {
        await bench.apply(rewind('a', reason));
        await bench.apply(turn(await bench.takeTurn(), [scheduleTask(1)]));
        await bench.apply(activityFailed(await bench.takeActivity()));
        await bench.apply(turn(await bench.takeTurn(), [BROKEN]));
        assert.equal((await bench.get('a')).status, FAILED);
      }
      const marks = (await bench.history('a')).filter(
        (event) => caseOf(event) === 'executionRewound',
      );
      assert.equal(marks.length, 1, 'only the last mark is kept');
    });

    it('may come in the very round of the failure', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1), scheduleTask(2)]));
      await bench.apply(raise('a', 'early'));
      const [one, two] = await bench.take({ orchestrations: 0 });
      await bench.apply(activityFailed(one!));
      const item = await bench.takeTurn();
      await bench.apply(raise('a', 'late'));
      const { outcomes } = await bench.exchange([turn(item, [BROKEN]), rewind('a')]);
      assert.deepEqual(outcomes, [{ ok: true }, { ok: true }]);
      await bench.apply(activityDone(two!, '2'));
      const again = await bench.takeTurn();
      assert.deepEqual(casesOf(again), {
        past: ['orchestratorStarted', 'executionStarted', 'orchestratorStarted', 'eventRaised'],
        fresh: ['orchestratorStarted'],
      });
      await bench.apply(turn(again, [scheduleTask(1), scheduleTask(2)]));
      assert.equal((await bench.take({ orchestrations: 0 })).length, 2);
    });

    it('does not hear answers to what the old execution asked for', async () => {
      const bench = use();
      const timer = createTimer(3, bench.now + 60_000);
      const actions = [scheduleTask(1), scheduleTask(2), timer];
      await bench.apply(turn(await bench.begin('a'), actions));
      const [one, two] = await bench.take({ orchestrations: 0 });
      await bench.apply(activityFailed(one!));
      await bench.apply(turn(await bench.takeTurn(), [BROKEN]));
      await bench.apply(rewind('a'));
      const again = await bench.takeTurn();
      assert.deepEqual(casesOf(again).past.slice(1), ['executionStarted', 'orchestratorStarted']);
      await bench.apply(activityDone(two!, '2'));
      await bench.apply(turn(again, actions));
      bench.advance(60_000);
      assert.equal((await bench.take({ orchestrations: 0 })).length, 2);
      const fired = newEventsOf(await bench.takeTurn()).map(caseOf);
      assert.deepEqual(fired, ['orchestratorStarted', 'timerFired']);
    });

    it('calls and locks entities again that had not answered', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('other'), [lockEntities(1, 's', ['@b@1'])]));
      await bench.apply(turn(await bench.takeTurn()));
      const asks = [callEntity(2, '@a@1', 'get'), lockEntities(3, 't', ['@b@1'])];
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1), ...asks]));
      await bench.apply(activityFailed(await bench.takeActivity()));
      await bench.apply(turn(await bench.takeTurn(), [BROKEN]));
      await bench.apply(rewind('a'));
      const again = await bench.takeTurn();
      assert.deepEqual(casesOf(again).past, [
        'orchestratorStarted',
        'executionStarted',
        'orchestratorStarted',
      ]);
      await bench.apply(turn(again, asks));
      const batch = await takeBatch(bench);
      assert.deepEqual(operationsOf(batch), [requestId(2), requestId(2)]);
      await bench.apply(batchDone(batch, 'x'));
      const told = await bench.takeTurn();
      assert.deepEqual(eventsTaken(told), ['entityOperationCompleted']);
      await bench.apply(turn(told));
      const locked = await bench.store.getEntity(HUB, '@b@1', { state: false });
      assert.equal(locked?.lockedBy, 'other');
      await bench.apply(terminate('other'));
      await bench.apply(turn(await bench.takeTurn(), [complete()]));
      assert.deepEqual(eventsTaken(await bench.takeTurn()), ['entityLockGranted']);
    });

    it('keeps a long history whole, and events that come after it', async () => {
      const bench = use();
      const input = 'x'.repeat(100 * 1024);
      const tasks = [1, 2, 3, 4].map((id) => scheduleTask(id, 'A', { input }));
      await bench.apply(turn(await bench.begin('a'), tasks));
      for (const item of await bench.take({ orchestrations: 0 }))
        await bench.apply(activityDone(item, '1'));
      await bench.apply(turn(await bench.takeTurn(), [BROKEN]));
      await bench.apply(rewind('a'));
      await bench.apply(raise('a', 'go'));
      await bench.reopen();
      bench.advance(60_000);
      const item = await bench.takeTurn();
      const { past, fresh } = casesOf(item);
      assert.equal(past.filter((name) => name === 'taskScheduled').length, 4);
      assert.equal(past.filter((name) => name === 'taskCompleted').length, 4);
      assert.deepEqual(fresh, ['orchestratorStarted', 'eventRaised']);
    });

    it('makes a suspended instance run and take a suspend again', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1)]));
      await bench.apply(deliver('a', { case: 'executionSuspended', value: {} }));
      await bench.apply(turn(await bench.takeTurn(), [BROKEN]));
      await bench.apply(rewind('a'));
      assert.deepEqual(casesOf(await bench.takeTurn()).past.slice(1), [
        'executionStarted',
        'orchestratorStarted',
      ]);
      await bench.apply(deliver('a', { case: 'executionSuspended', value: {} }));
      assert.equal((await bench.get('a')).status, RUNNING);
    });

    it('ends at once by a terminate before its first turn', async () => {
      const bench = use();
      await failedInstance(bench);
      await bench.apply(rewind('a'));
      await bench.apply(terminate('a', '"enough"'));
      const { status, output } = await bench.get('a');
      assert.deepEqual([status, output], [OrchestrationStatus.TERMINATED, '"enough"']);
      await bench.takeNothing();
    });

    it('is refused for what is missing, lives or has ended well', async () => {
      const bench = use();
      assert.equal(refusal(await bench.commit(rewind('nobody'))), 'INSTANCE_NOT_FOUND');
      const item = await bench.begin('a');
      const live = await bench.commit(rewind('a'));
      assert.equal(refusal(live), 'WRONG_STATE');
      assert.match(live.ok ? '' : live.error.message, /not allow.*still running/);
      await bench.apply(turn(item, [complete()]));
      const ended = await bench.commit(rewind('a'));
      assert.match(ended.ok ? '' : ended.error.message, /COMPLETED.*restart/);
      await failedInstance(bench, 'b');
      const { outcomes } = await bench.exchange([rewind('b'), rewind('b')]);
      assert.deepEqual(outcomes.map(refusal), ['OK', 'WRONG_STATE']);
    });
  });

  describe('children of a rewound instance', () => {
    it('are rewound if they failed, down to the last', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('parent'), [createChild(1, 'child')]));
      await bench.apply(turn(await bench.takeTurn(), [createChild(5, 'grandchild')]));
      for (let level = 0; level < 3; level += 1) {
        await bench.apply(turn(await bench.takeTurn(), [BROKEN]));
      }
      await bench.apply(rewind('parent', 'mended'));
      const ready = await turns(bench);
      assert.deepEqual([...ready.keys()].sort(), ['child', 'grandchild', 'parent']);
      const started = (await bench.history('grandchild'))[1]?.eventType;
      assert.ok(started?.case === 'executionStarted');
      const parentOf = started.value.parentInstance?.orchestrationInstance;
      assert.equal(parentOf?.executionId, turnOf(ready, 'child').executionId);
      await bench.apply(turn(turnOf(ready, 'parent')));
      await bench.apply(turn(turnOf(ready, 'child')));
      await bench.apply(turn(turnOf(ready, 'grandchild'), [complete('"deep"')]));
      await bench.apply(turn(await bench.takeTurn(), [complete('"child"')]));
      const answer = newEventsOf(await bench.takeTurn())[1]?.eventType;
      assert.ok(answer?.case === 'subOrchestrationInstanceCompleted');
      assert.deepEqual([answer.value.taskScheduledId, answer.value.result], [1, '"child"']);
    });

    it('are started again if they are gone', async () => {
      const bench = use();
      await failedFamily(bench);
      const purge = { kind: 'purge', hub: HUB, instanceId: 'child', onLive: 'refuse' } as const;
      assert.deepEqual(await bench.commit(purge), { ok: true, count: 1 });
      await bench.apply(rewind('parent'));
      const { status, parentInstanceId } = await bench.get('child');
      assert.deepEqual([status, parentInstanceId], [PENDING, 'parent']);
      const ready = await turns(bench);
      await bench.apply(turn(turnOf(ready, 'child'), [complete('1')]));
      await bench.apply(turn(turnOf(ready, 'parent')));
      assert.deepEqual(casesOf(await bench.takeTurn()).fresh.slice(1), [
        'subOrchestrationInstanceCompleted',
      ]);
    });

    it('are started again if they were terminated', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('parent'), [createChild(1, 'child')]));
      await bench.apply(terminate('child'));
      await bench.apply(turn(await bench.takeTurn(), [BROKEN]));
      await bench.apply(rewind('parent'));
      assert.equal((await bench.get('child')).status, PENDING);
    });

    it('report to the new execution if they go on', async () => {
      const bench = use();
      const children = [createChild(1, 'child'), scheduleTask(2)];
      await bench.apply(turn(await bench.begin('parent'), children));
      const running = await bench.takeTurn();
      await bench.apply(activityFailed(await bench.takeActivity()));
      await bench.apply(turn(await bench.takeTurn(), [BROKEN]));
      await bench.apply(rewind('parent'));
      await bench.apply(turn(await bench.takeTurn(), [scheduleTask(2)]));
      await bench.apply(turn(running, [complete('"late"')]));
      const answer = newEventsOf(await bench.takeTurn())[1]?.eventType;
      assert.ok(answer?.case === 'subOrchestrationInstanceCompleted');
      assert.equal(answer.value.result, '"late"');
    });

    it('hand over their result if they have completed meanwhile', async () => {
      const bench = use();
      const children = [createChild(1, 'child'), scheduleTask(2)];
      await bench.apply(turn(await bench.begin('parent'), children));
      const running = await bench.takeTurn();
      await bench.apply(activityFailed(await bench.takeActivity()));
      await bench.apply(turn(await bench.takeTurn(), [BROKEN]));
      await bench.apply(turn(running, [complete('"meanwhile"')]));
      await bench.apply(rewind('parent'));
      const answer = newEventsOf(await bench.takeTurn())[1]?.eventType;
      assert.ok(answer?.case === 'subOrchestrationInstanceCompleted');
      assert.equal(answer.value.result, '"meanwhile"');
    });

    it('stay as they are if the orchestrator went on from their failure', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('parent'), [createChild(1, 'child')]));
      await bench.apply(turn(await bench.takeTurn(), [BROKEN]));
      await bench.apply(turn(await bench.takeTurn(), [scheduleTask(2)]));
      await bench.apply(activityFailed(await bench.takeActivity()));
      await bench.apply(turn(await bench.takeTurn(), [BROKEN]));
      await bench.apply(rewind('parent'));
      assert.equal((await bench.get('child')).status, FAILED);
      assert.deepEqual([...(await turns(bench)).keys()], ['parent']);
    });

    it('give way if their id went to another: a failure while that one lives', async () => {
      const bench = use();
      await failedFamily(bench);
      const other = await bench.begin('child');
      await bench.apply(rewind('parent'));
      const first = await bench.takeTurn();
      assert.deepEqual(casesOf(first).fresh.slice(1), ['subOrchestrationInstanceFailed']);
      await bench.apply(turn(first, [BROKEN]));
      await bench.apply(turn(other, [BROKEN]));
      await bench.apply(rewind('parent'));
      const { status, parentInstanceId } = await bench.get('child');
      assert.deepEqual([status, parentInstanceId], [PENDING, 'parent']);
    });
  });

  describe('a child that is rewound alone', () => {
    it('does not answer its parent a second time', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('parent'), [createChild(1, 'child')]));
      await bench.apply(turn(await bench.takeTurn(), [BROKEN]));
      await bench.apply(turn(await bench.takeTurn(), [scheduleTask(2)]));
      await bench.apply(rewind('child'));
      await bench.apply(turn(await bench.takeTurn(), [complete()]));
      assert.equal((await bench.get('child')).status, COMPLETED);
      assert.equal((await turns(bench)).size, 0);
    });

    it('is joined again by a later rewind of its parent', async () => {
      const bench = use();
      await failedFamily(bench);
      await bench.apply(rewind('child'));
      const child = await bench.takeTurn();
      await bench.apply(rewind('parent'));
      await bench.apply(turn(await bench.takeTurn()));
      await bench.apply(turn(child, [complete('"both"')]));
      const answer = newEventsOf(await bench.takeTurn())[1]?.eventType;
      assert.ok(answer?.case === 'subOrchestrationInstanceCompleted');
      assert.equal(answer.value.result, '"both"');
    });
  });
}
