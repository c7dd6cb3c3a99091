import assert from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import {
  OrchestrationIdReusePolicySchema,
  OrchestrationStatus,
} from '../../../src/proto/orchestrator_service_pb.ts';
import type { ClaimedOrchestration } from '../../../src/storage/store.ts';
import { complete, completeWith, continueAsNew, createChild, fail } from '../../support/actions.ts';
import {
  caseOf,
  newEventsOf,
  orchestrations,
  raise,
  terminate,
  turn,
  type Bench,
  type UseBench,
} from './bench.ts';

/** A parent that has started one child, and the child's first turn. */
async function parentAndChild(bench: Bench, childId = 'child'): Promise<ClaimedOrchestration> {
  await bench.apply(turn(await bench.begin('parent'), [createChild(1, childId)]));
  return bench.takeTurn();
}

function answersOf(item: ClaimedOrchestration): unknown[] {
  return newEventsOf(item).flatMap(({ eventType }): unknown[] => {
    switch (eventType.case) {
      case 'subOrchestrationInstanceCompleted':
        return [[eventType.value.taskScheduledId, eventType.value.result]];
      case 'subOrchestrationInstanceFailed':
        return [[eventType.value.taskScheduledId, eventType.value.failureDetails?.errorType]];
      default:
        return [];
    }
  });
}

