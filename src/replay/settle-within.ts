import { NonDurableWaitError } from './errors.ts';
import type { OrchestratorOptions } from './options.ts';

/** Steps of async orchestrators that only wait for their own awaits settle in a few of these. */
const MICROTASKS_BEFORE_TIMER = 32;

/**
 * The value of a promise of user code; throws `NonDurableWaitError` when it does not settle within
 * `limits.nonDurableWaitMs`. The one place where replay waits for the outside world. A timer is started
 * only for promises that outlast a few microtasks, which durable code never does.
 */
export async function settleWithin<T>(
  promise: PromiseLike<T>,
  options: Pick<OrchestratorOptions, 'delay' | 'limits' | 'name'>,
): Promise<T> {
  const state = { isSettled: false };
  const settled = Promise.resolve(promise).finally(() => {
    state.isSettled = true;
  });
  // The rejection is reported by the await below; this only keeps it from counting as unhandled.
  settled.catch(() => undefined);
  for (let hop = 0; hop < MICROTASKS_BEFORE_TIMER; hop += 1) {
    if (state.isSettled) return settled;
    await Promise.resolve();
  }
  return raceWithLimit(settled, options);
}

async function raceWithLimit<T>(
  promise: Promise<T>,
  { delay, limits, name }: Pick<OrchestratorOptions, 'delay' | 'limits' | 'name'>,
): Promise<T> {
  const abort = new AbortController();
  const limit = delay(limits.nonDurableWaitMs, abort.signal).then(() => {
    throw new NonDurableWaitError(
      `Orchestrator '${name}' waited for more than ${String(limits.nonDurableWaitMs)} ms for ` +
        'something that is not durable. Orchestrators yield tasks; move other awaits into an activity.',
    );
  });
  // Once the wait is over the delay is aborted, and its rejection is of no interest.
  limit.catch(() => undefined);
  try {
    return await Promise.race([promise, limit]);
  } finally {
    abort.abort();
  }
}
