import assert from 'node:assert/strict';
import { complete, createTimer, scheduleTask } from '../../support/actions.ts';
import { activityDone, raise, refusal, turn, type UseBench } from './bench.ts';

export function hubsContract(use: UseBench): void {
  describe('task hubs', () => {
    it('are listed once made, and stay after the store was opened again', async () => {
      const bench = use();
      await bench.apply({ kind: 'createHub', hub: 'b', recreate: false });
      await bench.apply({ kind: 'createHub', hub: 'b', recreate: false });
      assert.deepEqual([...(await bench.store.taskHubs())].sort(), ['b', 'default']);
      await bench.reopen();
      assert.deepEqual([...(await bench.store.taskHubs())].sort(), ['b', 'default']);
    });

    it('keep the same instance id apart', async () => {
      const bench = use();
      await bench.apply({ kind: 'createHub', hub: 'b', recreate: false });
      await bench.exchange([
        bench.start('a', { input: '1' }),
        bench.start('a', { input: '2', hub: 'b' }),
      ]);
      assert.equal((await bench.get('a')).input, '1');
      assert.equal((await bench.get('a', 'b')).input, '2');
    });

    it('made again without recreate keep their instances', async () => {
      const bench = use();
      await bench.apply(bench.start('a'));
      await bench.apply({ kind: 'createHub', hub: 'default', recreate: false });
      assert.equal((await bench.take()).length, 1);
    });

    it('recreated are empty, and what was handed out before is void', async () => {
      const bench = use();
      const held = await bench.begin('a');
      await bench.apply(
        turn(await bench.begin('b'), [scheduleTask(1), createTimer(2, bench.now + 5)]),
      );
      const activity = await bench.takeActivity();
      await bench.apply({ kind: 'createHub', hub: 'default', recreate: true });
      assert.equal(await bench.store.getInstance('default', 'a', { payloads: true }), undefined);
      assert.equal(refusal(await bench.commit(turn(held, [complete()]))), 'LEASE_LOST');
      assert.equal(refusal(await bench.commit(activityDone(activity))), 'LEASE_LOST');
      assert.equal(refusal(await bench.commit(raise('a', 'x'))), 'INSTANCE_NOT_FOUND');
      bench.advance(10);
      await bench.takeNothing();
      assert.equal((await bench.begin('a')).instanceId, 'a');
    });

    it('deleted are not found any more; deleting a missing one is no error', async () => {
      const bench = use();
      await bench.apply(bench.start('a'));
      await bench.apply({ kind: 'deleteHub', hub: 'default' });
      await bench.apply({ kind: 'deleteHub', hub: 'default' });
      assert.deepEqual(await bench.store.taskHubs(), []);
      assert.equal(refusal(await bench.commit(bench.start('b'))), 'TASK_HUB_NOT_FOUND');
      await bench.takeNothing();
      await assert.rejects(bench.store.getInstance('default', 'a', { payloads: false }), {
        code: 'TASK_HUB_NOT_FOUND',
        message: 'Task hub not found: default',
      });
    });

    it('deleted and made again do not see the old instances', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1)]));
      await bench.apply({ kind: 'deleteHub', hub: 'default' });
      await bench.apply({ kind: 'createHub', hub: 'default', recreate: false });
      await bench.takeNothing();
      assert.equal((await bench.begin('a')).instanceId, 'a');
    });

    it('deleted are swept a bounded number of rows at a time', async () => {
      const bench = use();
      await bench.apply({ kind: 'createHub', hub: 'b', recreate: false });
      const ids = Array.from({ length: 20 }, (_, n) => `id-${n}`);
      await bench.exchange(ids.map((id) => bench.start(id, { hub: 'b' })));
      await bench.apply({ kind: 'deleteHub', hub: 'b' });
      let steps = 0;
      while (await bench.store.sweep({ limit: 7 })) steps += 1;
      assert.ok(steps >= 9 && steps < 20, `${steps} steps for 60 rows`);
      assert.equal(await bench.store.sweep({ limit: 7 }), false);
    });

    it('leave others alone', async () => {
      const bench = use();
      await bench.apply({ kind: 'createHub', hub: 'b', recreate: false });
      await bench.apply(bench.start('a', { hub: 'b' }));
      await bench.apply({ kind: 'deleteHub', hub: 'default' });
      assert.equal((await bench.take({ hub: 'b' })).length, 1);
    });
  });
}
