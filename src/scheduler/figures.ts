/** How much work there is, by hub and kind: what scaling decides on, and what metrics show. */
import type { Clock } from '../base/clock.ts';
import { keepSamples, SCALE_WINDOW_MS, type KindLoad, type ScaleSample } from '../core/scale.ts';
import type { QueueTotal } from '../storage/inspection.ts';
import { WORK_KINDS, type Claimed, type Store, type WorkKind } from '../storage/store.ts';
import type { RoundCounts } from './rounds.ts';
import type { WorkerInfo } from './worker-info.ts';

/** The store is asked at most this often, however many ask us … */
const MAX_AGE_MS = 1000;
/** … and rests this many times as long as its last answer took. */
const REST_FACTOR = 10;
/** What a worker of which nothing is known is taken to do at once; the default of the Functions host. */
const PER_WORKER_DEFAULT = 10;

export interface KindFigures extends KindLoad {
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
  readonly connectedWorkers: number;
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
  /** Those that were there then; another list means that one was made or deleted. */
  readonly hubs: readonly string[];
  readonly figures: Promise<Figures>;
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
    const isFresh = last?.hubs === hubs && now < last.freshUntil && now >= last.at;
    if (isFresh) return last.figures;
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
    const totals = await store.inspection.queueTotals(now);
    for (const hub of this.#samples.keys()) if (!known.includes(hub)) this.#samples.delete(hub);
    return { rounds: { ...rounds }, hubs: known.map((hub) => this.#ofHub(hub, totals, now)) };
  }

  #ofHub(hub: string, all: readonly QueueTotal[], now: number): HubFigures {
    const workers = this.#options.workers().filter((worker) => worker.hub === hub);
    const totals = all.filter((total) => total.hub === hub);
    const ofKind = (kind: WorkKind): KindFigures => {
      const total = totals.find((each) => each.kind === kind);
      return {
        pending: total?.pending ?? 0,
        parked: total?.parked ?? 0,
        oldestAgeMs: total?.oldestAt === undefined ? undefined : Math.max(0, now - total.oldestAt),
        active: workers.reduce((sum, { inFlightByKind }) => sum + inFlightByKind[kind], 0),
        perWorker: this.#perWorkerOf(hub, kind, workers),
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
    return { hub, at: now, kinds, connectedWorkers: workers.length, samples };
  }

  /** The mean of those connected; workers of one app are alike. */
  #perWorkerOf(hub: string, kind: WorkKind, workers: readonly WorkerInfo[]): number {
    const key = `${hub} ${kind}`;
    if (workers.length > 0) {
      const sum = workers.reduce((total, { capacity }) => total + capacity[kind], 0);
      this.#perWorker.set(key, Math.round(sum / workers.length));
    }
    return this.#perWorker.get(key) ?? PER_WORKER_DEFAULT;
  }

  #deliveredOf(hub: string, kind: WorkKind): Delivered {
    const key = `${hub} ${kind}`;
    const found = this.#delivered.get(key) ?? { delivered: 0, redelivered: 0 };
    this.#delivered.set(key, found);
    return found;
  }
}
