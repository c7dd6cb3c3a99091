import assert from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import {
  OrchestrationIdReusePolicySchema,
  OrchestrationStatus,
  type OrchestrationIdReusePolicy,
} from '../../../src/proto/orchestrator_service_pb.ts';
import { complete, scheduleTask } from '../../support/actions.ts';
import { activityDone, casesOf, raise, refusal, turn, type UseBench } from './bench.ts';

function replace(...replaceableStatus: OrchestrationStatus[]): OrchestrationIdReusePolicy {
  return create(OrchestrationIdReusePolicySchema, { replaceableStatus });
}

export function startContract(use: UseBench): void {
  describe('starting an instance', () => {
    it('creates it PENDING with what the client gave', async () => {
      const bench = use();
      await bench.apply(
        bench.start('a', { name: 'Hello', version: '2', input: '"in"', tags: { k: 'v' } }),
      );
      const record = await bench.get('a');
      assert.deepEqual(
        { ...record, executionId: '' },
        {
          instanceId: 'a',
          executionId: '',
          name: 'Hello',
          version: '2',
          status: OrchestrationStatus.PENDING,
          createdAt: bench.now,
          updatedAt: bench.now,
          completedAt: undefined,
          scheduledAt: undefined,
          parentInstanceId: undefined,
          tags: { k: 'v' },
          customStatus: undefined,
          input: '"in"',
          output: undefined,
          failureDetails: undefined,
        },
      );
    });

    it('stays PENDING until the first turn is committed', async () => {
      const bench = use();
      const item = await bench.begin('a');
      assert.equal((await bench.get('a')).status, OrchestrationStatus.PENDING);
      await bench.apply(turn(item));
      assert.equal((await bench.get('a')).status, OrchestrationStatus.RUNNING);
    });

    it('refuses the id of a live instance and leaves that one untouched', async () => {
      const bench = use();
      await bench.apply(bench.start('a', { input: '"first"' }));
      assert.equal(refusal(await bench.commit(bench.start('a'))), 'INSTANCE_ALREADY_EXISTS');
      assert.equal((await bench.get('a')).input, '"first"');
    });

    it('decides the second of two starts with one id in the same round by the first', async () => {
      const bench = use();
      const { outcomes } = await bench.exchange([bench.start('a'), bench.start('a')]);
      assert.deepEqual(outcomes.map(refusal), ['OK', 'INSTANCE_ALREADY_EXISTS']);
    });

    it('replaces an ended instance unless the policy forbids it', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a', { input: '1' }), [complete('"done"')]));
      const refused = await bench.commit(bench.start('a', { policy: replace() }));
      assert.equal(refusal(refused), 'INSTANCE_ALREADY_EXISTS');
      await bench.apply(bench.start('a', { input: '2' }));
      const { status, input, output } = await bench.get('a');
      assert.deepEqual(
        { status, input, output },
        { status: OrchestrationStatus.PENDING, input: '2', output: undefined },
      );
    });

    it('replaces a live instance where the policy names its state, and voids its work', async () => {
      const bench = use();
      const first = await bench.begin('a');
      await bench.apply(turn(first, [scheduleTask(1)]));
      await bench.apply(raise('a', 'wake'));
      const oldActivity = await bench.takeActivity();
      const oldTurn = await bench.takeTurn();
      const policy = replace(OrchestrationStatus.RUNNING, OrchestrationStatus.TERMINATED);
      await bench.apply(bench.start('a', { policy, input: '"new"' }));
      assert.equal(refusal(await bench.commit(turn(oldTurn, [complete()]))), 'LEASE_LOST');
      await bench.commit(activityDone(oldActivity, '"late"'));
      const item = await bench.takeTurn();
      assert.deepEqual(casesOf(item), {
        past: [],
        fresh: ['orchestratorStarted', 'executionStarted'],
      });
    });

    it('drops queued activities of a replaced instance instead of handing them out', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1)]));
      const policy = replace(OrchestrationStatus.RUNNING, OrchestrationStatus.TERMINATED);
      await bench.apply(bench.start('a', { policy }));
      await bench.takeNothing({ orchestrations: 0 });
    });

    it('replaces an instance that was started and ended in the same round', async () => {
      const bench = use();
      const item = await bench.begin('a');
      const { outcomes } = await bench.exchange([
        turn(item, [complete('1')]),
        bench.start('a', { input: '2' }),
        bench.start('a'),
      ]);
      assert.deepEqual(outcomes.map(refusal), ['OK', 'OK', 'INSTANCE_ALREADY_EXISTS']);
      assert.equal((await bench.get('a')).input, '2');
    });

    it('keeps every printable id apart, case and odd characters included', async () => {
      const bench = use();
      const ids = ['a', 'A', 'a ', ' a', "a'b", 'a"b', 'a%', 'a_', 'a\\', 'a:b+c', '{}', '$1', '?'];
      const { outcomes } = await bench.exchange(
        ids.map((id) => bench.start(id, { input: JSON.stringify(id) })),
      );
      assert.deepEqual(new Set(outcomes.map(refusal)), new Set(['OK']));
      for (const id of ids) assert.equal((await bench.get(id)).input, JSON.stringify(id));
    });

    it('keeps an input larger than a history chunk readable', async () => {
      const bench = use();
      const input = JSON.stringify('x'.repeat(400 * 1024));
      const item = await bench.begin('a', { input });
      assert.equal((await bench.get('a')).input, input);
      await bench.apply(turn(item));
      assert.equal((await bench.get('a')).input, input);
    });
  });

  describe('a scheduled start', () => {
    it('is PENDING until its time and then handed out', async () => {
      const bench = use();
      const scheduledAt = bench.now + 60_000;
      await bench.apply(bench.start('a', { scheduledAt }));
      assert.equal((await bench.get('a')).scheduledAt, scheduledAt);
      assert.equal(bench.last?.wakeAt, scheduledAt);
      bench.advance(59_999);
      await bench.takeNothing();
      bench.advance(1);
      assert.equal((await bench.takeTurn()).instanceId, 'a');
    });

    it('keeps events for later without starting early', async () => {
      const bench = use();
      await bench.apply(bench.start('a', { scheduledAt: bench.now + 1000 }));
      await bench.apply(raise('a', 'early'));
      await bench.takeNothing();
      bench.advance(1000);
      const { fresh } = casesOf(await bench.takeTurn());
      assert.deepEqual(fresh, ['orchestratorStarted', 'executionStarted', 'eventRaised']);
    });

    it('survives the end of its owner', async () => {
      const bench = use();
      await bench.apply(bench.start('a', { scheduledAt: bench.now + 1000 }));
      await bench.reopen();
      await bench.takeNothing();
      assert.equal(bench.last?.wakeAt, bench.now + 1000);
      bench.advance(1000);
      assert.equal((await bench.takeTurn()).instanceId, 'a');
    });

    it('whose time has passed starts at once', async () => {
      const bench = use();
      await bench.apply(bench.start('a', { scheduledAt: bench.now - 1 }));
      assert.equal((await bench.takeTurn()).instanceId, 'a');
      assert.equal((await bench.get('a')).scheduledAt, undefined);
    });
  });
}
