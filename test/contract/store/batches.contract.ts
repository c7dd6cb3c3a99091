import assert from 'node:assert/strict';
import { OrchestrationStatus } from '../../../src/proto/orchestrator_service_pb.ts';
import type { StartCommit } from '../../../src/storage/store.ts';
import { complete, continueAsNew, scheduleTask } from '../../support/actions.ts';
import { activities, raise, refusal, turn, type Bench, type UseBench } from './bench.ts';

/** A start that no database can write: half a millisecond does not go into an integer column. */
function unwritable(bench: Bench, id: string): StartCommit {
  return bench.start(id, { name: `Type of ${id}`, scheduledAt: bench.now + 1000.5 });
}

export function batchesContract(use: UseBench): void {
  describe('a round with one commit that cannot be written', () => {
    it('refuses that one and applies all others', async () => {
      const bench = use();
      for (let bad = 0; bad < 5; bad += 1) {
        const commits = Array.from({ length: 5 }, (_, n) =>
          n === bad ? unwritable(bench, `bad${bad}`) : bench.start(`good${bad}-${n}`),
        );
        const { outcomes } = await bench.exchange(commits);
        const expected = commits.map((_, n) => (n === bad ? 'UNAVAILABLE' : 'OK'));
        assert.deepEqual(outcomes.map(refusal), expected);
      }
      assert.equal((await bench.take()).length, 20);
    });

    it('leaves no trace of it', async () => {
      const bench = use();
      await bench.exchange([bench.start('good'), unwritable(bench, 'bad')]);
      assert.equal(await bench.store.getInstance('default', 'bad', { payloads: true }), undefined);
      assert.equal(refusal(await bench.commit(raise('bad', 'x'))), 'INSTANCE_NOT_FOUND');
      await bench.apply(bench.start('bad'));
    });

    it('does not forget the types that the others brought', async () => {
      const bench = use();
      await bench.exchange([
        bench.start('good', { name: 'Never seen before' }),
        unwritable(bench, 'bad'),
        bench.start('too', { name: 'Nor this one' }),
      ]);
      assert.equal((await bench.get('good')).name, 'Never seen before');
      await bench.apply(bench.start('bad', { name: 'Type of bad' }));
      assert.equal((await bench.get('bad')).name, 'Type of bad');
      await bench.reopen();
      assert.equal((await bench.take()).length, 3);
    });

    it('still hands out work', async () => {
      const bench = use();
      await bench.apply(bench.start('waiting'));
      const { claimed } = await bench.exchange([unwritable(bench, 'bad')], bench.takers());
      assert.deepEqual(
        claimed.map((item) => item.kind === 'orchestration' && item.instanceId),
        ['waiting'],
      );
    });

    it('hands out what the others made ready', async () => {
      const bench = use();
      const item = await bench.begin('a');
      const { claimed, outcomes } = await bench.exchange(
        [turn(item, [scheduleTask(1)]), unwritable(bench, 'bad'), bench.start('b')],
        bench.takers(),
      );
      assert.deepEqual(outcomes.map(refusal), ['OK', 'UNAVAILABLE', 'OK']);
      assert.equal(activities(claimed).length, 1);
      assert.equal(claimed.length, 2);
    });

    it('refuses a turn whose generation has lost its start, and no other', async () => {
      const bench = use();
      const good = await bench.begin('b');
      const broken = bench.start('broken');
      await bench.apply({
        ...broken,
        started: {
          type: broken.started.type,
          bytes: Uint8Array.of(0xff, 0xff),
        },
      });
      const item = await bench.takeTurn();
      const { outcomes } = await bench.exchange([
        turn(item, [continueAsNew()]),
        turn(good, [complete('1')]),
      ]);
      assert.deepEqual(outcomes.map(refusal), ['UNAVAILABLE', 'OK']);
      assert.equal((await bench.get('b')).status, OrchestrationStatus.COMPLETED);
    });
  });

  describe('a round', () => {
    it('answers every commit in the order given, hubs that do not exist included', async () => {
      const bench = use();
      const { outcomes } = await bench.exchange([
        bench.start('a'),
        bench.start('b', { hub: 'nowhere' }),
        bench.start('a'),
        raise('nobody', 'x'),
        { kind: 'createHub', hub: 'new', recreate: false },
        bench.start('c', { hub: 'new' }),
        { kind: 'deleteHub', hub: 'new' },
        bench.start('d', { hub: 'new' }),
      ]);
      assert.deepEqual(outcomes.map(refusal), [
        'OK',
        'TASK_HUB_NOT_FOUND',
        'INSTANCE_ALREADY_EXISTS',
        'INSTANCE_NOT_FOUND',
        'OK',
        'OK',
        'OK',
        'TASK_HUB_NOT_FOUND',
      ]);
    });

    it('without commits and without room changes nothing', async () => {
      const bench = use();
      const { claimed, changes, hasMore, wakeAt } = await bench.exchange([]);
      assert.deepEqual(
        { claimed, changes, hasMore, wakeAt },
        {
          claimed: [],
          changes: [],
          hasMore: false,
          wakeAt: undefined,
        },
      );
    });

    it('reports the changes that somebody may wait for', async () => {
      const bench = use();
      const item = await bench.begin('a');
      const { changes } = await bench.exchange([turn(item, [complete()]), bench.start('b')]);
      assert.deepEqual(changes, [
        { hub: 'default', instanceId: 'a', status: OrchestrationStatus.COMPLETED },
        { hub: 'default', instanceId: 'b', status: OrchestrationStatus.PENDING },
      ]);
    });

    it('takes a large turn: thousands of tasks at once', async () => {
      const bench = use();
      const tasks = Array.from({ length: 3000 }, (_, n) => scheduleTask(n));
      await bench.apply(turn(await bench.begin('a'), tasks));
      assert.equal((await bench.take({ activities: 5000 })).length, 3000);
      assert.equal((await bench.history('a')).length, 3002);
    });
  });
}
