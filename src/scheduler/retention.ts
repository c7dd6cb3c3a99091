/** Deletes what the retention policy no longer keeps, a bounded number of instances at a time. */
import { isAbort } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import { assertRetention, expiries, type Expiry, type RetentionPolicy } from '../core/retention.ts';
import type { PageToken } from '../core/page-token.ts';
import type { Commit, Outcome, Store } from '../storage/store.ts';
import type { SchedulerSettings } from './settings.ts';

/** Instances deleted in one go. */
const STEP = 100;
/** Pause between two of them, in ms: a backlog goes at up to 2,000 a second, beside everything else. */
const PAUSE_MS = 50;

export interface RetentionOptions {
  readonly store: Pick<Store, 'retention' | 'setRetention' | 'listEnded'>;
  readonly clock: Clock;
  readonly settings: Pick<SchedulerSettings, 'retentionMs'>;
  readonly taskHubs: () => readonly string[];
  readonly submit: (commit: Commit) => Promise<Outcome>;
}

interface RunOptions {
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
}

/** What a policy would delete of one status. */
export interface Doomed extends Expiry {
  readonly count: number;
  /** There are more than were counted. */
  readonly isCapped: boolean;
}

/** A preview counts up to this, of one status in one hub. */
const PREVIEW_MAX = 10_000;

/** Where the last look ended: what stands before it is kept, or gone. */
interface Place {
  readonly rule: string;
  after: PageToken | undefined;
}

export class Retention {
  readonly #options: RetentionOptions;
  readonly #places = new Map<string, Place>();

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  policy(): Promise<RetentionPolicy> {
    return this.#options.store.retention();
  }

  /** In force from the next sweep on. INVALID_ARGUMENT. */
  async setPolicy(policy: RetentionPolicy): Promise<void> {
    assertRetention(policy);
    await this.#options.store.setRetention(policy);
  }

  /** What the first sweep with this policy would delete; changes nothing. INVALID_ARGUMENT. */
  async preview(policy: RetentionPolicy): Promise<readonly Doomed[]> {
    const { store, clock, taskHubs } = this.#options;
    assertRetention(policy);
    const doomed: Doomed[] = [];
    for (const { status, before } of expiries(policy, clock.now())) {
      const pages = await Promise.all(
        taskHubs().map((hub) =>
          store.listEnded({
            ...{ hub, statuses: [status], completedFrom: undefined, completedTo: before },
            ...{ after: undefined, limit: PREVIEW_MAX },
          }),
        ),
      );
      const count = pages.reduce((sum, { items }) => sum + items.length, 0);
      const isCapped = pages.some(({ next }) => next !== undefined);
      doomed.push({ status, before, count, isCapped });
    }
    return doomed;
  }

  /** Until the signal aborts. */
  async run({ signal, onError }: RunOptions): Promise<void> {
    const { clock, settings } = this.#options;
    for (;;) {
      try {
        await clock.sleepUntil(clock.now() + settings.retentionMs, { signal });
        while (await this.tick()) await clock.sleepUntil(clock.now() + PAUSE_MS, { signal });
      } catch (error) {
        if (isAbort(error, signal)) return;
        onError(error);
      }
    }
  }

  /** One bounded step in each hub; true: there is more to do. */
  async tick(): Promise<boolean> {
    const { clock, taskHubs } = this.#options;
    const policy = await this.policy();
    const rule = JSON.stringify(policy);
    let isMore = false;
    for (const hub of taskHubs()) {
      for (const expiry of expiries(policy, clock.now())) {
        if (await this.#step(hub, expiry, rule)) isMore = true;
      }
    }
    return isMore;
  }

  async #step(hub: string, { status, before }: Expiry, rule: string): Promise<boolean> {
    const { store, submit } = this.#options;
    const key = `${status} ${hub}`;
    const known = this.#places.get(key);
    const place = known?.rule === rule ? known : { rule, after: undefined };
    this.#places.set(key, place);
    const page = await store.listEnded({
      ...{ hub, statuses: [status], completedFrom: undefined, completedTo: before },
      ...{ after: place.after, limit: STEP },
    });
    const commits = page.items.map((instanceId): Commit => ({
      ...{ kind: 'purge', hub, instanceId, onLive: 'skip' },
    }));
    const outcomes = await Promise.all(commits.map(submit));
    for (const outcome of outcomes) if (!outcome.ok) throw outcome.error;
    place.after = page.next ?? place.after;
    return page.next !== undefined;
  }
}
