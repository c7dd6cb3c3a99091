import assert from 'node:assert/strict';
import { reconcile, runReconciliation } from '../../src/scheduler/reconciliation.ts';
import type { Store } from '../../src/storage/store.ts';
import { settle } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A worker that holds `tokens`, of which the store still knows `current`. */
function world({ tokens, current }: { tokens: readonly string[]; current: readonly string[] }) {
  const asked: number[] = [];
  const freed: string[] = [];
  let pokes = 0;
  const currentLeases: Store['currentLeases'] = (_hub, part) => {
    asked.push(part.length);
    return Promise.resolve(new Set(current.filter((known) => part.some((p) => p.token === known))));
  };
  const options = {
    store: { isShared: true, currentLeases },
    workers: {
      holdings: () =>
        new Map([['h', tokens.map((token) => ({ token, kind: 'activity' as const }))]]),
      letGo: (gone: readonly string[]) => {
        freed.push(...gone);
        return true;
      },
    },
    onFreed: () => {
      pokes += 1;
    },
  };
  return { options, asked, freed, pokes: () => pokes };
}

describe('what workers hold', () => {
  it('is let go when its lease is not the current one any more', async () => {
    const { options, freed, pokes } = world({ tokens: ['a', 'b', 'c'], current: ['b'] });
    await reconcile(options);
    assert.deepEqual(freed, ['a', 'c']);
    assert.equal(pokes(), 1);
  });

  it('stays as long as the store says so', async () => {
    const { options, freed, pokes } = world({ tokens: ['a'], current: ['a'] });
    await reconcile(options);
    assert.deepEqual(freed, []);
    assert.equal(pokes(), 0);
  });

  it('is looked up a bounded number at a time', async () => {
    const tokens = Array.from({ length: 1100 }, (_, n) => String(n));
    const { options, asked } = world({ tokens, current: tokens });
    await reconcile(options);
    assert.deepEqual(asked, [500, 500, 100]);
  });

  it('is compared again and again on a shared store, whatever fails', async () => {
    const clock = new ManualClock();
    const errors: unknown[] = [];
    const end = new AbortController();
    const { options, asked } = world({ tokens: ['a'], current: ['a'] });
    const { currentLeases } = options.store;
    let isBroken = true;
    const store = {
      isShared: true,
      currentLeases: (...call: Parameters<typeof currentLeases>) =>
        isBroken ? Promise.reject(new Error('away')) : currentLeases(...call),
    };
    const running = runReconciliation({
      ...options,
      ...{ store, clock, everyMs: 100, signal: end.signal },
      onError: (error) => errors.push(error),
    });
    clock.advance(100);
    await settle();
    isBroken = false;
    clock.advance(100);
    await settle();
    assert.deepEqual([errors.length, asked.length], [1, 1]);
    end.abort();
    await running;
  });

  it("is nobody else's business on a store with one owner", async () => {
    const { options, asked } = world({ tokens: ['a'], current: [] });
    await runReconciliation({
      ...options,
      ...{ store: { ...options.store, isShared: false }, clock: new ManualClock(), everyMs: 1 },
      ...{ signal: new AbortController().signal, onError: () => assert.fail() },
    });
    assert.deepEqual(asked, []);
  });
});
