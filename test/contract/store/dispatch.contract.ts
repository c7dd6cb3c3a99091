import assert from 'node:assert/strict';
import type { Claimed, Taker } from '../../../src/storage/store.ts';
import { complete, scheduleTask } from '../../support/actions.ts';
import {
  activities,
  activityDone,
  orchestrations,
  PLAIN_STREAM,
  raise,
  turn,
  type UseBench,
} from './bench.ts';

function idsOf(claimed: readonly Claimed[]): string[] {
  return orchestrations(claimed).map(({ instanceId }) => instanceId);
}

export function dispatchContract(use: UseBench): void {
  describe('handing out work', () => {
    it('gives a worker with room what its round made ready', async () => {
      const bench = use();
      const { claimed } = await bench.exchange([bench.start('a')], bench.takers());
      assert.deepEqual(idsOf(claimed), ['a']);
      const [item] = orchestrations(claimed);
      const next = await bench.exchange([turn(item!, [scheduleTask(1)])], bench.takers());
      const [activity] = activities(next.claimed);
      const last = await bench.exchange([activityDone(activity!, '1')], bench.takers());
      assert.deepEqual(idsOf(last.claimed), ['a']);
      await bench.apply(turn(orchestrations(last.claimed)[0]!));
    });

    it('never exceeds the credit of a stream', async () => {
      const bench = use();
      const starts = Array.from({ length: 5 }, (_, n) => bench.start(`a${n}`));
      const { claimed } = await bench.exchange(starts, bench.takers({ orchestrations: 2 }));
      assert.equal(claimed.length, 2);
      assert.equal((await bench.take({ orchestrations: 1 })).length, 1);
      assert.equal((await bench.take()).length, 2);
    });

    it('is first in, first out, also when new work arrives with room', async () => {
      const bench = use();
      for (const id of ['a', 'b', 'c']) {
        await bench.apply(bench.start(id));
        bench.advance(1);
      }
      const handed: string[] = [];
      for (const id of ['d', 'e', 'f', 'g', 'h']) {
        const { claimed } = await bench.exchange(
          [bench.start(id)],
          bench.takers({ orchestrations: 1 }),
        );
        handed.push(...idsOf(claimed));
        bench.advance(1);
      }
      assert.deepEqual(handed, ['a', 'b', 'c', 'd', 'e']);
    });

    it('does not let a busy type starve another that waits longer', async () => {
      const bench = use();
      await bench.apply(bench.start('busy-0', { name: 'Busy' }));
      bench.advance(1);
      await bench.apply(bench.start('rare', { name: 'Rare' }));
      const handed: string[] = [];
      for (let round = 1; round <= 6; round += 1) {
        bench.advance(1);
        const { claimed } = await bench.exchange(
          [
            bench.start(`busy-${round}`, { name: 'Busy' }),
            bench.start(`more-${round}`, { name: 'Busy' }),
          ],
          bench.takers({ orchestrations: 1 }),
        );
        handed.push(...idsOf(claimed));
      }
      assert.ok(handed.slice(0, 3).includes('rare'), handed.join(' '));
    });

    it('does not hand new work of one type out before older work of another', async () => {
      const bench = use();
      await bench.apply(bench.start('old', { name: 'Old' }));
      bench.advance(1);
      const { claimed } = await bench.exchange(
        [bench.start('new', { name: 'New' })],
        bench.takers({ orchestrations: 1 }),
      );
      assert.deepEqual(idsOf(claimed), ['old']);
    });

    it('spreads items over the streams that have room', async () => {
      const bench = use();
      const takers = [1, 2].flatMap((id) => bench.takers({ id, orchestrations: 5, activities: 0 }));
      const starts = Array.from({ length: 6 }, (_, n) => bench.start(`a${n}`));
      const { claimed } = await bench.exchange(starts, takers);
      assert.deepEqual(claimed.map(({ taker }) => taker).sort(), [1, 1, 1, 2, 2, 2]);
    });

    it('passes by dropped activities to reach the live ones behind them', async () => {
      const bench = use();
      for (const id of ['a', 'b']) {
        await bench.apply(turn(await bench.begin(id), [scheduleTask(1)]));
        bench.advance(1);
      }
      await bench.apply(raise('a', 'x'));
      const last = await bench.takeTurn();
      await bench.apply(turn(last, [complete()]));
      assert.equal((await bench.take({ orchestrations: 0, activities: 1 })).length, 1);
    });

    it('serves every hub in one round', async () => {
      const bench = use();
      await bench.apply({ kind: 'createHub', hub: 'other', recreate: false });
      await bench.exchange(Array.from({ length: 50 }, (_, n) => bench.start(`a${n}`)));
      await bench.apply(bench.start('b', { hub: 'other' }));
      const takers = [
        ...bench.takers({ id: 1, orchestrations: 5 }),
        ...bench.takers({ id: 2, orchestrations: 5, hub: 'other' }),
      ];
      const { claimed } = await bench.exchange([], takers);
      assert.equal(claimed.filter(({ hub }) => hub === 'other').length, 1);
      assert.equal(claimed.filter(({ hub }) => hub === 'default').length, 5);
    });

    it('keeps a hub to its own workers', async () => {
      const bench = use();
      await bench.apply({ kind: 'createHub', hub: 'other', recreate: false });
      await bench.apply(bench.start('a'));
      await bench.takeNothing({ hub: 'other' });
      assert.deepEqual(idsOf(await bench.take()), ['a']);
    });

    it('keeps kinds apart', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1)]));
      await bench.apply(bench.start('b'));
      assert.equal((await bench.takeTurn()).instanceId, 'b');
      await bench.takeActivity();
    });

    it('never gives entity room an orchestration', async () => {
      const bench = use();
      await bench.apply(bench.start('a'));
      const entity: Taker = {
        ...PLAIN_STREAM,
        id: 1,
        hub: 'default',
        kind: 'entity',
        credit: 5,
        filters: undefined,
      };
      assert.deepEqual((await bench.exchange([], [entity])).claimed, []);
    });

    it('goes on with work that waited when the store was opened', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1)]));
      await bench.apply(bench.start('b'));
      await bench.reopen();
      const claimed = await bench.take();
      assert.deepEqual(idsOf(claimed), ['b']);
      assert.equal(activities(claimed).length, 1);
    });
  });

  describe('work item filters', () => {
    it('leave unwanted types waiting and find wanted ones behind them', async () => {
      const bench = use();
      for (let n = 0; n < 150; n += 1) {
        await bench.apply(bench.start(`unwanted${n}`, { name: 'Unwanted' }));
      }
      await bench.apply(bench.start('wanted', { name: 'Wanted' }));
      const filters = [{ name: 'Wanted', versions: [] }];
      assert.deepEqual(idsOf(await bench.take({ filters })), ['wanted']);
      await bench.takeNothing({ filters });
      assert.equal((await bench.take({ orchestrations: 200 })).length, 150);
    });

    it('match names exactly and versions from the list, the empty one for unversioned', async () => {
      const bench = use();
      await bench.exchange([
        bench.start('none', { name: 'A' }),
        bench.start('v1', { name: 'A', version: '1' }),
        bench.start('v2', { name: 'A', version: '2' }),
        bench.start('case', { name: 'a' }),
      ]);
      const take = async (versions: string[]): Promise<string[]> =>
        idsOf(await bench.take({ filters: [{ name: 'A', versions }] }));
      assert.deepEqual(await take(['', '3']), ['none']);
      assert.deepEqual(await take(['2']), ['v2']);
      assert.deepEqual(await take([]), ['v1']);
    });

    it('with an empty list take nothing', async () => {
      const bench = use();
      await bench.apply(bench.start('a'));
      await bench.takeNothing({ filters: [] });
      const { claimed } = await bench.exchange([bench.start('b')], bench.takers({ filters: [] }));
      assert.deepEqual(claimed, []);
    });

    it('hold for activities, by the names and versions of their turns', async () => {
      const bench = use();
      await bench.apply(
        turn(await bench.begin('a'), [
          scheduleTask(1, 'X', { version: '1' }),
          scheduleTask(2, 'X'),
          scheduleTask(3, 'Y'),
        ]),
      );
      await bench.takeNothing({ filters: [{ name: 'Z', versions: [] }] });
      const some = await bench.take({ filters: [{ name: 'X', versions: ['1'] }] });
      assert.equal(some.length, 1);
      assert.equal((await bench.take()).length, 2);
    });
  });
}
