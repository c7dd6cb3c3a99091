import type { Clock } from '../../src/base/clock.ts';

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/** The time of a simulated world: it stands still until the driver moves it. */
export class SimClock {
  #now = Date.UTC(2026, 0, 1);
  readonly #sleepers = new Set<Sleeper>();
  /** Counts what was asked of the clock: a sign of life. */
  asked = 0;

  get now(): number {
    return this.#now;
  }

  /** The next instant that somebody waits for. */
  get nextAt(): number | undefined {
    let next: number | undefined;
    for (const { atMs } of this.#sleepers) {
      if (next === undefined || atMs < next) next = atMs;
    }
    return next;
  }

  /** Moves on and wakes whoever is due, earliest first. */
  advanceTo(atMs: number): void {
    this.#now = Math.max(this.#now, atMs);
    const due = [...this.#sleepers].filter((sleeper) => sleeper.atMs <= this.#now);
    for (const sleeper of due.sort((a, b) => a.atMs - b.atMs)) {
      if (this.#sleepers.delete(sleeper)) sleeper.wake();
    }
  }

  add(sleeper: Sleeper): void {
    this.asked += 1;
    this.#sleepers.add(sleeper);
  }

  remove(sleeper: Sleeper): void {
    this.#sleepers.delete(sleeper);
  }
}

/** The clock of one process: nobody in a dead process ever wakes up. */
export class ProcessClock implements Clock {
  readonly #world: SimClock;
  readonly #mine = new Set<Sleeper>();
  #isDead = false;

  constructor(world: SimClock) {
    this.#world = world;
  }

  now(): number {
    return this.#world.now;
  }

  sleepUntil(atMs: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isDead) return;
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      if (atMs <= this.now()) {
        resolve();
        return;
      }
      const onAbort = (): void => {
        this.#forget(sleeper);
        reject(signal.reason as Error);
      };
      const sleeper = {
        atMs,
        wake: (): void => {
          signal.removeEventListener('abort', onAbort);
          this.#mine.delete(sleeper);
          resolve();
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#mine.add(sleeper);
      this.#world.add(sleeper);
    });
  }

  /** Rings at that time unless it is called off before. */
  alarm(atMs: number, ring: () => void): () => void {
    const sleeper = {
      atMs,
      wake: (): void => {
        this.#mine.delete(sleeper);
        ring();
      },
    };
    if (!this.#isDead) {
      this.#mine.add(sleeper);
      this.#world.add(sleeper);
    }
    return () => {
      this.#forget(sleeper);
    };
  }

  sleep(ms: number): Promise<void> {
    return this.sleepUntil(this.now() + ms, { signal: NEVER });
  }

  kill(): void {
    this.#isDead = true;
    for (const sleeper of this.#mine) this.#forget(sleeper);
  }

  #forget(sleeper: Sleeper): void {
    this.#mine.delete(sleeper);
    this.#world.remove(sleeper);
  }
}

const NEVER = new AbortController().signal;
