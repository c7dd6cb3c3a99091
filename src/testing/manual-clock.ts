import type { Clock } from '../base/clock.ts';

interface Sleeper {
  readonly atMs: number;
  wake(): void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now: number;
  readonly #sleepers = new Set<Sleeper>();

  constructor(now: number = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /** The instants that somebody waits for, earliest first. */
  get sleepers(): readonly number[] {
    return [...this.#sleepers].map(({ atMs }) => atMs).sort((a, b) => a - b);
  }

  sleepUntil(atMs: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      if (atMs <= this.#now) {
        resolve();
        return;
      }
      const onAbort = (): void => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason as Error);
      };
      const sleeper = {
        atMs,
        wake: (): void => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#sleepers.add(sleeper);
    });
  }

  /** Moves on and wakes whoever is due, earliest first. */
  advance(ms: number): void {
    this.advanceTo(this.#now + ms);
  }

  /** The same, to an instant; one that has passed changes nothing. */
  advanceTo(atMs: number): void {
    this.#now = Math.max(this.#now, atMs);
    const due = [...this.#sleepers].filter(({ atMs }) => atMs <= this.#now);
    for (const sleeper of due.sort((a, b) => a.atMs - b.atMs)) {
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }
}
