import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isAbort, untilAborted } from '../../src/base/abort.ts';
import { backoffMs } from '../../src/base/backoff.ts';
import { systemClock } from '../../src/base/clock.ts';
import { systemIds } from '../../src/base/ids.ts';
import { TaskGroup } from '../../src/base/task-group.ts';

describe('isAbort', () => {
  it('knows the error of its own signal from any other', () => {
    const reason = new Error('stop');
    const signal = AbortSignal.abort(reason);
    assert.equal(isAbort(reason, signal), true);
    assert.equal(isAbort(new Error('stop'), signal), false);
    assert.equal(isAbort(reason, new AbortController().signal), false);
  });
});

describe('untilAborted', () => {
  it('gives the value, or the error, of a promise that settles first', async () => {
    const { signal } = new AbortController();
    assert.equal(await untilAborted(Promise.resolve(5), signal), 5);
    await assert.rejects(untilAborted(Promise.reject(new Error('no')), signal), /no/);
  });

  it('gives nothing once the signal aborts, before or meanwhile', async () => {
    const never = new Promise<number>(() => undefined);
    assert.equal(await untilAborted(never, AbortSignal.abort()), undefined);
    const stop = new AbortController();
    const waiting = untilAborted(never, stop.signal);
    stop.abort();
    assert.equal(await waiting, undefined);
  });
});

describe('backoffMs', () => {
  const options = { firstMs: 100, maxMs: 5000, factor: 2 };

  it('grows up to its bound, and never past it', () => {
    const delays = [1, 2, 3, 6, 7, 100].map((attempt) => backoffMs(attempt, options, () => 0));
    assert.deepEqual(delays, [100, 200, 400, 3200, 5000, 5000]);
  });

  it('takes at most half away by chance', () => {
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), chance, (attempt, random) => {
        const full = backoffMs(attempt, options, () => 0);
        const delay = backoffMs(attempt, options, () => random);
        assert.ok(delay >= full / 2 && delay <= full);
      }),
    );
  });
});

describe('the system clock', () => {
  const never = new AbortController().signal;

  it('never goes backwards, and counts whole milliseconds', () => {
    let last = systemClock.now();
    for (let n = 0; n < 1000; n += 1) {
      const now = systemClock.now();
      assert.ok(now >= last && Number.isInteger(now));
      last = now;
    }
  });

  it('wakes at or after the instant, at once for one that has passed', async () => {
    const at = systemClock.now() + 3;
    await systemClock.sleepUntil(at, { signal: never });
    assert.ok(systemClock.now() >= at);
    await systemClock.sleepUntil(0, { signal: never });
  });

  it('rejects with the reason when the signal aborts, before or meanwhile', async () => {
    const reason = new Error('stop');
    const far = systemClock.now() + 1e12;
    const late = systemClock.sleepUntil(far, { signal: AbortSignal.abort(reason) });
    await assert.rejects(late, reason);
    const stop = new AbortController();
    const sleeping = systemClock.sleepUntil(far, { signal: stop.signal });
    stop.abort(reason);
    await assert.rejects(sleeping, reason);
  });
});

describe('system ids', () => {
  it('are of their shape and do not repeat', () => {
    const all = Array.from({ length: 2000 }, () => systemIds.hex32());
    assert.equal(new Set(all).size, 2000);
    for (const id of all) assert.match(id, /^[0-9a-f]{32}$/);
    assert.match(systemIds.uuid(), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const random = systemIds.random();
    assert.ok(random >= 0 && random < 1);
  });
});

describe('a task group', () => {
  it('waits for its tasks, those that are added meanwhile included', async () => {
    const group = new TaskGroup(() => assert.fail('no task fails here'));
    const done: string[] = [];
    const first = Promise.withResolvers<undefined>();
    group.run('first', async () => {
      await first.promise;
      done.push('first');
      group.run('second', async () => void done.push('second'));
    });
    assert.equal(group.size, 1);
    first.resolve(undefined);
    await group.settled();
    assert.deepEqual(done, ['first', 'second']);
    assert.equal(group.size, 0);
  });

  it('reports a task that fails once, by name, and goes on', async () => {
    const errors: unknown[] = [];
    const group = new TaskGroup((error, name) => errors.push([name, (error as Error).message]));
    group.run('bad', () => Promise.reject(new Error('no')));
    await group.settled();
    assert.deepEqual(errors, [['bad', 'no']]);
  });
});
