/** What waits in each hub, exactly: what scaling and metrics are made of. */
import assert from 'node:assert/strict';
import type { QueueTotal } from '../../../src/storage/inspection.ts';
import { scheduleTask } from '../../support/actions.ts';
import { activities, activityDone, turn, type Bench, type UseBench } from './bench.ts';

async function totals(bench: Bench): Promise<Readonly<Record<string, QueueTotal>>> {
  const all = await bench.store.inspection.queueTotals(bench.now);
  return Object.fromEntries(all.map((total) => [`${total.hub} ${total.kind}`, total]));
}

export function queueTotalsContract(use: UseBench): void {
  describe('the totals of queues', () => {
    it('count what could be handed out, by hub and kind, with the time of the oldest', async () => {
      const bench = use();
      await bench.commit({ kind: 'createHub', hub: 'other', recreate: false });
      await bench.apply(bench.start('a'));
      bench.advance(500);
      await bench.apply(bench.start('b', { name: 'Another' }));
      await bench.apply(bench.start('c', { hub: 'other' }));
      assert.deepEqual(await totals(bench), {
        'default orchestration': {
          ...{ hub: 'default', kind: 'orchestration', pending: 2, parked: 0 },
          oldestAt: bench.now - 500,
        },
        'other orchestration': {
          ...{ hub: 'other', kind: 'orchestration', pending: 1, parked: 0 },
          oldestAt: bench.now,
        },
      });
    });

    it('leave out what workers hold and what has ended', async () => {
      const bench = use();
      const tasks = [scheduleTask(1), scheduleTask(2), scheduleTask(3)];
      await bench.apply(turn(await bench.begin('a'), tasks));
      assert.equal((await totals(bench))['default activity']?.pending, 3);
      const [held] = activities(await bench.take({ activities: 1 }));
      assert.ok(held);
      const queued = await totals(bench);
      assert.equal(queued['default activity']?.pending, 2);
      assert.equal(queued['default orchestration'], undefined);
      await bench.apply(activityDone(held));
      assert.equal((await totals(bench))['default orchestration']?.pending, 1);
    });

    it('count what is scheduled for later once it is due', async () => {
      const bench = use();
      await bench.apply(bench.start('later', { scheduledAt: bench.now + 60_000 }));
      assert.deepEqual(await totals(bench), {});
      bench.advance(60_000);
      await bench.exchange([]);
      assert.equal((await totals(bench))['default orchestration']?.pending, 1);
    });

    it('count parked items apart', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1)]));
      const { hub, token } = await bench.takeActivity();
      const loss = { parkAfter: 1 };
      await bench.apply({
        kind: 'release',
        hub,
        work: 'activity',
        token,
        readyAt: bench.now,
        loss,
      });
      const { pending, parked, oldestAt } = (await totals(bench))['default activity'] ?? {};
      assert.deepEqual(
        { pending, parked, oldestAt },
        { pending: 0, parked: 1, oldestAt: undefined },
      );
    });

    it('are the same after the owner of the store died', async () => {
      const bench = use();
      await bench.apply(bench.start('a'));
      await bench.apply(bench.start('b'));
      const before = await totals(bench);
      await bench.reopen();
      assert.deepEqual(await totals(bench), before);
    });
  });
}
