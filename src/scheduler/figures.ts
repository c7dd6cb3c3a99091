/** How much work there is, by hub and kind: what scaling decides on, and what metrics show. */
import type { Clock } from '../base/clock.ts';
import { keepSamples, SCALE_WINDOW_MS, type KindLoad, type ScaleSample } from '../core/scale.ts';
import type { QueueTotal } from '../storage/inspection.ts';
import { WORK_KINDS, type Claimed, type Store, type WorkKind } from '../storage/store.ts';
import type { RoundCounts } from './rounds.ts';
import { decodeLoads, encodeLoads, loadsOf, sumLoads, type NodeLoad } from './node-load.ts';
import type { WorkerInfo } from './worker-info.ts';

/** The store is asked at most this often, however many ask us … */
const MAX_AGE_MS = 1000;
/** … and rests this many times as long as its last answer took. */
const REST_FACTOR = 10;
/** What a worker of which nothing is known is taken to do at once; the default of the Functions host. */
const PER_WORKER_DEFAULT = 10;

/** `active`: with the workers of all schedulers on the store, as of the last second or two. */
export interface KindFigures extends KindLoad {
  /** With the workers of this scheduler. */
  readonly activeHere: number;
  readonly parked: number;
  /** How long the oldest pending item waits; `undefined`: none does. */
  readonly oldestAgeMs: number | undefined;
  /** Handed out since this process started. */
  readonly delivered: number;
  /** Of these, how many had been with a worker that was lost. */
  readonly redelivered: number;
}

export interface HubFigures {
  readonly hub: string;
  /** Epoch ms. */
  readonly at: number;
  readonly kinds: Readonly<Record<WorkKind, KindFigures>>;
  /** To all schedulers on the store. */
  readonly connectedWorkers: number;
  readonly connectedHere: number;
  /** Loads of the last minutes, in the order of `WORK_KINDS`, for `decideScale`; the last one is this. */
  readonly samples: readonly ScaleSample[];
}

export interface Figures {
  readonly hubs: readonly HubFigures[];
  readonly rounds: Readonly<RoundCounts>;
}

export interface FiguresOptions {
  readonly store: Pick<Store, 'inspection'>;
  readonly clock: Clock;
  readonly hubs: () => readonly string[];
  readonly workers: () => readonly WorkerInfo[];
  readonly rounds: Readonly<RoundCounts>;
}

interface Reading {
  readonly at: number;
  /** Epoch ms; for ever while the store is being asked. */
  freshUntil: number;
  /** Those that were there then. */
  readonly hubs: readonly string[];
  readonly figures: Promise<Figures>;
}

/** In the store, and of other schedulers' workers. */
interface Seen {
  readonly totals: readonly QueueTotal[];
  readonly others: readonly NodeLoad[];
  readonly now: number;
}

interface Delivered {
  delivered: number;
  redelivered: number;
}

export class FigureBook {
  readonly #options: FiguresOptions;
  readonly #delivered = new Map<string, Delivered>();
  /** What one worker did at once when one was last connected. */
  readonly #perWorker = new Map<string, number>();
  readonly #samples = new Map<string, HubFigures['samples']>();
  #last: Reading | undefined;

  constructor(options: FiguresOptions) {
    this.#options = options;
  }

  /** What other schedulers are to know of this one's workers. */
  announcement(): string {
    return encodeLoads(loadsOf(this.#options.workers()));
  }

  /** Counts what is handed out. */
  note(claimed: readonly Claimed[]): void {
    for (const { hub, kind, attempts } of claimed) {
      const counts = this.#deliveredOf(hub, kind);
      counts.delivered += 1;
      if (attempts > 0) counts.redelivered += 1;
    }
  }

  /** At most a second old, or some more where asking takes long. */
  read(): Promise<Figures> {
    const now = this.#options.clock.now();
    const hubs = this.#options.hubs();
    const last = this.#last;
    if (last && now < last.freshUntil && now >= last.at && isSame(last.hubs, hubs)) {
      return last.figures;
    }
    const reading = { at: now, freshUntil: Infinity, hubs, figures: this.#read(now, hubs) };
    this.#last = reading;
    reading.figures.then(
      () => {
        const tookMs = this.#options.clock.now() - now;
        reading.freshUntil = now + Math.max(MAX_AGE_MS, REST_FACTOR * tookMs);
      },
      () => {
        if (this.#last === reading) this.#last = undefined;
      },
    );
    return reading.figures;
  }

  async #read(now: number, known: readonly string[]): Promise<Figures> {
    const { store, rounds } = this.#options;
    const [totals, announced] = await Promise.all([
      store.inspection.queueTotals(now),
      store.inspection.announcements(now),
    ]);
    const others = announced.flatMap(decodeLoads);
    for (const hub of this.#samples.keys()) if (!known.includes(hub)) this.#samples.delete(hub);
    return {
      rounds: { ...rounds },
      hubs: known.map((hub) => this.#ofHub(hub, { totals, others, now })),
    };
  }

  #ofHub(hub: string, { totals: all, others, now }: Seen): HubFigures {
    const own = loadsOf(this.#options.workers());
    const here = sumLoads(hub, own);
    const everywhere = sumLoads(hub, [...own, ...others]);
    const totals = all.filter((total) => total.hub === hub);
    const ofKind = (kind: WorkKind): KindFigures => {
      const total = totals.find((each) => each.kind === kind);
      return {
        pending: total?.pending ?? 0,
        parked: total?.parked ?? 0,
        oldestAgeMs: total?.oldestAt === undefined ? undefined : Math.max(0, now - total.oldestAt),
        ...{ active: everywhere.active[kind], activeHere: here.active[kind] },
        perWorker: this.#perWorkerOf(everywhere, kind),
        ...this.#deliveredOf(hub, kind),
      };
    };
    const kinds = {
      orchestration: ofKind('orchestration'),
      activity: ofKind('activity'),
      entity: ofKind('entity'),
    };
    const sample = { at: now, loads: WORK_KINDS.map((kind) => kinds[kind]) };
    const samples = keepSamples(this.#samples.get(hub) ?? [], sample, SCALE_WINDOW_MS);
    this.#samples.set(hub, samples);
    const connected = { connectedWorkers: everywhere.workers, connectedHere: here.workers };
    return { hub, at: now, kinds, ...connected, samples };
  }

  /** The mean of those connected; workers of one app are alike. */
  #perWorkerOf({ hub, workers, capacity }: NodeLoad, kind: WorkKind): number {
    const key = `${hub} ${kind}`;
    if (workers > 0) this.#perWorker.set(key, Math.round(capacity[kind] / workers));
    return this.#perWorker.get(key) ?? PER_WORKER_DEFAULT;
  }

  #deliveredOf(hub: string, kind: WorkKind): Delivered {
    const key = `${hub} ${kind}`;
    const found = this.#delivered.get(key) ?? { delivered: 0, redelivered: 0 };
    this.#delivered.set(key, found);
    return found;
  }
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((hub, index) => hub === other[index]);
}
