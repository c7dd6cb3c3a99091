/**
 * The heart of the engine: while one round is being made durable, requests queue for the next one. Group commit
 * without timers or tuning: alone, a request waits for nobody; under load one fsync carries hundreds.
 */
import type { Clock } from '../base/clock.ts';
import { nextLoop } from '../base/yield.ts';
import { TaskHubError } from '../core/errors.ts';
import type {
  Claimed,
  Commit,
  Outcome,
  RoundResult,
  StatusChange,
  Store,
  Taker,
} from '../storage/store.ts';
import { logEvent } from '../telemetry/log-events.ts';
import type { Logger } from '../telemetry/logger.ts';
import { describeError } from '../telemetry/logger.ts';
import { recordMetric } from '../telemetry/recorded-metrics.ts';
import { Backlog, type Pending } from './backlog.ts';
import { HubRates } from './hub-rates.ts';
import { Grants } from './grants.ts';
import { OutageLog } from './outage-log.ts';
import type { SchedulerSettings } from './settings.ts';

export interface RoundsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: SchedulerSettings;
  /** Room on the workers' streams, when the commits of this round are through. */
  readonly takers: () => readonly Taker[];
  readonly onClaimed: (claimed: readonly Claimed[]) => void;
  readonly onChanges: (changes: readonly StatusChange[]) => void;
}

/** Since this process opened the store. */
export interface RoundCounts {
  /** Rounds that were made durable. */
  rounds: number;
  /** Rounds that the store did not take. */
  failed: number;
  /** Commits that the rounds carried, refused ones among them. */
  commits: number;
}

/** Why an alarm rings no more: one for all, as an error of its own for each round costs more than the alarm. */
const REPLACED = new Error('an earlier alarm was set, or none is wanted any more');

/** After a failed round: how long until the next try, in ms. */
const RETRY_MS = 200;

export class Rounds {
  readonly #options: RoundsOptions;
  readonly #backlog: Backlog;
  readonly #grants = new Grants();
  readonly #rates: HubRates;
  readonly #outages: OutageLog;
  readonly #underWay = new Set<Promise<void>>();
  /** Something may be claimable: a new stream, freed credit, a due timer. */
  #isWanted = false;
  #isLooking = false;
  #scheduled: Promise<void> | undefined;
  #wake: { readonly at: number; readonly controller: AbortController } | undefined;
  #isClosed = false;
  readonly counts: RoundCounts = { rounds: 0, failed: 0, commits: 0 };

  constructor(options: RoundsOptions) {
    this.#options = options;
    this.#outages = new OutageLog(options.logger);
    this.#backlog = new Backlog(options.store.roundsMax > 1);
    this.#rates = new HubRates(options.clock, options.settings.hubRates);
  }

  /** Requests that wait for a round. */
  get pending(): number {
    return this.#backlog.size;
  }

  /** Why a call that would make new work for the hub is refused unread, if it is. */
  refusalAtDoor(hub: string): string | undefined {
    return this.#rates.enter(hub);
  }

  /** Resolves with the commit's own outcome once the round that carried it is durable. */
  submit(commit: Commit): Promise<Outcome> {
    const { pendingMax, pendingBytesMax } = this.#options.settings;
    if (this.#isClosed) {
      return Promise.resolve(refusal('UNAVAILABLE', 'the scheduler is shutting down'));
    }
    if (this.#backlog.isFull(commit, { commits: pendingMax, bytes: pendingBytesMax })) {
      const message = `${this.#backlog.size} requests wait for the store already; try again later`;
      return Promise.resolve(refusal('RESOURCE_EXHAUSTED', message));
    }
    const error = this.#rates.refusal(commit);
    if (error) return Promise.resolve({ ok: false, error });
    return new Promise((resolve) => {
      this.#backlog.add(commit, resolve);
      this.#run();
    });
  }

  /** Look for work to hand out, even if nothing was submitted. */
  poke(): void {
    this.#isWanted = true;
    this.#run();
  }

