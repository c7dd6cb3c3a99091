/**
 * What workers hold, compared to what the store says. Behind a load balancer a stream may end at one scheduler and its
 * completions at others: the place that an item took is free once its lease is not the current one any more.
 */
import { isAbort } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import type { Store } from '../storage/store.ts';
import type { Workers } from './workers.ts';

/** Leases looked up in one go. */
const LOOK_UP_MAX = 500;

export interface ReconcileOptions {
  readonly store: Pick<Store, 'currentLeases'>;
  readonly workers: Pick<Workers, 'holdings' | 'letGo'>;
  /** Places became free. */
  readonly onFreed: () => void;
}

/** One look at everything that is held. */
export async function reconcile({ store, workers, onFreed }: ReconcileOptions): Promise<void> {
  for (const [hub, holdings] of workers.holdings()) {
    for (let from = 0; from < holdings.length; from += LOOK_UP_MAX) {
      const part = holdings.slice(from, from + LOOK_UP_MAX);
      const current = await store.currentLeases(hub, part);
      const gone = part.map(({ token }) => token).filter((token) => !current.has(token));
      if (gone.length > 0 && workers.letGo(gone)) onFreed();
    }
  }
}

export interface ReconciliationOptions extends ReconcileOptions {
  readonly store: Pick<Store, 'currentLeases' | 'isShared'>;
  readonly clock: Clock;
  readonly everyMs: number;
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
}

/** Until the signal aborts; a store with one owner needs none of it. */
export async function runReconciliation(options: ReconciliationOptions): Promise<void> {
  const { store, clock, everyMs, signal, onError } = options;
  while (store.isShared) {
    try {
      await clock.sleepUntil(clock.now() + everyMs, { signal });
      await reconcile(options);
    } catch (error) {
      if (isAbort(error, signal)) return;
      onError(error);
    }
  }
}
