/**
 * What may be waiting, so that an empty queue costs no statement: for each queue the earliest time at which
 * something in it may be due. A hint may be too early, never too late; `poll` rebuilds all from the tables.
 */
import { PARKED_AT } from '../../core/limits.ts';

export interface Queue {
  readonly hub: number;
  readonly kind: number;
  readonly type: number;
}

interface Due {
  at: number;
  /** The number of the last note of something new in it. */
  noted: number;
}

interface DueQueue extends Due {
  readonly queue: Queue;
}

export class Hints {
  readonly #queues = new Map<string, DueQueue>();
  readonly #timers = new Map<number, Due>();
  readonly #isHub: (hub: number) => boolean;
  #notes = 0;

  /** What is left of hubs that are gone counts for nothing. */
  constructor(isHub: (hub: number) => boolean) {
    this.#isHub = isHub;
  }

  /** A point in time, for whoever looks through a queue while others may put something into it. */
  get mark(): number {
    return this.#notes;
  }

  /** Something in this queue is due at `at`. */
  noteQueue(queue: Queue, at: number): void {
    if (at >= PARKED_AT) return;
    this.#notes += 1;
    const key = keyOfQueue(queue);
    const known = this.#queues.get(key);
    this.#queues.set(key, { queue, at: Math.min(at, known?.at ?? at), noted: this.#notes });
  }

  /** The queue was looked through after `mark`: what is left is due at `at`, or nothing is. */
  setQueue(queue: Queue, at: number | undefined, mark: number): void {
    const key = keyOfQueue(queue);
    if ((this.#queues.get(key)?.noted ?? 0) > mark) return;
    if (at === undefined || at >= PARKED_AT) this.#queues.delete(key);
    else this.#queues.set(key, { queue, at, noted: mark });
  }

  noteTimer(hub: number, at: number): void {
    this.#notes += 1;
    const known = this.#timers.get(hub);
    this.#timers.set(hub, { at: Math.min(at, known?.at ?? at), noted: this.#notes });
  }

  /** The hub's timers were looked through after `mark`. */
  setTimer(hub: number, at: number | undefined, mark: number): void {
    if ((this.#timers.get(hub)?.noted ?? 0) > mark) return;
    if (at === undefined) this.#timers.delete(hub);
    else this.#timers.set(hub, { at, noted: mark });
  }

  dueQueues(now: number): { readonly queue: Queue; readonly at: number }[] {
    return [...this.#queues.values()].filter(
      ({ queue, at }) => at <= now && this.#isHub(queue.hub),
    );
  }

  dueTimers(now: number): number[] {
    return [...this.#timers]
      .filter(([hub, { at }]) => at <= now && this.#isHub(hub))
      .map(([hub]) => hub);
  }

  /** The next time after `now` at which something may be due. */
  nextAt(now: number): number | undefined {
    let next = Infinity;
    for (const { queue, at } of this.#queues.values()) {
      if (at > now && this.#isHub(queue.hub)) next = Math.min(next, at);
    }
    for (const [hub, { at }] of this.#timers) {
      if (at > now && this.#isHub(hub)) next = Math.min(next, at);
    }
    return next === Infinity ? undefined : next;
  }

  forgetHub(hub: number): void {
    this.#timers.delete(hub);
    for (const [key, { queue }] of this.#queues) if (queue.hub === hub) this.#queues.delete(key);
  }
}

export function keyOfQueue({ hub, kind, type }: Queue): string {
  return `${hub} ${kind} ${type}`;
}
