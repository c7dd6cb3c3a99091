import assert from 'node:assert/strict';
import { untilAborted } from '../../src/base/abort.ts';
import { runNews, type NewsOptions } from '../../src/scheduler/news.ts';
import { eventually, settle } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A store that is rung all the time; each look takes `lookMs`. */
function world(lookMs: number) {
  const clock = new ManualClock(0);
  const end = new AbortController();
  const seen = { looks: 0, pokes: 0, errors: [] as unknown[], failure: undefined as unknown };
  const options: NewsOptions = {
    clock,
    signal: end.signal,
    store: {
      doorbell: {
        ring: () => undefined,
        rung: async ({ signal }) => {
          await untilAborted(settle(), signal);
          signal.throwIfAborted();
        },
      },
      catchUp: async () => {
        seen.looks += 1;
        await clock.sleepUntil(clock.now() + lookMs, { signal: end.signal });
        if (seen.failure !== undefined) throw seen.failure as Error;
      },
      taskHubs: () => Promise.resolve(['h']),
      currentLeases: () => Promise.resolve(new Set()),
    },
    waits: { tick: () => Promise.resolve() },
    workers: { holdings: () => new Map(), letGo: () => false },
    onError: (error) => seen.errors.push(error),
    onHubs: () => undefined,
    onFreed: () => {
      seen.pokes += 1;
    },
  };
  return { clock, end, seen, options };
}

describe('news of other schedulers', () => {
  it('takes a quarter of the time at most, however often they ring', async () => {
    const { clock, end, seen, options } = world(10);
    const running = runNews(options);
    for (let ms = 0; ms < 400; ms += 1) {
      await settle();
      await settle();
      clock.advance(1);
    }
    assert.ok(seen.looks >= 8 && seen.looks <= 10, `${seen.looks} looks of 10 ms in 400 ms`);
    end.abort();
    await running;
  });

  it('is looked for again after a failure', async () => {
    const { end, seen, options } = world(0);
    seen.failure = new Error('the store is away');
    const running = runNews(options);
    await eventually(() => seen.errors.length > 0, 'the failure is told');
    assert.deepEqual(seen.errors[0], seen.failure);
    assert.equal(seen.pokes, 0);
    seen.failure = undefined;
    await eventually(() => seen.pokes > 0, 'the next look finds work');
    end.abort();
    await running;
  });

  it('is none where nobody else can be', async () => {
    const { options, seen } = world(0);
    await runNews({ ...options, store: { ...options.store, doorbell: undefined } });
    assert.equal(seen.looks, 0);
  });
});
