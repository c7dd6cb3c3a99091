import type { Clock } from '../base/clock.ts';
import type { ReleaseCommit } from '../storage/store.ts';
import type { Rounds } from './rounds.ts';

/** After a release that the store did not take: how long until the next try, in ms. */
const RELEASE_RETRY_MS = 500;

export interface ReleaseOptions {
  readonly rounds: Pick<Rounds, 'submit'>;
  readonly clock: Clock;
  /** Aborts when the scheduler closes: then there is one last attempt. */
  readonly signal: AbortSignal;
}

/**
 * Until the store takes it: while this process lives, nobody else gives the item back.
 *
 * @throws TaskHubError for a failure that does not pass, or that lasted until the scheduler closed.
 */
export async function releasePatiently(
  commit: ReleaseCommit,
  { rounds, clock, signal }: ReleaseOptions,
): Promise<void> {
  for (;;) {
    const outcome = await rounds.submit(commit);
    if (outcome.ok) return;
    const { error } = outcome;
    const isPassing = error.code === 'UNAVAILABLE' || error.code === 'RESOURCE_EXHAUSTED';
    if (!isPassing || signal.aborted) throw error;
    // Ends early only because the scheduler closes.
    await clock.sleepUntil(clock.now() + RELEASE_RETRY_MS, { signal }).catch(() => undefined);
  }
}
