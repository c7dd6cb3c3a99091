import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import { nextLoop } from '../base/yield.ts';
import type { Connection } from '../client/connection.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import { DEFAULT_SCHEDULER_SETTINGS } from '../scheduler/settings.ts';
import { createTaskHubHandlers } from '../server/grpc/task-hub-service.ts';
import { openStore } from '../storage/open-store.ts';
import type { Store } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import { faultyStore } from './faulty-store.ts';
import { InProcessConnection } from './in-process-connection.ts';
import type { ManualClock } from './manual-clock.ts';
import { WorkWatch } from './work-watch.ts';

export interface InProcessSchedulerOptions {
  readonly taskHub: string;
  readonly clock: ManualClock;
  readonly ids: IdSource;
  readonly logger: Logger;
  /** Asked before each round of the store; true refuses it. */
  readonly storeFails?: (() => boolean) | undefined;
}

/** The real engine on a store in memory, with nothing but function calls between it and its callers. */
export class InProcessScheduler {
  readonly work: WorkWatch;
  readonly #options: InProcessSchedulerOptions;
  readonly #store: Store;
  readonly #scheduler: Scheduler;

  private constructor(
    options: InProcessSchedulerOptions,
    parts: { readonly work: WorkWatch; readonly store: Store; readonly scheduler: Scheduler },
  ) {
    this.#options = options;
    this.work = parts.work;
    this.#store = parts.store;
    this.#scheduler = parts.scheduler;
  }

  static async open(options: InProcessSchedulerOptions): Promise<InProcessScheduler> {
    const { taskHub, storeFails = () => false, ...rest } = options;
    const work = new WorkWatch();
    const store = await openStore({ ...rest, storage: 'memory' });
    // Opening is not what tests are about.
    const state = { isOpen: false };
    const faulty = faultyStore(store, () => state.isOpen && storeFails());
    const settings = DEFAULT_SCHEDULER_SETTINGS;
    const scheduler = await Scheduler.open({
      ...rest,
      store: work.watch(faulty),
      settings,
    });
    if (!scheduler.taskHubs().includes(taskHub)) {
      await scheduler.createTaskHub(taskHub, { recreate: false });
    }
    state.isOpen = true;
    return new InProcessScheduler(options, { work, store, scheduler });
  }

  /** A connection for one client or worker, which closes it. */
  connect(): Connection {
    const { taskHub, clock }: { readonly taskHub: string; readonly clock: Clock } = this.#options;
    const handlers = createTaskHubHandlers({
      engine: this.#scheduler,
      clock,
      allowHubRecreate: false,
      guard: undefined,
    });
    return new InProcessConnection({ handlers, taskHub, clock });
  }

  async close(): Promise<void> {
    const state = { isClosed: false };
    const closed = this.#scheduler.close().finally(() => {
      state.isClosed = true;
    });
    // A closing scheduler waits, on its own clock, for what workers still hold.
    const moved = this.#moveUntil(() => state.isClosed);
    await closed;
    await moved;
    await this.#store.close();
  }

  async #moveUntil(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      this.#options.clock.advance(1000);
      await nextLoop();
    }
  }
}