  /** Everything that arrives in this turn of the event loop goes in one round, if there is a lane. */
  #run(): void {
    if (this.#isClosed) return;
    this.#scheduled ??= nextLoop().then(() => {
      this.#scheduled = undefined;
      while (this.#startRound());
    });
  }

  /** False when there is no lane, or nothing that could go now. */
  #startRound(): boolean {
    const { store, settings } = this.#options;
    const lanes = store.roundsMax - this.#underWay.size;
    if (lanes <= 0) return false;
    const { roundCommitsMax: commits, roundBytesMax: bytes } = settings;
    // With rounds side by side, each is of one hub; a look is for all of them, and a round of its own.
    const isParallel = store.roundsMax > 1;
    const isLook = this.#isWanted && !this.#isLooking;
    const batch = isParallel && isLook ? [] : this.#backlog.take({ commits, bytes });
    if (batch.length === 0 && !isLook) return false;
    if (isLook) {
      this.#isWanted = false;
      this.#isLooking = true;
    }
    const hub = isParallel ? batch[0]?.commit.hub : undefined;
    const round = this.#round(batch, hub, lanes).finally(() => {
      this.#underWay.delete(round);
      this.#backlog.done(batch);
      if (isLook) this.#isLooking = false;
      this.#run();
    });
    this.#underWay.add(round);
    return true;
  }

  async #round(batch: readonly Pending[], hub: string | undefined, lanes: number): Promise<void> {
    const { store, clock, takers } = this.#options;
    const now = clock.now();
    const commits = batch.map(({ commit }) => commit);
    const grant = this.#grants.grant(takers(), { hub, lanes });
    let result: RoundResult;
    try {
      result = await store.exchange({ now, commits, takers: grant.takers, hub });
    } catch (error) {
      this.counts.failed += 1;
      this.#outages.failed(error, now);
      for (const { resolve } of batch) {
        resolve(refusal('UNAVAILABLE', 'the store did not answer; try again', error));
      }
      this.#wakeAt(now + RETRY_MS);
      return;
    } finally {
      grant.end();
    }
    recordMetric('roundDuration', (clock.now() - now) / 1000);
    this.#outages.stored(now);
    this.counts.rounds += 1;
    this.counts.commits += batch.length;
    for (const [index, { resolve }] of batch.entries()) {
      resolve(result.outcomes[index] ?? refusal('UNAVAILABLE', 'no outcome for this request'));
    }
    if (result.hasMore) this.#isWanted = true;
    this.#wakeAt(result.wakeAt);
    this.#report(result);
  }

  /** What is committed stays so, whatever becomes of the news of it. */
  #report({ claimed, changes }: RoundResult): void {
    const { logger, onClaimed, onChanges } = this.#options;
    try {
      onClaimed(claimed);
      onChanges(changes);
    } catch (error) {
      logEvent(logger, 'handOutFailed', {
        error: describeError(error),
      });
    }
  }

  /** One alarm at a time, for the earliest thing that will be due. */
  #wakeAt(at: number | undefined): void {
    if (at === undefined || this.#isClosed || (this.#wake && this.#wake.at <= at)) return;
    this.#wake?.controller.abort(REPLACED);
    const controller = new AbortController();
    const wake = { at, controller };
    this.#wake = wake;
    this.#options.clock.sleepUntil(at, { signal: controller.signal }).then(
      () => {
        if (this.#wake === wake) this.#wake = undefined;
        this.poke();
      },
      () => undefined, // Replaced by an earlier alarm, or closed.
    );
  }

  /** Lets the rounds that are under way and waiting finish, then takes nothing more. */
  async close(): Promise<void> {
    while (this.#scheduled !== undefined || this.#underWay.size > 0) {
      await (this.#scheduled ?? Promise.race(this.#underWay));
    }
    this.#isClosed = true;
    this.#wake?.controller.abort(REPLACED);
    for (const { resolve } of this.#backlog.drain()) {
      resolve(refusal('UNAVAILABLE', 'the scheduler is shutting down'));
    }
  }
}

function refusal(
  code: 'UNAVAILABLE' | 'RESOURCE_EXHAUSTED',
  message: string,
  cause?: unknown,
): Outcome {
  return { ok: false, error: new TaskHubError(code, message, { cause }) };
}
