/**
 * Requests that wait for a round: by hub in order of arrival, the hubs in turn, so that a loud hub does not hold up a
 * quiet one. What concerns an instance of which something is under way waits, so that its order is kept.
 */
import type { Commit, Outcome } from '../storage/store.ts';
import { commitBytes } from './commit-bytes.ts';

export interface Pending {
  readonly commit: Commit;
  readonly bytes: number;
  readonly resolve: (outcome: Outcome) => void;
}

export interface BatchLimits {
  readonly commits: number;
  readonly bytes: number;
}

interface HubQueue {
  items: Pending[];
  /** Of the items. */
  bytes: number;
  /** Keys of what is under way, with how often. */
  readonly busy: Map<string, number>;
}

/** A request that is put aside is looked at again in each round: not too many of them. */
const ASIDE_MAX = 2000;

/** A hub with a smaller part of the bound than this waiting is quiet. */
const QUIET_SHARE = 1 / 20;

const ANSWERS: ReadonlySet<Commit['kind']> = new Set([
  'turn',
  'activity',
  'entity',
  'abandon',
  'release',
]);

function isAnswer({ kind }: Commit): boolean {
  return ANSWERS.has(kind);
}

/** Changes of a hub itself go alone. */
const WHOLE_HUB = '*';

export class Backlog {
  /** Rounds of one hub may be under way side by side. */
  readonly #isParallel: boolean;
  /** In the order in which they come next. */
  readonly #hubs = new Map<string, HubQueue>();
  #size = 0;
  #bytes = 0;

  constructor(isParallel: boolean) {
    this.#isParallel = isParallel;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Whether one more is too many. What workers answer is bounded by what they hold, and a hub with little in the queue
   * has not filled it: both are let in beyond the bound, up to twice as many.
   */
  isFull(commit: Commit, { commits, bytes }: BatchLimits): boolean {
    const own = this.#hubs.get(commit.hub);
    const isQuiet =
      (own?.items.length ?? 0) < commits * QUIET_SHARE && (own?.bytes ?? 0) < bytes * QUIET_SHARE;
    const isPrivileged = isQuiet || isAnswer(commit);
    const times = isPrivileged ? 2 : 1;
    return this.#size >= commits * times || this.#bytes >= bytes * times;
  }

  add(commit: Commit, resolve: (outcome: Outcome) => void): void {
    const bytes = commitBytes(commit);
    const queue = this.#hubs.get(commit.hub) ?? {
      ...{ items: [], bytes: 0, busy: new Map<string, number>() },
    };
    this.#hubs.set(commit.hub, queue);
    queue.items.push({ commit, bytes, resolve });
    queue.bytes += bytes;
    this.#size += 1;
    this.#bytes += bytes;
  }

  /** The next round, marked as under way until `done`; empty when nothing can go now. */
  take(limits: BatchLimits): readonly Pending[] {
    return this.#isParallel ? this.#takeOfOneHub(limits) : this.#takeOfAll(limits);
  }

  #takeOfOneHub(limits: BatchLimits): readonly Pending[] {
    for (const hub of [...this.#hubs.keys()]) {
      const batch = this.#take(hub, limits);
      if (batch.length > 0) return batch;
    }
    return [];
  }

