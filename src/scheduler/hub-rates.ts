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

/** Requests that were let in at the door and have not asked yet, since a time. */
interface Entered {
  count: number;
  since: number;
}

/** After so long whoever was let in has asked, or never will, in ms. */
const ENTERED_MS = 100;

export class HubRates {
  readonly #clock: Clock;
  readonly #rates: ReadonlyMap<string, number>;
  readonly #allowances = new Map<string, Allowance>();
  readonly #entered = new Map<string, Entered>();

  /** `rates`: requests a second by task hub, or for `*`. */
  constructor(clock: Clock, rates: Readonly<Record<string, number>>) {
    this.#clock = clock;
    this.#rates = new Map(Object.entries(rates));
  }

  /**
   * Why a call that would make new work need not even be read, as a sentence: cheaper than an error, and this is asked
   * thousands of times a second. `undefined` lets it in, and it is asked again when it is known what it wants. Nothing
   * is taken from the allowance: it is not known yet who calls.
   */
  enter(hub: string): string | undefined {
    const rate = this.#rateOf(hub);
    if (rate === undefined) return undefined;
    const now = this.#clock.now();
    const before = this.#entered.get(hub);
    const entered = before && now < before.since + ENTERED_MS ? before : { count: 0, since: now };
    this.#entered.set(hub, entered);
    if (this.#grown(hub, rate, now) - entered.count < 1) return tooMuch(hub, rate);
    entered.count += 1;
    return undefined;
  }

  /**
   * Why a request is not taken now. Only what makes new work is counted: what workers answer, and what ends work, is
   * how a hub gets out of trouble. A second's worth may come at once.
   */
  refusal(commit: Commit): TaskHubError | undefined {
    const rate = this.#rateOf(commit.hub);
    if (rate === undefined || !makesWork(commit) || this.#take(commit.hub, rate)) return undefined;
    return new TaskHubError('RESOURCE_EXHAUSTED', tooMuch(commit.hub, rate));
  }

  #rateOf(hub: string): number | undefined {
    return this.#rates.get(hub) ?? this.#rates.get(OTHER_HUBS);
  }

  #take(hub: string, rate: number): boolean {
    const now = this.#clock.now();
    const entered = this.#entered.get(hub);
    if (entered && entered.count > 0) entered.count -= 1;
    const left = this.#grown(hub, rate, now);
    const isTaken = left >= 1;
    this.#allowances.set(hub, { left: isTaken ? left - 1 : left, at: now });
    return isTaken;
  }

  /** What is left of the allowance now. */
  #grown(hub: string, rate: number, now: number): number {
    const { left, at } = this.#allowances.get(hub) ?? { left: rate, at: now };
    return Math.min(rate, left + ((now - at) * rate) / 1000);
  }
}

function tooMuch(hub: string, rate: number): string {
  return `task hub '${hub}' may start, signal and raise events ${rate} times a second at each scheduler; try again later, or raise it with --hub-rate-limits`;
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
