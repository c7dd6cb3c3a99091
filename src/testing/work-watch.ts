import type { Outcome, Round, RoundResult, Store } from '../storage/store.ts';

/** Stands between a scheduler and its store, and knows whether anything is under way. */
export class WorkWatch {
  readonly #leased = new Set<string>();
  #calls = 0;
  #hasMore = false;
  #dueAt: number | undefined;
  #hasFailed = false;

  /** Nothing is being read or written, and no worker holds anything. */
  get isIdle(): boolean {
    return this.#calls === 0 && this.#leased.size === 0 && !this.#hasMore;
  }

  /** Work items that workers hold. */
  get leasedCount(): number {
    return this.#leased.size;
  }

  /** Epoch ms of the next timer, delayed start or redelivery; `undefined` when nothing is to come. */
  get dueAt(): number | undefined {
    return this.#dueAt;
  }

  /** The last round was refused: the scheduler tries again later, and nothing is known of what is due. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** The same store, watched. */
  watch(store: Store): Store {
    const exchange = (round: Round): Promise<RoundResult> => this.#exchange(store, round);
    return new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        const call = name === 'exchange' ? exchange : (member.bind(target) as AnyFunction);
        return (...args: never[]): unknown => this.#counted(call(...args));
      },
    });
  }

  async #exchange(store: Store, round: Round): Promise<RoundResult> {
    this.#hasFailed = true;
    const result = await store.exchange(round);
    this.#hasFailed = false;
    for (const [index, commit] of round.commits.entries()) {
      if ('token' in commit && isOver(result.outcomes[index])) this.#leased.delete(commit.token);
    }
    for (const { token } of result.claimed) this.#leased.add(token);
    this.#hasMore = result.hasMore;
    this.#dueAt = result.wakeAt;
    return result;
  }

  #counted(result: unknown): unknown {
    if (!(result instanceof Promise)) return result;
    this.#calls += 1;
    return result.finally(() => {
      this.#calls -= 1;
    });
  }
}

/** Taken, or stale: either way nobody holds that lease any more. Other refusals are tried again. */
function isOver(outcome: Outcome | undefined): boolean {
  return outcome?.ok === true || outcome?.error.code === 'LEASE_LOST';
}

type AnyFunction = (...args: never[]) => unknown;
