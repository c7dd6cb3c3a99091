import assert from 'node:assert/strict';
import { SharedClock } from '../../src/scheduler/shared-clock.ts';
import { silentLogger, type Logger } from '../../src/telemetry/logger.ts';
import { settle } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';

const never = new AbortController().signal;

/** A machine whose clock says `local` while the store's says `local + aheadMs`; an answer takes `delayMs` each way. */
function world({ aheadMs, delayMs = 0 }: { aheadMs: number | undefined; delayMs?: number }) {
  const local = new ManualClock(1_000_000);
  const told: unknown[] = [];
  const seen = { aheadMs, failure: undefined as Error | undefined };
  const logger: Logger = { ...silentLogger, warn: (_, fields) => told.push(fields?.['offsetMs']) };
  const store = {
    time: async () => {
      local.advance(delayMs);
      await settle();
      if (seen.failure) throw seen.failure;
      const at = seen.aheadMs === undefined ? undefined : local.now() + seen.aheadMs;
      local.advance(delayMs);
      return at;
    },
  };
  return { local, told, seen, open: () => SharedClock.open({ store, local, logger }) };
}

/** Lets the clock find out what the store's says now. */
async function pass(local: ManualClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1000) {
    local.advance(Math.min(left, 1000));
    await settle();
    await settle();
  }
}

describe('the clock that schedulers share', () => {
  for (const aheadMs of [3_600_000, -3_600_000, 0]) {
    it(`is the store's, which is ${aheadMs} ms ahead of the machine's`, async () => {
      const { local, open, told } = world({ aheadMs });
      const clock = await open();
      assert.equal(clock.now() - local.now(), aheadMs);
      assert.deepEqual(told, aheadMs === 0 ? [] : [aheadMs]);
      await clock.close();
    });
  }

  it("is the machine's where the store has one owner", async () => {
    const { local, open } = world({ aheadMs: undefined });
    const clock = await open();
    assert.equal(clock.now(), local.now());
    assert.deepEqual(local.sleepers, []);
    await clock.close();
  });

  it('does not tremble with the time that an answer takes', async () => {
    const { local, seen, open } = world({ aheadMs: 10_000, delayMs: 100 });
    const clock = await open();
    const offset = clock.now() - local.now();
    for (const aheadMs of [10_090, 9910, 10_050]) {
      seen.aheadMs = aheadMs;
      await pass(local, 5000);
      assert.equal(clock.now() - local.now(), offset);
    }
    await clock.close();
  });

  it('goes forward at once when the machine slept', async () => {
    const { local, seen, open, told } = world({ aheadMs: 0 });
    const clock = await open();
    seen.aheadMs = 60_000;
    await pass(local, 5000);
    assert.equal(clock.now() - local.now(), 60_000);
    assert.deepEqual(told, [60_000]);
    await clock.close();
  });

  it('never goes backwards, and comes back at half its speed', async () => {
    const { local, seen, open } = world({ aheadMs: 20_000 });
    const clock = await open();
    seen.aheadMs = 10_000;
    const since = clock.now();
    let last = since;
    for (let second = 0; second < 30; second += 1) {
      await pass(local, 1000);
      assert.ok(clock.now() >= last);
      last = clock.now();
    }
    assert.equal(last - local.now(), 10_000);
    assert.equal(last - since, 20_000);
    await clock.close();
  });

  it('wakes a sleeper when the shared time has come', async () => {
    const { local, seen, open } = world({ aheadMs: 0 });
    const clock = await open();
    let isAwake = false;
    const sleeping = clock.sleepUntil(clock.now() + 3_600_000, { signal: never }).then(() => {
      isAwake = true;
    });
    await pass(local, 5000);
    assert.equal(isAwake, false);
    // The machine stood still for an hour.
    seen.aheadMs = 3_600_000;
    await pass(local, 15_000);
    assert.equal(isAwake, true);
    await sleeping;
    await clock.close();
  });

  it('goes on as it was while the store cannot be asked', async () => {
    const { local, seen, open } = world({ aheadMs: 7000 });
    const clock = await open();
    seen.failure = new Error('away');
    await pass(local, 20_000);
    assert.equal(clock.now() - local.now(), 7000);
    seen.failure = undefined;
    seen.aheadMs = 8000;
    await pass(local, 5000);
    assert.equal(clock.now() - local.now(), 8000);
    await clock.close();
  });
});
