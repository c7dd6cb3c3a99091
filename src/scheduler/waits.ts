/** Clients that wait for an instance to start or to end. */
import type { Clock } from '../base/clock.ts';
import { isAbort } from '../base/abort.ts';
import { isTerminal, type RuntimeStatus } from '../core/instance.ts';
import { OrchestrationStatus } from '../proto/orchestrator_service_pb.ts';
import type { StatusChange, Store } from '../storage/store.ts';

export type WaitUntil = 'started' | 'completed';

interface Waiter {
  readonly until: WaitUntil;
  readonly resolve: () => void;
}

/** Ids looked up in one go when waiters look for themselves. */
const POLL_BATCH = 200;

export function isReached(status: RuntimeStatus, until: WaitUntil): boolean {
  return until === 'completed' ? isTerminal(status) : status !== OrchestrationStatus.PENDING;
}

export class Waits {
  readonly #store: Store;
  readonly #waiters = new Map<string, Map<string, Set<Waiter>>>();

  constructor(store: Store) {
    this.#store = store;
  }

  get size(): number {
    let size = 0;
    for (const byId of this.#waiters.values()) {
      for (const waiters of byId.values()) size += waiters.size;
    }
    return size;
  }

  /**
   * Resolves once the instance exists and has reached the state; rejects when the signal aborts.
   * The caller reads the state itself: a hint may be late or early.
   */
  async wait(
    hub: string,
    instanceId: string,
    { until, signal }: { readonly until: WaitUntil; readonly signal: AbortSignal },
  ): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    // It may be rejected while the store is being asked, when nobody awaits it yet.
    promise.catch(() => undefined);
    const waiter: Waiter = {
      until,
      resolve: () => {
        resolve(undefined);
      },
    };
    const onAbort = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#add(hub, instanceId, waiter);
    try {
      // Looked at after registering: a change in between is not missed.
      const found = await this.#store.statuses(hub, [instanceId]);
      const status = found.get(instanceId);
      if (status !== undefined && isReached(status, until)) return;
      await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#remove(hub, instanceId, waiter);
    }
  }

  #add(hub: string, instanceId: string, waiter: Waiter): void {
    const byId = this.#waiters.get(hub) ?? new Map<string, Set<Waiter>>();
    const waiters = byId.get(instanceId) ?? new Set();
    waiters.add(waiter);
    byId.set(instanceId, waiters);
    this.#waiters.set(hub, byId);
  }

  #remove(hub: string, instanceId: string, waiter: Waiter): void {
    const byId = this.#waiters.get(hub);
    const waiters = byId?.get(instanceId);
    waiters?.delete(waiter);
    if (waiters?.size === 0) byId?.delete(instanceId);
    if (byId?.size === 0) this.#waiters.delete(hub);
  }

  notice(changes: readonly StatusChange[]): void {
    for (const { hub, instanceId, status } of changes) this.#tell(hub, instanceId, status);
  }

  #tell(hub: string, instanceId: string, status: RuntimeStatus): void {
    for (const waiter of this.#waiters.get(hub)?.get(instanceId) ?? []) {
      if (isReached(status, waiter.until)) waiter.resolve();
    }
  }

  /** Looks at everything that is waited for; correctness does not rest on `notice`. */
  async tick(): Promise<void> {
    for (const [hub, byId] of this.#waiters) {
      const ids = [...byId.keys()];
      for (let from = 0; from < ids.length; from += POLL_BATCH) {
        const found = await this.#store.statuses(hub, ids.slice(from, from + POLL_BATCH));
        for (const [id, status] of found) this.#tell(hub, id, status);
      }
    }
  }

  async run(options: {
    readonly clock: Clock;
    readonly pollMs: number;
    readonly signal: AbortSignal;
    readonly onError: (error: unknown) => void;
  }): Promise<void> {
    const { clock, pollMs, signal, onError } = options;
    for (;;) {
      try {
        await clock.sleepUntil(clock.now() + pollMs, { signal });
        await this.tick();
      } catch (error) {
        if (isAbort(error, signal)) return;
        onError(error);
      }
    }
  }
}
