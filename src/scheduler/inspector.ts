/** What people look at: the store's side, and what only this process knows of its workers. */
import type { Backlog, Inspection, LeasedItem, Outstanding } from '../storage/inspection.ts';
import { FigureBook, type FiguresOptions } from './figures.ts';
import { explainWaiting, type WaitItem } from './why-waiting.ts';
import { verdictOf, type HeldInfo, type WorkerInfo } from './worker-info.ts';

/** Things of one kind that an explanation names. */
const OUTSTANDING_MAX = 100;
/** Items in hand whose names are looked up for one worker. */
const HELD_MAX = 200;

export interface WaitingReport {
  readonly found: Outstanding;
  readonly items: readonly WaitItem[];
}

export type HeldItemInfo = HeldInfo & Partial<Pick<LeasedItem, 'instanceId' | 'name'>>;

/** Queued items of one name, and whether anybody connected here takes that name. */
export type BacklogReport = Backlog & { readonly isClaimed: boolean };

export class Inspector {
  /** The store's side. */
  readonly stored: Inspection;
  /** How much work there is in each hub. */
  readonly figures: FigureBook;
  readonly #options: FiguresOptions;

  constructor(options: FiguresOptions) {
    this.#options = options;
    this.stored = options.store.inspection;
    this.figures = new FigureBook(options);
  }

  workers(hub: string): readonly WorkerInfo[] {
    return this.#options.workers().filter((worker) => worker.hub === hub);
  }

  /** `undefined` for a missing instance. */
  async waiting(hub: string, instanceId: string): Promise<WaitingReport | undefined> {
    const found = await this.stored.outstanding(hub, instanceId, OUTSTANDING_MAX);
    if (!found) return undefined;
    const env = { now: this.#options.clock.now(), workers: this.workers(hub) };
    return { found, items: explainWaiting(found, env) };
  }

  async backlog(hub: string): Promise<readonly BacklogReport[]> {
    const workers = this.workers(hub);
    const backlog = await this.stored.backlog(hub);
    return backlog.map((each) => ({
      ...each,
      isClaimed: workers.some((worker) => {
        const verdict = verdictOf(worker, each);
        return verdict === 'takes' || verdict === 'full';
      }),
    }));
  }

  /** What a worker has in hand, longest first. */
  async held(hub: string, worker: WorkerInfo): Promise<readonly HeldItemInfo[]> {
    const held = [...worker.held].sort((a, b) => a.sinceAt - b.sinceAt).slice(0, HELD_MAX);
    const leased = await this.stored.leased(hub, held);
    const names = new Map(leased.map((item) => [item.token, item]));
    return held.map((item) => ({ ...names.get(item.token), ...item }));
  }
}
