/**
 * The clock of the store, where several schedulers share one: a machine whose own clock is wrong takes nobody for dead,
 * and fires no timer early or late.
 */
import { isAbort } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import type { Store } from '../storage/store.ts';
import { logEvent } from '../telemetry/log-events.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface SharedClockOptions {
  readonly store: Pick<Store, 'time'>;
  /** The machine's own. */
  readonly local: Clock;
  readonly logger: Logger;
}

/** How often the store is asked, in ms. */
const FOLLOW_MS = 5000;
/** A machine that is off by more is told to its operator, in ms. */
const TELL_MS = 5000;
/** A sleeper looks at the clock again after this time: it may have been put forward, in ms. */
const SLEEP_MAX_MS = 10_000;

export class SharedClock implements Clock {
  readonly #options: SharedClockOptions;
  readonly #closing = new AbortController();
  #following: Promise<void> | undefined;
  #offsetMs = 0;
  #toldMs = 0;
  #measuredAt: number | undefined;
  #last = -Infinity;

  private constructor(options: SharedClockOptions) {
    this.#options = options;
  }

  /** Asks the store what time it is, then again and again; with a store of one owner the own clock is right. */
  static async open(options: SharedClockOptions): Promise<SharedClock> {
    const clock = new SharedClock(options);
    if (await clock.measure()) clock.#following = clock.#follow();
    return clock;
  }

  now(): number {
    this.#last = Math.max(this.#last, this.#options.local.now() + this.#offsetMs);
    return this.#last;
  }

  async sleepUntil(atMs: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { local } = this.#options;
    for (;;) {
      const leftMs = Math.min(atMs - this.now(), SLEEP_MAX_MS);
      await local.sleepUntil(local.now() + leftMs, { signal });
      if (this.now() >= atMs) return;
    }
  }

  /** One look at the store's clock; false: it has none. Rejects when it cannot be asked. */
  async measure(): Promise<boolean> {
    const { store, local } = this.#options;
    const before = local.now();
    const shared = await store.time();
    const after = local.now();
    if (shared === undefined) return false;
    // It was read somewhere between: an offset that this allows for is kept, so that delays do not make it tremble.
    const [least, most] = [shared - after, shared - before];
    if (this.#offsetMs < least || this.#offsetMs > most) {
      this.#set(Math.round((least + most) / 2), after);
    }
    this.#measuredAt = after;
    this.#tell();
    return true;
  }

  /** Forwards at once; back at half the speed of time, since nothing may see it go backwards. */
  #set(wantedMs: number, at: number): void {
    const slowest =
      this.#measuredAt === undefined ? -Infinity : this.#offsetMs - (at - this.#measuredAt) / 2;
    this.#offsetMs = Math.max(wantedMs, Math.round(slowest));
  }

  #tell(): void {
    if (Math.abs(this.#offsetMs - this.#toldMs) < TELL_MS) return;
    this.#toldMs = this.#offsetMs;
    logEvent(this.#options.logger, 'clockCorrected', { offsetMs: this.#offsetMs });
  }

  async #follow(): Promise<void> {
    const { local } = this.#options;
    const { signal } = this.#closing;
    for (;;) {
      try {
        await local.sleepUntil(local.now() + FOLLOW_MS, { signal });
        await this.measure();
      } catch (error) {
        if (isAbort(error, signal)) return;
        // A store that is away is told of by whoever needs it; the clock goes on as it was.
      }
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the scheduler is closing'));
    await this.#following;
  }
}
