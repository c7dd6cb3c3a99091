import { systemClock, type Clock } from '../../src/base/clock.ts';

/** The real clock, which can be put forward: whoever sleeps looks at it again. */
export class TravelClock implements Clock {
  #aheadMs = 0;
  #jump = new AbortController();

  now(): number {
    return systemClock.now() + this.#aheadMs;
  }

  async sleepUntil(atMs: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    while (this.now() < atMs) {
      const either = AbortSignal.any([signal, this.#jump.signal]);
      await systemClock.sleepUntil(atMs - this.#aheadMs, { signal: either }).catch(() => undefined);
      signal.throwIfAborted();
    }
  }

  forward(ms: number): void {
    this.#aheadMs += ms;
    const jump = this.#jump;
    this.#jump = new AbortController();
    jump.abort();
  }
}
