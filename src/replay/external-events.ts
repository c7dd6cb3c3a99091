import type { HistoryEvent } from '../proto/orchestrator_service_pb.ts';
import type { Task } from './tasks.ts';

/** Who is served when several wait for one name: the newest (classic) or the oldest (core). */
export type WaiterOrder = 'lastIn' | 'firstIn';

interface BufferedEvent {
  readonly order: number;
  readonly event: HistoryEvent;
}

/**
 * Waiters and unconsumed events by name. Names are compared without case. Either a name has waiters or
 * it has buffered events, never both; buffered events are consumed oldest first.
 */
export class ExternalEvents {
  waiterOrder: WaiterOrder = 'firstIn';
  readonly #waiters = new Map<string, Task[]>();
  readonly #buffered = new Map<string, BufferedEvent[]>();
  #arrivals = 0;

  /** The oldest unconsumed event of that name, or else the task is added to the waiters. */
  take(name: string, waiter: Task): HistoryEvent | undefined {
    const key = name.toLowerCase();
    const buffered = this.#buffered.get(key);
    const first = buffered?.shift();
    if (buffered?.length === 0) this.#buffered.delete(key);
    if (first !== undefined) return first.event;
    const waiters = this.#waiters.get(key) ?? [];
    waiters.push(waiter);
    this.#waiters.set(key, waiters);
    return undefined;
  }

  /** A waiter was yielded again: last in, first out then counts from here. */
  renew(name: string, waiter: Task): void {
    const waiters = this.#waiters.get(name.toLowerCase());
    if (this.waiterOrder === 'firstIn' || waiters === undefined) return;
    waiters.splice(waiters.indexOf(waiter), 1);
    waiters.push(waiter);
  }

  /** The task that this event completes, or else the event is kept for a later waiter. */
  deliver(name: string, event: HistoryEvent): Task | undefined {
    const key = name.toLowerCase();
    const waiters = this.#waiters.get(key);
    const waiter = this.waiterOrder === 'lastIn' ? waiters?.pop() : waiters?.shift();
    if (waiters?.length === 0) this.#waiters.delete(key);
    if (waiter === undefined) this.keep(name, event);
    return waiter;
  }

  /** Keeps an event without looking for a waiter. */
  keep(name: string, event: HistoryEvent): void {
    const key = name.toLowerCase();
    this.#arrivals += 1;
    const buffered = this.#buffered.get(key) ?? [];
    buffered.push({ order: this.#arrivals, event });
    this.#buffered.set(key, buffered);
  }

  /** All unconsumed events in order of arrival, for the next generation. */
  unconsumed(): HistoryEvent[] {
    return [...this.#buffered.values()]
      .flat()
      .toSorted((one, other) => one.order - other.order)
      .map(({ event }) => event);
  }
}
