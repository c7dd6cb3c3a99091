/** A store that takes nothing (its disk is full, its server away), told in a few lines however many rounds fail. */
import { logEvent } from '../telemetry/log-events.ts';
import { describeError, type Logger } from '../telemetry/logger.ts';

/** While it lasts it is told again this often, in ms: the log must not fill a disk that is full already. */
const AGAIN_MS = 10_000;
/** What is small may fit in between: it is over when nothing has failed for so long, in ms. */
const CALM_MS = 1000;

interface Outage {
  readonly since: number;
  failed: number;
  failedAt: number;
  toldAt: number;
}

export class OutageLog {
  readonly #logger: Logger;
  #outage: Outage | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** A round was not stored. */
  failed(error: unknown, now: number): void {
    const outage = (this.#outage ??= { since: now, failed: 0, failedAt: now, toldAt: -Infinity });
    outage.failed += 1;
    outage.failedAt = now;
    if (now - outage.toldAt < AGAIN_MS) return;
    outage.toldAt = now;
    const { failed: count, since } = outage;
    logEvent(this.#logger, 'roundFailed', {
      error: describeError(error),
      ...(count > 1 && { count, durationMs: now - since }),
    });
  }

  /** A round was stored. */
  stored(now: number): void {
    if (!this.#outage || now - this.#outage.failedAt < CALM_MS) return;
    const { failed: count, since } = this.#outage;
    this.#outage = undefined;
    logEvent(this.#logger, 'roundsStoredAgain', { count, durationMs: now - since });
  }
}
