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

export class Hints {
  readonly #queues = new Map<string, { readonly queue: Queue; at: number }>();
  readonly #timers = new Map<number, number>();

  /** Something in this queue is due at `at`. */
  noteQueue(queue: Queue, at: number): void {
    if (at >= PARKED_AT) return;
    const key = `${queue.hub} ${queue.kind} ${queue.type}`;
    const known = this.#queues.get(key);
    if (!known || at < known.at) this.#queues.set(key, { queue, at });
  }

  /** The queue was looked through: what is left is due at `at`, or nothing is. */
  setQueue(queue: Queue, at: number | undefined): void {
    const key = `${queue.hub} ${queue.kind} ${queue.type}`;
    if (at === undefined || at >= PARKED_AT) this.#queues.delete(key);
    else this.#queues.set(key, { queue, at });
  }

  noteTimer(hub: number, at: number): void {
    this.#timers.set(hub, Math.min(at, this.#timers.get(hub) ?? at));
  }

  setTimer(hub: number, at: number | undefined): void {
    if (at === undefined) this.#timers.delete(hub);
    else this.#timers.set(hub, at);
  }

  dueQueues(now: number): { readonly queue: Queue; readonly at: number }[] {
    return [...this.#queues.values()].filter(({ at }) => at <= now);
  }

  dueTimers(now: number): number[] {
    return [...this.#timers].filter(([, at]) => at <= now).map(([hub]) => hub);
  }

  /** The next time after `now` at which something may be due. */
  nextAt(now: number): number | undefined {
    let next = Infinity;
    for (const { at } of this.#queues.values()) if (at > now) next = Math.min(next, at);
    for (const at of this.#timers.values()) if (at > now) next = Math.min(next, at);
    return next === Infinity ? undefined : next;
  }

  forgetHub(hub: number): void {
    this.#timers.delete(hub);
    for (const [key, { queue }] of this.#queues) if (queue.hub === hub) this.#queues.delete(key);
  }
}
