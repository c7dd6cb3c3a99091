import assert from 'node:assert/strict';
import type { Claimed, ClaimedOrchestration, Taker } from '../../../src/storage/store.ts';
import { scheduleTask } from '../../support/actions.ts';
import {
  HUB,
  orchestrations,
  PLAIN_STREAM,
  raise,
  turn,
  type Bench,
  type UseBench,
} from './bench.ts';

const KB = 1024;
const MB = KB * KB;
/** What an item waits that nobody can carry. */
const DEFER_MS = 1000;

/** Room for one kind of work on a stream. */
function stream(id: number, rest: Partial<Taker> = {}): Taker {
  return {
    ...PLAIN_STREAM,
    id,
    hub: HUB,
    kind: 'orchestration',
    credit: 10,
    filters: undefined,
    ...rest,
  };
}

async function give(bench: Bench, ...takers: readonly Taker[]): Promise<readonly Claimed[]> {
  const { claimed } = await bench.exchange([], takers);
  return claimed;
}

async function giveTurn(bench: Bench, ...takers: readonly Taker[]): Promise<ClaimedOrchestration> {
  const [item, ...rest] = orchestrations(await give(bench, ...takers));
  assert.ok(item && rest.length === 0, 'one turn is handed out');
  return item;
}

/** An instance with a history of about this many bytes, and an event that waits for it. */
async function withHistory(
  bench: Bench,
  instanceId: string,
  bytes: number,
): Promise<ClaimedOrchestration> {
  const input = 'x'.repeat(bytes);
  const first = await bench.begin(instanceId);
  await bench.apply(turn(first, [scheduleTask(1, 'Never', { input })]));
  await bench.apply(raise(instanceId, 'go'));
  return first;
}

async function lose(bench: Bench, { token, kind }: Claimed, times = 1): Promise<void> {
  const loss = { parkAfter: 100 };
  const lost = { kind: 'release', hub: HUB, work: kind, token, readyAt: bench.now, loss } as const;
  for (let time = 0; time < times; time += 1) await bench.apply(lost);
}

