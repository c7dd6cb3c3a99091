/**
 * Which activity tries another one again. History has no attempt numbers: what is found here is inferred from the name,
 * the version, the input and the timer in between.
 */
import type { EventJson } from '../../server/http/api/contract.ts';
import type { Step } from './story.ts';

interface Failure {
  readonly step: Step;
  readonly at: number;
  readonly sign: string;
}

interface Due {
  readonly failure: Failure;
  readonly timer: Step;
}

export interface Claim {
  /** The step of which this is the next try. */
  readonly step?: Step;
  /** When its last try failed. */
  readonly from: number;
  /** The pause between the two. */
  readonly timer?: Step;
  /** A step whose last try was wrongly taken for one: there are two that it could be. */
  readonly wrong?: Step;
}

export class Retries {
  readonly #signs = new Map<Step, string>();
  /** Failures of this turn that nothing has claimed. */
  #failures: Failure[] = [];
  /** Timers that may be the pause before a retry, by id. */
  readonly #pauses = new Map<string, Failure>();
  /** Pauses that were over in this turn. */
  #due: Due[] = [];
  /** Steps that were tried again at once in this turn, by what they look like. */
  readonly #atOnce = new Map<string, Step | undefined>();

  endTurn(): void {
    this.#failures = [];
    this.#due = [];
    this.#atOnce.clear();
  }

  failed(step: Step, at: number): void {
    this.#failures.push({ step, at, sign: this.#signs.get(step) ?? '' });
  }

  /** A timer made in the turn that learnt of a failure may be the pause after the earliest one. */
  pauseMade(id: string): void {
    const failure = this.#failures.shift();
    if (failure) this.#pauses.set(id, failure);
  }

  pauseOver(id: string, timer: Step): void {
    const failure = this.#pauses.get(id);
    if (failure) this.#due.push({ failure, timer });
    this.#pauses.delete(id);
  }

  /** Told of each activity that is scheduled, whether it is a retry or not. */
  claim(event: EventJson): Claim | undefined {
    const sign = signOf(event);
    const due = take(this.#due, ({ failure }) => failure.sign === sign);
    if (due) return { step: due.failure.step, from: due.failure.at, timer: due.timer };
    return this.#claimAtOnce(sign);
  }

  #claimAtOnce(sign: string): Claim | undefined {
    if (this.#atOnce.has(sign)) {
      const wrong = this.#atOnce.get(sign);
      this.#atOnce.set(sign, undefined);
      return wrong && { from: 0, wrong };
    }
    const failure = take(this.#failures, (each) => each.sign === sign);
    if (!failure) return undefined;
    this.#atOnce.set(sign, failure.step);
    return { step: failure.step, from: failure.at };
  }

  /** What a step looks like, to know its next try by. */
  remember(step: Step, event: EventJson): void {
    this.#signs.set(step, signOf(event));
  }
}

function signOf({ name, version, payloads }: EventJson): string {
  const input = payloads?.['input'];
  return JSON.stringify([name, version ?? '', input?.bytes ?? 0, input?.preview]);
}

function take<T>(list: T[], fits: (item: T) => boolean): T | undefined {
  const at = list.findIndex(fits);
  return at < 0 ? undefined : list.splice(at, 1)[0];
}
