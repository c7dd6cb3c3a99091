import type { OrchestratorSession } from '../replay/session.ts';
import type { ExecutionTrace } from './execution-trace.ts';

/** A live session, and what the scheduler's history must look like for it to go on. */
export interface CachedSession {
  readonly session: OrchestratorSession;
  readonly trace: ExecutionTrace | undefined;
  readonly executionId: string;
  /** Events that the history holds once the last turn is committed. */
  readonly pastEventCount: number;
  /** Time of the last turn's orchestratorStarted, as it came: two turns never share it and the count. */
  readonly lastTurn: string;
  /** False when the scheduler did not take the last turn: the session is ahead of the history. */
  readonly isAccepted: Promise<boolean>;
}

export interface SessionCacheOptions {
  readonly countMax: number;
  readonly idleMs: number;
}

interface Entry {
  readonly cached: CachedSession;
  readonly usedAt: number;
}

/**
 * Live sessions between turns, least recently used first. A session that is taken is out of the
 * cache until it is put back, so two turns never share one.
 */
export class SessionCache {
  readonly #options: SessionCacheOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: SessionCacheOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  take(instanceId: string): CachedSession | undefined {
    const entry = this.#entries.get(instanceId);
    this.#entries.delete(instanceId);
    return entry?.cached;
  }

  /** Keeps a session, and closes those that are over the bounds. */
  put(instanceId: string, cached: CachedSession, now: number): void {
    this.take(instanceId)?.session.close();
    this.#entries.set(instanceId, { cached, usedAt: now });
    this.closeIdle(now);
  }

  /** Closes what was not used for too long or is too much. Costs nothing when there is nothing. */
  closeIdle(now: number): void {
    const { countMax, idleMs } = this.#options;
    for (const [instanceId, { usedAt }] of this.#entries) {
      if (this.#entries.size <= countMax && now - usedAt <= idleMs) return;
      this.take(instanceId)?.session.close();
    }
  }

  /** Closes the session only if it is still the one in the cache. */
  drop(instanceId: string, session: OrchestratorSession): void {
    if (this.#entries.get(instanceId)?.cached.session !== session) return;
    this.take(instanceId);
    session.close();
  }

  closeAll(): void {
    for (const instanceId of [...this.#entries.keys()]) this.take(instanceId)?.session.close();
  }
}
