import type { Clock } from '../../../src/base/clock.ts';
import { systemClock } from '../../../src/base/clock.ts';

/**
 * Real time, but waits of up to `skipMs` (retries, reconnects) end at the next turn of the event
 * loop, so that a test of many attempts takes no time.
 */
export function impatientClock(skipMs = 20_000): Clock {
  return {
    now: () => systemClock.now(),
    sleepUntil: (atMs, options) => {
      const isShort = atMs - systemClock.now() <= skipMs;
      return systemClock.sleepUntil(isShort ? systemClock.now() + 1 : atMs, options);
    },
  };
}
