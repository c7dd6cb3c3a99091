/** Time as a dependency: everything that reads a clock or waits takes one of these. */
export interface Clock {
  /** Epoch milliseconds. Never goes backwards within a process. */
  now(): number;
  /** Resolves at or after `atMs`; rejects with the signal's reason when aborted. */
  sleepUntil(atMs: number, options: { readonly signal: AbortSignal }): Promise<void>;
}

/** The longest delay that `setTimeout` takes; longer waits are made of several. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;

class SystemClock implements Clock {
  readonly #originAt = Date.now() - performance.now();

  now(): number {
    return Math.floor(this.#originAt + performance.now());
  }

  async sleepUntil(atMs: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const leftMs = atMs - this.now();
      if (leftMs <= 0) return;
      await timeout(Math.min(leftMs, TIMEOUT_MAX_MS), signal);
    }
  }
}

function timeout(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const onAbort = (): void => {
    clearTimeout(timer);
    reject(signal.reason as Error);
  };
  const timer = setTimeout(() => {
    signal.removeEventListener('abort', onAbort);
    resolve(undefined);
  }, ms);
  signal.addEventListener('abort', onAbort, { once: true });
  return promise;
}

/** The real clock; with `base/ids.ts` the only reader of time and randomness in the package. */
export const systemClock: Clock = new SystemClock();
