import type { Clock } from '../../../src/base/clock.ts';

interface Sleeper {
  readonly atMs: number;
  wake(): void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now = Date.UTC(2026, 0, 1);
  readonly #sleepers = new Set<Sleeper>();
  #onSleep: () => void = () => undefined;

  now(): number {
    return this.#now;
  }

  sleepUntil(atMs: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason as Error);
      };
      const sleeper = {
        atMs,
        wake: () => {
          signal.removeEventListener('abort', abort);
          resolve();
        },
      };
      if (signal.aborted) abort();
      else if (atMs <= this.#now) resolve();
      else {
        signal.addEventListener('abort', abort, { once: true });
        this.#sleepers.add(sleeper);
        this.#onSleep();
      }
    });
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const sleeper of this.#sleepers) {
      if (sleeper.atMs > this.#now) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }

  /** Resolves when somebody waits for exactly this instant. */
  async sleeperAt(atMs: number): Promise<void> {
    while (![...this.#sleepers].some((sleeper) => sleeper.atMs === atMs)) {
      await new Promise<void>((resolve) => {
        this.#onSleep = resolve;
      });
    }
  }
}
