import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decideScale, keepSamples, rawTarget } from '../../src/core/scale.ts';
import type { KindLoad, ScaleOptions, ScaleSample } from '../../src/core/scale.ts';

const WINDOW = 120_000;
const load = fc.record({
  pending: fc.nat(1_000_000),
  active: fc.nat(1000),
  perWorker: fc.nat(100),
});
const loads = fc.array(load, { maxLength: 3 });
const bounds = fc.tuple(fc.nat(20), fc.nat(100)).map(([min, more]) => ({ min, max: min + more }));

function one(pending: number, perWorker = 10): readonly KindLoad[] {
  return [{ pending, active: 0, perWorker }];
}

function options(more: Partial<ScaleOptions>): ScaleOptions {
  return { min: 0, max: 100, now: 0, windowMs: WINDOW, workers: undefined, ...more };
}

/** Samples ten seconds apart, the last one now. */
function every10s(pendings: readonly number[], now: number): readonly ScaleSample[] {
  return pendings
    .map((pending, index) => ({
      at: now - (pendings.length - 1 - index) * 10_000,
      loads: one(pending),
    }))
    .reduce<readonly ScaleSample[]>((kept, sample) => keepSamples(kept, sample, WINDOW), []);
}

describe('the raw target', () => {
  it('is the largest need of any kind, pending and active together', () => {
    const busy: readonly KindLoad[] = [
      { pending: 20, active: 1, perWorker: 10 },
      { pending: 0, active: 5, perWorker: 1 },
      { pending: 9000, active: 0, perWorker: 0 },
    ];
    assert.equal(rawTarget(busy, { min: 0, max: 100 }), 5);
    assert.equal(rawTarget(busy, { min: 0, max: 4 }), 4);
    assert.equal(rawTarget([], { min: 2, max: 4 }), 2);
  });

  it('stays within its bounds', () => {
    fc.assert(
      fc.property(loads, bounds, (given, { min, max }) => {
        const target = rawTarget(given, { min, max });
        assert.ok(target >= min && target <= max && Number.isInteger(target));
      }),
    );
  });

  it('never falls when a backlog grows', () => {
    fc.assert(
      fc.property(loads, load, bounds, fc.nat(10_000), (others, given, limits, more) => {
        const grown = { ...given, pending: given.pending + more };
        assert.ok(rawTarget([...others, grown], limits) >= rawTarget([...others, given], limits));
      }),
    );
  });
});

describe('a scale decision', () => {
  it('follows growth at once', () => {
    const samples = every10s([0, 0, 95], 1_000_000);
    assert.deepEqual(decideScale(samples, options({ now: 1_000_000, workers: 1 })), {
      rawTarget: 10,
      target: 10,
      vote: 1,
    });
  });

  it('takes workers away only when a whole window agrees', () => {
    const busyThenIdle = (idle: number) => every10s([50, ...Array<number>(idle).fill(0)], 1e6);
    const of = (idle: number) => decideScale(busyThenIdle(idle), options({ now: 1e6, workers: 5 }));
    assert.deepEqual(of(11), { rawTarget: 0, target: 5, vote: 0 });
    assert.deepEqual(of(12), { rawTarget: 0, target: 0, vote: -1 });
  });

  it('takes none away before it has seen a whole window', () => {
    const samples = every10s([0, 0], 1e6);
    assert.deepEqual(decideScale(samples, options({ now: 1e6, workers: 7 })), {
      rawTarget: 0,
      target: 7,
      vote: 0,
    });
  });

  it('takes away what is above the maximum at any time', () => {
    const { target, vote } = decideScale([], options({ max: 3, workers: 7 }));
    assert.deepEqual({ target, vote }, { target: 3, vote: -1 });
  });

  it('counts the newest sample however old it is', () => {
    const old = [{ at: 0, loads: one(40) }];
    assert.equal(decideScale(old, options({ now: 1e9 })).target, 4);
  });

  it('does not vote when nobody says how many workers there are', () => {
    assert.equal(decideScale(every10s([90], 1e6), options({ now: 1e6 })).vote, 0);
  });

  it('lies within the raw targets of its window', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(2000), { minLength: 14, maxLength: 40 }),
        bounds,
        (all, limits) => {
          const { min, max } = limits;
          const samples = every10s(all, 1e6);
          const raw = all.slice(-12).map((pending) => rawTarget(one(pending), { min, max }));
          const { target } = decideScale(samples, options({ now: 1e6, min, max, workers: 3 }));
          assert.ok(target >= Math.min(...raw) && target <= Math.max(...raw));
        },
      ),
    );
  });

  it('settles on constant load, whatever came before, and stays', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(900), { maxLength: 20 }), fc.nat(900), (before, constant) => {
        let samples = every10s(before, 0);
        let workers = 1;
        const seen: number[] = [];
        for (let step = 1; step <= 40; step += 1) {
          const now = step * 10_000;
          samples = keepSamples(samples, { at: now, loads: one(constant) }, WINDOW);
          workers = decideScale(samples, options({ now, workers })).target;
          seen.push(workers);
        }
        const changes = seen.filter((each, index) => index > 0 && each < (seen[index - 1] ?? 0));
        const growth = seen.filter((each, index) => index > 0 && each > (seen[index - 1] ?? 0));
        assert.equal(growth.length, 0);
        assert.ok(changes.length <= before.length + 1);
        assert.deepEqual(new Set(seen.slice(15)), new Set([Math.ceil(constant / 10)]));
      }),
    );
  });
});

describe('the samples kept', () => {
  it('are those of the window and one before it', () => {
    const samples = every10s(Array<number>(100).fill(1), 1e6);
    assert.equal(samples.length, 13);
    assert.equal(samples[0]?.at, 1e6 - WINDOW);
  });
});
