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
import type { Logger } from '../telemetry/logger.ts';
import { describeError } from '../telemetry/logger.ts';
import type { SchedulerSettings } from './settings.ts';

interface Pending {
  readonly commit: Commit;
  readonly bytes: number;
  readonly resolve: (outcome: Outcome) => void;
}

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

/** After a failed round: how long until the next try, in ms. */
const RETRY_MS = 200;

export class Rounds {
  readonly #options: RoundsOptions;
  #pending: Pending[] = [];
  #pendingBytes = 0;
  /** Something may be claimable: a new stream, freed credit, a due timer. */
  #isWanted = false;
  #running: Promise<void> | undefined;
  #wake: { readonly at: number; readonly controller: AbortController } | undefined;
  #isClosed = false;

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  get pending(): number {
    return this.#pending.length;
  }

  /** Resolves with the commit's own outcome once the round that carried it is durable. */
  submit(commit: Commit): Promise<Outcome> {
    const { pendingMax, pendingBytesMax } = this.#options.settings;
    if (this.#isClosed) {
      return Promise.resolve(refusal('UNAVAILABLE', 'the scheduler is shutting down'));
    }
    if (this.#pending.length >= pendingMax || this.#pendingBytes >= pendingBytesMax) {
      return Promise.resolve(
        refusal('RESOURCE_EXHAUSTED', 'too many requests wait for the store; try again later'),
      );
    }
    return new Promise((resolve) => {
      const bytes = commitBytes(commit);
      this.#pending.push({ commit, bytes, resolve });
      this.#pendingBytes += bytes;
      this.#run();
    });
  }

  /** Look for work to hand out, even if nothing was submitted. */
  poke(): void {
    this.#isWanted = true;
    this.#run();
  }

  #run(): void {
    if (this.#running || this.#isClosed) return;
    this.#running = this.#loop();
  }

  async #loop(): Promise<void> {
    // The first step runs everything that has arrived in this turn of the event loop as one round.
    await nextLoop();
    while (this.#pending.length > 0 || this.#isWanted) {
      await this.#round();
      await nextLoop();
    }
    // In the same step as the last look: what comes after it starts the loop again.
    this.#running = undefined;
  }

  async #round(): Promise<void> {
    const { store, clock, logger, takers } = this.#options;
    const batch = this.#takeBatch();
    const now = clock.now();
    this.#isWanted = false;
    const commits = batch.map(({ commit }) => commit);
    let result: RoundResult;
    try {
      result = await store.exchange({ now, commits, takers: takers() });
    } catch (error) {
      logger.error('a round failed', { error: describeError(error) });
      for (const { resolve } of batch) {
        resolve(refusal('UNAVAILABLE', 'the store did not answer; try again', error));
      }
      this.#wakeAt(now + RETRY_MS);
      return;
    }
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
      logger.error('a round was committed, but not all of its work was handed out', {
        error: describeError(error),
      });
    }
  }

  #takeBatch(): readonly Pending[] {
    const { roundCommitsMax, roundBytesMax } = this.#options.settings;
    let bytes = 0;
    let count = 0;
    for (const item of this.#pending) {
      if (count > 0 && (count >= roundCommitsMax || bytes + item.bytes > roundBytesMax)) break;
      bytes += item.bytes;
      count += 1;
    }
    this.#pendingBytes -= bytes;
    if (count === this.#pending.length) {
      const all = this.#pending;
      this.#pending = [];
      return all;
    }
    return this.#pending.splice(0, count);
  }

  /** One alarm at a time, for the earliest thing that will be due. */
  #wakeAt(at: number | undefined): void {
    if (at === undefined || this.#isClosed || (this.#wake && this.#wake.at <= at)) return;
    this.#wake?.controller.abort();
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
    while (this.#running) await this.#running;
    this.#isClosed = true;
    this.#wake?.controller.abort();
    for (const { resolve } of this.#pending) {
      resolve(refusal('UNAVAILABLE', 'the scheduler is shutting down'));
    }
    this.#pending = [];
  }
}

function refusal(
  code: 'UNAVAILABLE' | 'RESOURCE_EXHAUSTED',
  message: string,
  cause?: unknown,
): Outcome {
  return { ok: false, error: new TaskHubError(code, message, { cause }) };
}

/** About how many bytes a commit writes; payload texts count one byte per character. */
function commitBytes(commit: Commit): number {
  switch (commit.kind) {
    case 'start':
      return commit.started.bytes.length;
    case 'deliver':
      return commit.event.bytes.length;
    case 'activity':
      return commit.result?.length ?? 0;
    case 'signal':
      return commit.message.event.bytes.length;
    case 'entity':
      return commit.result.entityState?.length ?? 0;
    case 'turn':
      return commit.actions.reduce((sum, action) => sum + actionBytes(action), 0);
    default:
      return 0;
  }
}

type Action = Extract<Commit, { kind: 'turn' }>['actions'][number];

function actionBytes({ orchestratorActionType: type }: Action): number {
  switch (type.case) {
    case 'scheduleTask':
    case 'createSubOrchestration':
      return type.value.input?.length ?? 0;
    case 'sendEvent':
      return type.value.data?.length ?? 0;
    case 'completeOrchestration':
      return type.value.result?.length ?? 0;
    default:
      return 0;
  }
}