  /** The next round of all hubs together: each in turn gets an equal part, and what others leave. */
  #takeOfAll(limits: BatchLimits): readonly Pending[] {
    const batch: Pending[] = [];
    let bytes = 0;
    for (let isMore = true; isMore;) {
      isMore = false;
      const share = Math.ceil((limits.commits - batch.length) / Math.max(1, this.#hubs.size));
      for (const hub of [...this.#hubs.keys()]) {
        const left = {
          commits: Math.min(share, limits.commits - batch.length),
          bytes: batch.length === 0 ? limits.bytes : limits.bytes - bytes,
        };
        if (left.commits <= 0 || left.bytes <= 0) return batch;
        const part = this.#take(hub, left, batch.length === 0);
        batch.push(...part);
        bytes += part.reduce((sum, item) => sum + item.bytes, 0);
        isMore ||= part.length > 0;
      }
    }
    return batch;
  }

  /** Its turn is over: it comes after all other hubs. `mayExceed`: the first item may be of any size. */
  #take(hub: string, limits: BatchLimits, mayExceed = true): readonly Pending[] {
    const queue = this.#hubs.get(hub);
    if (!queue) return [];
    const { taken, left } = this.#isParallel
      ? chooseIdle(queue, limits)
      : chooseFirst(queue, limits, mayExceed);
    queue.items = left;
    for (const item of taken) {
      const key = keyOf(item.commit);
      queue.busy.set(key, (queue.busy.get(key) ?? 0) + 1);
      this.#bytes -= item.bytes;
      queue.bytes -= item.bytes;
    }
    this.#size -= taken.length;
    this.#hubs.delete(hub);
    this.#hubs.set(hub, queue);
    return taken;
  }

  /** A round is over: what waited for it may go. */
  done(batch: readonly Pending[]): void {
    for (const { commit } of batch) {
      const queue = this.#hubs.get(commit.hub);
      const key = keyOf(commit);
      const count = (queue?.busy.get(key) ?? 1) - 1;
      if (count > 0) queue?.busy.set(key, count);
      else queue?.busy.delete(key);
      if (queue?.items.length === 0 && queue.busy.size === 0) this.#hubs.delete(commit.hub);
    }
  }

  /** Everything that waits, to be refused. */
  drain(): readonly Pending[] {
    const all = [...this.#hubs.values()].flatMap(({ items }) => items);
    this.#hubs.clear();
    this.#size = 0;
    this.#bytes = 0;
    return all;
  }
}

interface Choice {
  readonly taken: Pending[];
  readonly left: Pending[];
}

/** The oldest of a hub, whatever they are about: one round sees to their order. */
function chooseFirst({ items }: HubQueue, limits: BatchLimits, mayExceed: boolean): Choice {
  let bytes = 0;
  let count = 0;
  for (const item of items) {
    const isFirst = mayExceed && count === 0;
    if (count >= limits.commits || (!isFirst && bytes + item.bytes > limits.bytes)) break;
    bytes += item.bytes;
    count += 1;
  }
  return { taken: items.slice(0, count), left: items.slice(count) };
}

/** The oldest of a hub of whose instance nothing is under way. */
function chooseIdle({ items, busy }: HubQueue, limits: BatchLimits): Choice {
  const taken: Pending[] = [];
  const aside: Pending[] = [];
  let bytes = 0;
  let at = 0;
  for (const item of busy.has(WHOLE_HUB) ? [] : items) {
    const key = keyOf(item.commit);
    const isFirst = taken.length === 0;
    if (key === WHOLE_HUB) {
      if (at > 0 || busy.size > 0) break;
      return { taken: [item], left: items.slice(1) };
    }
    if (busy.has(key)) {
      if (aside.length >= ASIDE_MAX) break;
      aside.push(item);
    } else {
      if (taken.length >= limits.commits || (!isFirst && bytes + item.bytes > limits.bytes)) break;
      bytes += item.bytes;
      taken.push(item);
    }
    at += 1;
  }
  return { taken, left: [...aside, ...items.slice(at)] };
}

/** Requests with the same key are about the same instance: workers name its row, clients its id. */
function keyOf(commit: Commit): string {
  if (commit.kind === 'createHub' || commit.kind === 'deleteHub') return WHOLE_HUB;
  if (commit.kind === 'signal') return `id ${commit.message.entityId}`;
  if ('instanceId' in commit) return `id ${commit.instanceId}`;
  return 'token' in commit ? `row ${/^\d*/.exec(commit.token)?.[0] ?? ''}` : commit.kind;
}
