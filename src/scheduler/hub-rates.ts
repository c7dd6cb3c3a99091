/** How much new work a task hub may ask for in a second, where an operator has set it. */
import type { Clock } from '../base/clock.ts';
import { TaskHubError } from '../core/errors.ts';
import type { Commit } from '../storage/store.ts';
import { EVENT_NUMBER } from '../wire/events.ts';

/** Stands for every task hub that has no rate of its own. */
export const OTHER_HUBS = '*';

/** Requests left, as of a time. */
interface Allowance {
  left: number;
  at: number;
}

export class HubRates {
  readonly #clock: Clock;
  readonly #rates: ReadonlyMap<string, number>;
  readonly #allowances = new Map<string, Allowance>();

  /** `rates`: requests a second by task hub, or for `*`. */
  constructor(clock: Clock, rates: Readonly<Record<string, number>>) {
    this.#clock = clock;
    this.#rates = new Map(Object.entries(rates));
  }

  /**
   * Why a request is not taken now. Only what makes new work is counted: what workers answer, and what ends work, is
   * how a hub gets out of trouble. A second's worth may come at once.
   */
  refusal(commit: Commit): TaskHubError | undefined {
    const rate = this.#rates.get(commit.hub) ?? this.#rates.get(OTHER_HUBS);
    if (rate === undefined || !makesWork(commit) || this.#take(commit.hub, rate)) return undefined;
    return new TaskHubError(
      'RESOURCE_EXHAUSTED',
      `task hub '${commit.hub}' may start, signal and raise events ${rate} times a second at each scheduler; try again later, or raise it with --hub-rate-limits`,
    );
  }

  #take(hub: string, rate: number): boolean {
    const now = this.#clock.now();
    const { left, at } = this.#allowances.get(hub) ?? { left: rate, at: now };
    const grown = Math.min(rate, left + ((now - at) * rate) / 1000);
    const isTaken = grown >= 1;
    this.#allowances.set(hub, { left: isTaken ? grown - 1 : grown, at: now });
    return isTaken;
  }
}

function makesWork(commit: Commit): boolean {
  switch (commit.kind) {
    case 'start':
    case 'restart':
    case 'rewind':
    case 'signal':
      return true;
    case 'deliver':
      return commit.event.type === EVENT_NUMBER.eventRaised;
    default:
      return false;
  }
}
