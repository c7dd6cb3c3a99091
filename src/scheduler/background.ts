/** Everything the engine does by itself, until it closes. */
import type { Clock } from '../base/clock.ts';
import type { TaskGroup } from '../base/task-group.ts';
import type { Store } from '../storage/store.ts';
import { logEvent } from '../telemetry/log-events.ts';
import { describeError, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from './metrics.ts';
import { runNews } from './news.ts';
import { runReconciliation } from './reconciliation.ts';
import type { Retention } from './retention.ts';
import type { SchedulerSettings } from './settings.ts';
import { runUpkeep } from './upkeep.ts';
import type { Waits } from './waits.ts';
import type { Workers } from './workers.ts';

export interface BackgroundOptions {
  readonly tasks: TaskGroup;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: SchedulerSettings;
  readonly waits: Waits;
  readonly workers: Workers;
  readonly metrics: Metrics;
  readonly retention: Retention;
  readonly signal: AbortSignal;
  /** Leases were freed: look for work. */
  readonly onFreed: () => void;
  readonly onHubs: (hubs: readonly string[]) => void;
}

export function startBackground(options: BackgroundOptions): void {
  const { tasks, clock, logger, settings, waits, metrics, retention, signal } = options;
  const onError = (error: unknown): void => {
    logEvent(logger, 'backgroundWorkFailed', { error: describeError(error) });
  };
  tasks.run('waits', () => waits.run({ clock, pollMs: settings.waitPollMs, signal, onError }));
  tasks.run('holdings', () =>
    runReconciliation({ ...options, everyMs: settings.reconcileMs, onError }),
  );
  tasks.run('news', () => runNews({ ...options, onError }));
  tasks.run('upkeep', () => runUpkeep({ ...options, onError }));
  tasks.run('metrics', () => metrics.run({ signal, onError }));
  tasks.run('retention', () => retention.run({ signal, onError }));
}
