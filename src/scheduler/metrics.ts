/** The last hour of each hub in numbers, kept in memory; a restart shows as a gap. */
import { isAbort } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import { WORK_KINDS } from '../storage/store.ts';
import type { Inspector } from './inspector.ts';

const STEP_MS = 5000;
/** An hour. */
const SAMPLES_MAX = 720;

export interface MetricsOptions {
  readonly clock: Clock;
  readonly inspector: Inspector;
  readonly taskHubs: () => readonly string[];
  /** Items of a hub since this process started. */
  readonly totals: (hub: string) => { readonly delivered: number; readonly completed: number };
}

interface RunOptions {
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
}

type Sample = Readonly<Record<string, number>> & { readonly at: number };

export interface MetricsSeries {
  readonly stepMs: number;
  readonly at: readonly number[];
  readonly series: Readonly<Record<string, readonly number[]>>;
}

export class Metrics {
  readonly #options: MetricsOptions;
  readonly #samples = new Map<string, Sample[]>();
  readonly #totals = new Map<string, { delivered: number; completed: number; at: number }>();

  constructor(options: MetricsOptions) {
    this.#options = options;
  }

  /** Until the signal aborts. */
  async run({ signal, onError }: RunOptions): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      try {
        await clock.sleepUntil(clock.now() + STEP_MS, { signal });
        await this.tick();
      } catch (error) {
        if (isAbort(error, signal)) return;
        onError(error);
      }
    }
  }

  /** One number for each series and hub. */
  async tick(): Promise<void> {
    const hubs = this.#options.taskHubs();
    for (const hub of this.#samples.keys()) if (!hubs.includes(hub)) this.#samples.delete(hub);
    for (const hub of hubs) {
      const samples = this.#samples.get(hub) ?? [];
      samples.push(await this.#sample(hub));
      if (samples.length > SAMPLES_MAX) samples.shift();
      this.#samples.set(hub, samples);
    }
  }

  async #sample(hub: string): Promise<Sample> {
    const { clock, inspector, totals } = this.#options;
    const at = clock.now();
    const backlog = await inspector.backlog(hub);
    const workers = inspector.workers(hub);
    const values: Record<string, number> & { at: number } = { at, workers: workers.length };
    for (const kind of WORK_KINDS) {
      const queued = backlog.filter((each) => each.kind === kind);
      const oldestAt = Math.min(at, ...queued.map((each) => each.oldestAt));
      values[`pending.${kind}`] = queued.reduce((sum, { pending }) => sum + pending, 0);
      values[`oldest.${kind}`] = (at - oldestAt) / 1000;
      values[`active.${kind}`] = workers.reduce((sum, each) => sum + each.inFlightByKind[kind], 0);
    }
    const { delivered, completed } = totals(hub);
    const before = this.#totals.get(hub) ?? { delivered, completed, at: at - STEP_MS };
    const seconds = Math.max(1, at - before.at) / 1000;
    values['delivered'] = (delivered - before.delivered) / seconds;
    values['completed'] = (completed - before.completed) / seconds;
    this.#totals.set(hub, { delivered, completed, at });
    return values;
  }

  /** Columns, oldest first. */
  series(hub: string): MetricsSeries {
    const samples = this.#samples.get(hub) ?? [];
    const names = Object.keys(samples[0] ?? {}).filter((name) => name !== 'at');
    return {
      stepMs: STEP_MS,
      at: samples.map(({ at }) => at),
      series: Object.fromEntries(
        names.map((name) => [name, samples.map((sample) => sample[name] ?? 0)]),
      ),
    };
  }
}
