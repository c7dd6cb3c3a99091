import { systemClock } from '../../src/base/clock.ts';

const never = new AbortController().signal;

/** Real time: what is tortured are real processes. */
export async function pause(ms: number, signal = never): Promise<void> {
  await systemClock.sleepUntil(systemClock.now() + ms, { signal });
}
