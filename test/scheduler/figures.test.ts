import assert from 'node:assert/strict';
import { FigureBook } from '../../src/scheduler/figures.ts';
import type { WorkerInfo } from '../../src/scheduler/worker-info.ts';
import type { Inspection, QueueTotal } from '../../src/storage/inspection.ts';
import type { Claimed } from '../../src/storage/store.ts';
import { ManualClock } from '../support/manual-clock.ts';

function worker(hub: string, active: number, capacity: number): WorkerInfo {
  const byKind = (count: number) => ({ orchestration: count, activity: count, entity: count });
  return {
    ...{ hub, inFlightByKind: byKind(active), capacity: byKind(capacity) },
  } as WorkerInfo;
}

function openBook() {
  const clock = new ManualClock();
  const state = {
    hubs: ['a', 'b'] as readonly string[],
    workers: [] as readonly WorkerInfo[],
    totals: [] as readonly QueueTotal[],
    asked: 0,
    announced: [] as readonly string[],
    answered: Promise.resolve(undefined),
    failure: undefined as Error | undefined,
  };
  const book = new FigureBook({
    store: {
      inspection: {
        announcements: () => Promise.resolve(state.announced),
        queueTotals: async () => {
          state.asked += 1;
          await state.answered;
          if (state.failure) throw state.failure;
          return state.totals;
        },
      } as unknown as Inspection,
    },
    clock,
    hubs: () => state.hubs,
    workers: () => state.workers,
    rounds: { rounds: 1, failed: 2, commits: 3 },
  });
  return { book, clock, state };
}

describe('the figures of task hubs', () => {
  it('put together what is queued and what workers hold', async () => {
    const { book, clock, state } = openBook();
    const oldestAt = clock.now() - 1500;
    state.totals = [{ hub: 'a', kind: 'activity', pending: 7, parked: 1, oldestAt }];
    state.workers = [worker('a', 2, 5), worker('a', 3, 6), worker('b', 9, 9)];
    const { hubs, rounds } = await book.read();
    assert.deepEqual(rounds, { rounds: 1, failed: 2, commits: 3 });
    assert.deepEqual(hubs[0]?.kinds.activity, {
      ...{ pending: 7, parked: 1, active: 5, activeHere: 5, perWorker: 6, oldestAgeMs: 1500 },
      ...{ delivered: 0, redelivered: 0 },
    });
    assert.equal(hubs[0].connectedWorkers, 2);
    assert.equal(hubs[1]?.kinds.activity.pending, 0);
  });

  it('count the workers of other schedulers, and their own apart', async () => {
    const [one, other] = [openBook(), openBook()];
    one.state.workers = [worker('a', 2, 4)];
    other.state.workers = [worker('a', 5, 8), worker('a', 3, 6), worker('b', 1, 1)];
    const ofLaterRelease = JSON.stringify({ form: 2, loads: 'other' });
    one.state.announced = [
      other.book.announcement(),
      openBook().book.announcement(),
      ofLaterRelease,
    ];
    const [a, b] = (await one.book.read()).hubs;
    const { active, activeHere, perWorker } = a?.kinds.activity ?? {};
    assert.deepEqual(
      { active, activeHere, perWorker },
      { active: 10, activeHere: 2, perWorker: 6 },
    );
    assert.deepEqual([a?.connectedWorkers, a?.connectedHere], [3, 1]);
    assert.deepEqual([b?.connectedWorkers, b?.connectedHere], [1, 0]);
  });

  it('ask the store once a second, however many ask', async () => {
    const { book, clock, state } = openBook();
    await Promise.all([book.read(), book.read(), book.read()]);
    clock.advance(999);
    state.hubs = [...state.hubs];
    await book.read();
    assert.equal(state.asked, 1);
    clock.advance(1);
    await book.read();
    assert.equal(state.asked, 2);
  });

  it('ask a slow store no more than a tenth of the time, and never twice at once', async () => {
    const { book, clock, state } = openBook();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    state.answered = promise;
    const first = book.read();
    clock.advance(3000);
    const second = book.read();
    resolve(undefined);
    assert.equal(await first, await second);
    assert.equal(state.asked, 1);
    clock.advance(26_999);
    await book.read();
    assert.equal(state.asked, 1);
    clock.advance(1);
    await book.read();
    assert.equal(state.asked, 2);
  });

  it('know a task hub as soon as it is there', async () => {
    const { book, state } = openBook();
    await book.read();
    state.hubs = ['b', 'c'];
    assert.deepEqual(
      (await book.read()).hubs.map(({ hub }) => hub),
      ['b', 'c'],
    );
  });

  it('ask again after the store failed', async () => {
    const { book, state } = openBook();
    state.failure = new Error('gone');
    await assert.rejects(book.read(), /gone/);
    state.failure = undefined;
    assert.equal((await book.read()).hubs.length, 2);
  });

  it('remember what a worker took when the last one is gone', async () => {
    const { book, clock, state } = openBook();
    assert.equal((await book.read()).hubs[0]?.kinds.entity.perWorker, 10);
    state.workers = [worker('a', 0, 4)];
    clock.advance(1000);
    assert.equal((await book.read()).hubs[0]?.kinds.entity.perWorker, 4);
    state.workers = [];
    clock.advance(1000);
    assert.equal((await book.read()).hubs[0]?.kinds.entity.perWorker, 4);
  });

  it('count deliveries, and those after a loss apart', async () => {
    const { book } = openBook();
    const item = { hub: 'a', kind: 'activity' };
    book.note([
      { ...item, attempts: 0 },
      { ...item, attempts: 2 },
    ] as unknown as Claimed[]);
    const { delivered, redelivered } = (await book.read()).hubs[0]?.kinds.activity ?? {};
    assert.deepEqual({ delivered, redelivered }, { delivered: 2, redelivered: 1 });
  });
});
