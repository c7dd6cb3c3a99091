import { systemClock, type Clock } from '../../../src/base/clock.ts';

/** The real clock, which a test may push forward: real sockets go on, and no test waits for minutes. */
export class JumpClock implements Clock {
  #aheadMs = 0;
  #jumped = new AbortController();

  now(): number {
    return systemClock.now() + this.#aheadMs;
  }

  async sleepUntil(atMs: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      if (this.now() >= atMs) return;
      const jump = this.#jumped.signal;
      const either = AbortSignal.any([signal, jump]);
      try {
        await systemClock.sleepUntil(atMs - this.#aheadMs, { signal: either });
      } catch (error) {
        if (!jump.aborted) throw error;
      }
    }
  }

  /** Moves on; whoever is due wakes. */
  advance(ms: number): void {
    this.#aheadMs += ms;
    const jumped = this.#jumped;
    this.#jumped = new AbortController();
    jumped.abort();
  }
}
