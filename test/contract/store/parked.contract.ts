/** Items whose deliveries keep ending in the loss of the worker. */
import assert from 'node:assert/strict';
import type { ClaimedActivity, Commit, WorkKind } from '../../../src/storage/store.ts';
import { complete, scheduleTask } from '../../support/actions.ts';
import {
  activities,
  activityDone,
  orchestrations,
  PLAIN_STREAM,
  turn,
  type Bench,
  type UseBench,
} from './bench.ts';

function lose(
  { hub, token }: Pick<ClaimedActivity, 'hub' | 'token'>,
  readyAt: number,
  work: WorkKind = 'activity',
): Commit {
  return { kind: 'release', hub, work, token, readyAt, loss: { parkAfter: 3 } };
}

async function loseThreeTimes(bench: Bench): Promise<ClaimedActivity> {
  await bench.apply(turn(await bench.begin('a'), [scheduleTask(1)]));
  let item = await bench.takeActivity();
  for (let loss = 1; loss < 3; loss += 1) {
    await bench.apply(lose(item, bench.now));
    item = await bench.takeActivity();
  }
  await bench.apply(lose(item, bench.now));
  return item;
}

export function parkedContract(use: UseBench): void {
  describe('a parked item', () => {
    it('is handed to nobody and can be seen', async () => {
      const bench = use();
      await loseThreeTimes(bench);
      await bench.takeNothing();
      const items = await bench.store.parked('default', 10);
      assert.deepEqual(
        items.map(({ kind, instanceId, attempts }) => ({ kind, instanceId, attempts })),
        [{ kind: 'activity', instanceId: 'a', attempts: 3 }],
      );
    });

    it('is settled by a completion that comes late all the same', async () => {
      const bench = use();
      const item = await loseThreeTimes(bench);
      await bench.apply(activityDone(item));
      assert.deepEqual(await bench.store.parked('default', 10), []);
      assert.equal((await bench.takeTurn()).instanceId, 'a');
    });

    it('goes out again with a clean record once somebody retries it', async () => {
      const bench = use();
      await loseThreeTimes(bench);
      const none = { instanceId: 'other', now: bench.now };
      assert.equal(await bench.store.retryParked('default', none), 0);
      const all = { instanceId: undefined, now: bench.now };
      assert.equal(await bench.store.retryParked('default', all), 1);
      assert.equal((await bench.takeActivity()).attempts, 0);
    });
  });

  describe('an item whose worker was lost twice', () => {
    it('goes only to a worker that has nothing else in hand', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1)]));
      await bench.apply(lose(await bench.takeActivity(), bench.now));
      await bench.apply(lose(await bench.takeActivity(), bench.now));
      const busy = bench.takers().map((taker) => ({ ...taker, isIdle: false }));
      assert.deepEqual((await bench.exchange([], busy)).claimed, []);
      bench.advance(1000);
      assert.equal((await bench.takeActivity()).attempts, 2);
    });

    it('leaves a stream without room for anything beside it', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1)]));
      await bench.apply(lose(await bench.takeActivity(), bench.now));
      await bench.apply(lose(await bench.takeActivity(), bench.now));
      const stream = { ...PLAIN_STREAM, id: 1, hub: 'default', credit: 9, filters: undefined };
      const takers = [
        { ...stream, kind: 'activity' as const },
        { ...stream, kind: 'orchestration' as const },
      ];
      const { claimed } = await bench.exchange([bench.start('b')], takers);
      assert.equal(claimed.length, 1);
    });

    it('does not hide what waits behind it', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1), scheduleTask(2)]));
      for (let loss = 1; loss < 3; loss += 1) {
        for (const { token, hub } of activities(await bench.take())) {
          await bench.apply(lose({ token, hub }, bench.now));
        }
      }
      const first = await bench.takeActivity();
      await bench.apply(activityDone(first));
      const second = await bench.takeActivity();
      assert.notEqual(second.key, first.key);
    });

    it('does not hide another instance that waits behind it', async () => {
      const bench = use();
      await bench.apply(bench.start('a'));
      await bench.apply(bench.start('b'));
      for (let loss = 1; loss < 3; loss += 1) {
        for (const { token, hub } of orchestrations(await bench.take())) {
          await bench.apply(lose({ token, hub }, bench.now, 'orchestration'));
        }
      }
      const first = await bench.takeTurn();
      await bench.apply(turn(first, [complete()]));
      const second = await bench.takeTurn();
      assert.notEqual(second.instanceId, first.instanceId);
    });
  });
}