export function roomsContract(use: UseBench): void {
  describe('the memory of a worker', () => {
    it('is preferred to a free place, and spares the history', async () => {
      const bench = use();
      const first = await withHistory(bench, 'a', 10);
      const knows = stream(1, { credit: 1, caches: new Set([first.memory.after]) });
      const item = await giveTurn(bench, stream(2, { credit: 50 }), knows);
      assert.deepEqual([item.taker, item.historyMode, item.history], [1, 'cached', []]);
      assert.equal(item.memory.before, first.memory.after);
    });

    it('of an earlier turn counts for nothing', async () => {
      const bench = use();
      const first = await withHistory(bench, 'a', 10);
      await bench.apply(turn(await bench.takeTurn()));
      await bench.apply(raise('a', 'more'));
      const knew = stream(1, { credit: 1, caches: new Set([first.memory.after]) });
      const item = await giveTurn(bench, stream(2, { credit: 50 }), knew);
      assert.deepEqual([item.taker, item.historyMode], [2, 'inline']);
      assert.ok(item.history.length > 0);
    });

    it('is not needed for a turn without history', async () => {
      const bench = use();
      await bench.apply(bench.start('a'));
      assert.equal((await giveTurn(bench, stream(1))).historyMode, 'inline');
    });

    it('yields to another worker when it has no room', async () => {
      const bench = use();
      const first = await withHistory(bench, 'a', 10);
      const busy = stream(1, { kind: 'activity', caches: new Set([first.memory.after]) });
      const claimed = orchestrations(await give(bench, busy, stream(2)));
      assert.deepEqual(
        claimed.map(({ taker }) => taker),
        [2],
      );
    });
  });

  describe('a worker that gave an item back', () => {
    it('gets it only if nobody else has room', async () => {
      const bench = use();
      const first = await bench.begin('a');
      await bench.apply({ kind: 'abandon', hub: HUB, work: 'orchestration', token: first.token });
      bench.advance(60_000);
      const avoiding = stream(1, { credit: 50, avoids: new Set([first.key]) });
      const second = await giveTurn(bench, avoiding, stream(2, { credit: 1 }));
      assert.equal(second.taker, 2);
      await bench.apply({ kind: 'abandon', hub: HUB, work: 'orchestration', token: second.token });
      bench.advance(60_000);
      assert.equal((await giveTurn(bench, avoiding)).taker, 1);
    });
  });

  describe('the size of a message', () => {
    it('decides whether a history travels in it', async () => {
      const bench = use();
      await withHistory(bench, 'a', 200 * KB);
      const fetches = { fetchesHistory: true };
      const small = stream(1, { ...fetches, messageBytesMax: 100 * KB });
      const item = await giveTurn(bench, small);
      assert.deepEqual([item.historyMode, item.history], ['streamed', []]);
      await bench.apply(turn(item));
      await bench.apply(raise('a', 'more'));
      const large = stream(1, { ...fetches, messageBytesMax: MB });
      const next = await giveTurn(bench, large);
      assert.equal(next.historyMode, 'inline');
    });

    it('sends a history to whoever can take it', async () => {
      const bench = use();
      await withHistory(bench, 'a', 200 * KB);
      const small = stream(1, { credit: 50, messageBytesMax: 100 * KB });
      assert.equal((await giveTurn(bench, small, stream(2, { credit: 1 }))).taker, 2);
    });

    it('defers what nobody can take, without holding up what is behind it', async () => {
      const bench = use();
      await withHistory(bench, 'large', 200 * KB);
      bench.advance(1);
      for (const id of ['b', 'c', 'd']) await bench.apply(bench.start(id));
      const small = stream(1, { credit: 1, messageBytesMax: 100 * KB });
      const handed: string[] = [];
      for (let round = 0; round < 3; round += 1) {
        handed.push(...orchestrations(await give(bench, small)).map((item) => item.instanceId));
      }
      assert.deepEqual(handed, ['b', 'c', 'd']);
      assert.deepEqual(await give(bench, stream(2)), [], 'not at once');
      bench.advance(DEFER_MS);
      assert.equal((await giveTurn(bench, stream(2))).instanceId, 'large');
    });

    it('defers a large activity likewise', async () => {
      const bench = use();
      const input = 'x'.repeat(200 * KB);
      const tasks = [scheduleTask(1, 'A', { input }), scheduleTask(2, 'A'), scheduleTask(3, 'A')];
      await bench.apply(turn(await bench.begin('a'), tasks));
      const small = stream(1, { kind: 'activity', credit: 2, messageBytesMax: 100 * KB });
      assert.equal((await give(bench, small)).length, 2);
      assert.deepEqual(await give(bench, small), []);
      bench.advance(DEFER_MS);
      const [large] = await give(bench, stream(2, { kind: 'activity' }));
      assert.ok(large?.kind === 'activity' && large.request.length > 200 * KB);
    });

    it('holds for the events too that a worker with the history in memory is told', async () => {
      const bench = use();
      const first = await withHistory(bench, 'a', 10);
      await bench.apply(raise('a', 'large', 'x'.repeat(200 * KB)));
      const caches = new Set([first.memory.after]);
      assert.deepEqual(await give(bench, stream(1, { caches, messageBytesMax: 100 * KB })), []);
      bench.advance(DEFER_MS);
      assert.equal((await giveTurn(bench, stream(1, { caches }))).historyMode, 'cached');
    });
  });

  describe('an item whose workers were lost', () => {
    it('goes out alone, and only to a worker that holds nothing', async () => {
      const bench = use();
      const suspect = await bench.begin('a');
      await lose(bench, suspect);
      await lose(bench, await bench.takeTurn());
      bench.advance(1);
      for (const id of ['b', 'c']) await bench.apply(bench.start(id));
      const busy = orchestrations(await give(bench, stream(1, { isIdle: false })));
      assert.deepEqual(
        busy.map((item) => item.instanceId),
        ['b', 'c'],
      );
      bench.advance(DEFER_MS);
      await bench.apply(bench.start('d'));
      const alone = orchestrations(await give(bench, stream(2), stream(2, { kind: 'activity' })));
      assert.deepEqual(
        alone.map((item) => item.instanceId),
        ['a'],
      );
      assert.equal(alone[0]?.attempts, 2);
    });

    it('is trusted again once a worker has completed it', async () => {
      const bench = use();
      await lose(bench, await bench.begin('a'));
      await lose(bench, await bench.takeTurn());
      await bench.apply(turn(await bench.takeTurn()));
      await bench.apply(raise('a', 'go'));
      await bench.apply(bench.start('b'));
      const handed = orchestrations(await give(bench, stream(1, { isIdle: false })));
      assert.deepEqual(
        handed.map((item) => item.attempts),
        [0, 0],
      );
    });
  });
}
