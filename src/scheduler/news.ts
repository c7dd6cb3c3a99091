/** What other schedulers have done, seen as soon as they ring; without a ring it is seen all the same, later. */
import { isAbort } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import type { Store } from '../storage/store.ts';
import { reconcile } from './reconciliation.ts';
import type { Waits } from './waits.ts';
import type { Workers } from './workers.ts';

export interface NewsOptions {
  readonly store: Pick<Store, 'catchUp' | 'taskHubs' | 'currentLeases' | 'doorbell'>;
  readonly waits: Pick<Waits, 'tick'>;
  readonly workers: Pick<Workers, 'holdings' | 'letGo'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
  readonly onHubs: (hubs: readonly string[]) => void;
  /** There may be work to hand out, and places for it. */
  readonly onFreed: () => void;
}

/** However often others ring: looking takes at most this part of the time. */
const SHARE = 1 / 4;

/** Until the signal aborts; a store that nobody else uses has no news. */
export async function runNews(options: NewsOptions): Promise<void> {
  const { store, clock, signal, onError } = options;
  while (store.doorbell) {
    try {
      await store.doorbell.rung({ signal });
      const startedAt = clock.now();
      await look(options);
      const now = clock.now();
      await clock.sleepUntil(now + (now - startedAt) * (1 / SHARE - 1), { signal });
    } catch (error) {
      if (isAbort(error, signal)) return;
      onError(error);
    }
  }
}

async function look(options: NewsOptions): Promise<void> {
  const { store, waits, onHubs, onFreed } = options;
  const seen = store.catchUp().then(async () => {
    onHubs(await store.taskHubs());
    onFreed();
  });
  await Promise.all([seen, waits.tick(), reconcile(options)]);
}