export function childrenContract(use: UseBench): void {
  describe('a sub-orchestration', () => {
    it('starts in the round of its parent, and knows it', async () => {
      const bench = use();
      const item = await bench.begin('parent', { name: 'P', executionId: 'e1' });
      const child = createChild(3, 'child', { input: '"in"', version: '2', tags: { k: 'v' } });
      const { claimed } = await bench.exchange([turn(item, [child])], bench.takers());
      const [first] = orchestrations(claimed);
      assert.equal(first?.instanceId, 'child');
      const { eventType } = newEventsOf(first)[1]!;
      assert.ok(eventType.case === 'executionStarted');
      const { parentInstance, input, version, tags } = eventType.value;
      assert.deepEqual([input, version, tags], ['"in"', '2', { k: 'v' }]);
      assert.equal(parentInstance?.taskScheduledId, 3);
      assert.equal(parentInstance.name, 'P');
      assert.equal(parentInstance.orchestrationInstance?.instanceId, 'parent');
      assert.equal(parentInstance.orchestrationInstance.executionId, 'e1');
      const record = await bench.get('child');
      assert.deepEqual([record.parentInstanceId, record.tags], ['parent', { k: 'v' }]);
    });

    it('hands its result to its parent in the same round', async () => {
      const bench = use();
      const child = await parentAndChild(bench);
      const { claimed } = await bench.exchange([turn(child, [complete('"r"')])], bench.takers());
      const [parent] = orchestrations(claimed);
      assert.equal(parent?.instanceId, 'parent');
      assert.deepEqual(answersOf(parent), [[1, '"r"']]);
    });

    it('hands its failure to its parent', async () => {
      const bench = use();
      await bench.apply(turn(await parentAndChild(bench), [fail('Boom', 'no')]));
      assert.deepEqual(answersOf(await bench.takeTurn()), [[1, 'Boom']]);
    });

    it('that is terminated fails in its parent with details', async () => {
      const bench = use();
      const child = await parentAndChild(bench);
      await bench.apply(turn(child, [completeWith(OrchestrationStatus.TERMINATED)]));
      assert.deepEqual(answersOf(await bench.takeTurn()), [[1, 'OrchestrationTerminated']]);
    });

    it('that is terminated before its first turn fails in its parent', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('parent'), [createChild(1, 'child')]));
      const { claimed } = await bench.exchange([terminate('child')], bench.takers());
      assert.deepEqual(orchestrations(claimed).map(answersOf), [[[1, 'OrchestrationTerminated']]]);
    });

    it('with the id of a live instance fails, and leaves that one alone', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('taken')));
      await bench.apply(turn(await bench.begin('parent'), [createChild(1, 'taken')]));
      assert.deepEqual(answersOf(await bench.takeTurn()), [[1, 'OrchestrationAlreadyExists']]);
      assert.equal((await bench.get('taken')).status, OrchestrationStatus.RUNNING);
    });

    it('twice with one id in one turn starts once', async () => {
      const bench = use();
      const both = [createChild(1, 'child'), createChild(2, 'child')];
      await bench.apply(turn(await bench.begin('parent'), both));
      const items = orchestrations(await bench.take());
      assert.deepEqual(items.map(({ instanceId }) => instanceId).sort(), ['child', 'parent']);
      const parent = items.find(({ instanceId }) => instanceId === 'parent');
      assert.deepEqual(answersOf(parent!), [[2, 'OrchestrationAlreadyExists']]);
    });

    it('replaces an ended instance with its id, as retries do', async () => {
      const bench = use();
      await bench.apply(turn(await parentAndChild(bench), [fail('Boom', 'no')]));
      await bench.apply(turn(await bench.takeTurn(), [createChild(2, 'child')]));
      await bench.apply(turn(await bench.takeTurn(), [complete('"second"')]));
      assert.deepEqual(answersOf(await bench.takeTurn()), [[2, '"second"']]);
    });

    it('keeps its parent through continue-as-new', async () => {
      const bench = use();
      await bench.apply(turn(await parentAndChild(bench), [continueAsNew()]));
      await bench.apply(turn(await bench.takeTurn(), [complete('"later"')]));
      assert.deepEqual(answersOf(await bench.takeTurn()), [[1, '"later"']]);
      assert.equal((await bench.get('child')).parentInstanceId, 'parent');
    });

    it('tells nobody when its parent has gone on as a new generation', async () => {
      const bench = use();
      const child = await parentAndChild(bench);
      await bench.apply(raise('parent', 'x'));
      await bench.apply(turn(await bench.takeTurn(), [continueAsNew()]));
      await bench.apply(turn(await bench.takeTurn()));
      await bench.apply(turn(child, [complete()]));
      await bench.takeNothing();
    });

    it('tells nobody when its parent has ended, in the same round even', async () => {
      const bench = use();
      const child = await parentAndChild(bench);
      await bench.apply(raise('parent', 'x'));
      const parent = await bench.takeTurn();
      await bench.exchange([turn(parent, [complete('"p"')]), turn(child, [complete('"c"')])]);
      await bench.takeNothing();
      assert.equal((await bench.get('parent')).output, '"p"');
      assert.equal((await bench.get('child')).output, '"c"');
    });

    it('that is replaced by a start fails in its parent', async () => {
      const bench = use();
      await bench.apply(turn(await parentAndChild(bench)));
      const policy = create(OrchestrationIdReusePolicySchema, {
        replaceableStatus: [OrchestrationStatus.RUNNING, OrchestrationStatus.TERMINATED],
      });
      await bench.apply(bench.start('child', { policy }));
      const items = orchestrations(await bench.take());
      const parent = items.find(({ instanceId }) => instanceId === 'parent');
      assert.deepEqual(answersOf(parent!), [[1, 'OrchestrationReplaced']]);
    });
  });

  describe('a recursive terminate', () => {
    it('reaches every live child of this generation once the parent is TERMINATED', async () => {
      const bench = use();
      await bench.apply(
        turn(await bench.begin('parent'), [
          createChild(1, 'untouched'),
          createChild(2, 'busy'),
          createChild(3, 'done'),
        ]),
      );
      const items = orchestrations(await bench.take());
      const find = (id: string): ClaimedOrchestration =>
        items.find(({ instanceId }) => instanceId === id)!;
      await bench.apply(turn(find('done'), [complete('"kept"')]));
      const untouched = find('untouched');
      await bench.apply({ ...untouched, kind: 'abandon', work: 'orchestration' });
      await bench.apply(turn(find('busy')));
      await bench.apply(terminate('parent', '"why"', true));
      const parent = await bench.takeTurn();
      assert.equal((await bench.get('untouched')).status, OrchestrationStatus.PENDING);
      await bench.apply(
        turn(parent, [completeWith(OrchestrationStatus.TERMINATED, { result: '"why"' })]),
      );
      assert.equal((await bench.get('untouched')).status, OrchestrationStatus.TERMINATED);
      assert.equal((await bench.get('done')).output, '"kept"');
      const busy = await bench.takeTurn();
      assert.equal(busy.instanceId, 'busy');
      const { eventType } = newEventsOf(busy)[1]!;
      assert.ok(eventType.case === 'executionTerminated');
      assert.deepEqual([eventType.value.recurse, eventType.value.input], [true, '"why"']);
    });

    it('reaches the children of an instance that was just rewound', async () => {
      const bench = use();
      await bench.apply(turn(await parentAndChild(bench), [fail('Boom', 'broken')]));
      await bench.apply(turn(await bench.takeTurn(), [fail('Boom', 'broken')]));
      const rewind = { kind: 'rewind', hub: 'default', instanceId: 'parent' } as const;
      await bench.apply({ ...rewind, reason: undefined });
      await bench.apply(terminate('parent', undefined, true));
      const statuses = [await bench.get('parent'), await bench.get('child')].map(
        ({ status }) => status,
      );
      const { TERMINATED } = OrchestrationStatus;
      assert.deepEqual(statuses, [TERMINATED, TERMINATED]);
      await bench.takeNothing();
    });

    it('that is not recursive leaves the children alone', async () => {
      const bench = use();
      await bench.apply(turn(await parentAndChild(bench)));
      await bench.apply(terminate('parent'));
      await bench.apply(
        turn(await bench.takeTurn(), [completeWith(OrchestrationStatus.TERMINATED)]),
      );
      await bench.takeNothing();
      assert.equal((await bench.get('child')).status, OrchestrationStatus.RUNNING);
    });

    it('reaches a child that the last turn started', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('parent')));
      await bench.apply(terminate('parent', undefined, true));
      await bench.apply(
        turn(await bench.takeTurn(), [
          createChild(1, 'child'),
          completeWith(OrchestrationStatus.TERMINATED),
        ]),
      );
      await bench.takeNothing();
      const events = (await bench.history('child')).map(caseOf);
      assert.deepEqual(events, ['executionStarted', 'executionTerminated', 'executionCompleted']);
    });
  });
}
