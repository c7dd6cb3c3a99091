/** Background work on the store, a bounded step at a time. */
import { isAbort } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import { nextLoop } from '../base/yield.ts';
import type { Store } from '../storage/store.ts';
import type { SchedulerSettings } from './settings.ts';

/** Leases freed in one transaction: about 25 ms of the writer's time (measured on a million rows). */
const ORPHANS_PER_STEP = 5000;
/** Rows of dropped executions deleted in one transaction. */
const SWEEP_PER_STEP = 1000;

export interface UpkeepOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly settings: SchedulerSettings;
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
  /** Leases were freed: look for work. */
  readonly onFreed: () => void;
  /** Hubs as the store knows them now: other nodes make and delete them too. */
  readonly onHubs: (hubs: readonly string[]) => void;
}

/** Frees what owners of the store that are gone had leased, and sweeps, until the signal aborts. */
export async function runUpkeep(options: UpkeepOptions): Promise<void> {
  const { clock, settings, signal, onError } = options;
  let areOrphansLeft: boolean;
  for (;;) {
    try {
      signal.throwIfAborted();
      options.onHubs(await options.store.taskHubs());
      areOrphansLeft = await releaseOrphans(options);
      const isMore = await sweep(options);
      if (isMore || areOrphansLeft) await nextLoop();
      else await clock.sleepUntil(clock.now() + settings.upkeepMs, { signal });
    } catch (error) {
      if (isAbort(error, signal)) return;
      onError(error);
      if (!(await pause(options))) return;
    }
  }
}

async function sweep({ store, clock, settings }: UpkeepOptions): Promise<boolean> {
  const before = clock.now() - settings.requestMemoryMs;
  const isMore = [
    await store.sweep({ limit: SWEEP_PER_STEP }),
    await store.forgetRequests({ before, limit: SWEEP_PER_STEP }),
  ];
  return isMore.includes(true);
}

async function releaseOrphans(options: UpkeepOptions): Promise<boolean> {
  const { store, clock, settings, onFreed } = options;
  const { graceMs } = settings;
  const isMore = await store.releaseOrphans({ now: clock.now(), limit: ORPHANS_PER_STEP, graceMs });
  onFreed();
  return isMore;
}

/** False when the signal aborted meanwhile. */
async function pause({ clock, settings, signal }: UpkeepOptions): Promise<boolean> {
  try {
    await clock.sleepUntil(clock.now() + settings.upkeepMs, { signal });
    return true;
  } catch (error) {
    if (isAbort(error, signal)) return false;
    throw error;
  }
}
