import type { Round, RoundResult, Store } from '../../src/storage/store.ts';
import type { RuntimeStatus } from '../../src/core/instance.ts';

const NOTHING: RoundResult = {
  outcomes: [],
  claimed: [],
  changes: [],
  hasMore: false,
  wakeAt: undefined,
};

/** A store that accepts everything and waits, if asked to, before it answers a round. */
export class FakeStore implements Pick<Store, 'exchange' | 'statuses' | 'roundsMax'> {
  readonly roundsMax: number;
  readonly rounds: Round[] = [];
  readonly asked: (readonly string[])[] = [];
  readonly known = new Map<string, RuntimeStatus>();
  /** What the next rounds answer, beyond OK for each commit. */
  readonly answers: (Partial<RoundResult> | Error)[] = [];
  statusFailure: Error | undefined;
  #gate: Promise<void> | undefined;

  constructor(roundsMax = 1) {
    this.roundsMax = roundsMax;
  }

  async exchange(round: Round): Promise<RoundResult> {
    this.rounds.push(round);
    await this.#gate;
    const answer = this.answers.shift() ?? {};
    if (answer instanceof Error) throw answer;
    return { ...NOTHING, outcomes: round.commits.map(() => ({ ok: true })), ...answer };
  }

  async statuses(
    _hub: string,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, RuntimeStatus>> {
    this.asked.push(ids);
    if (this.statusFailure) throw this.statusFailure;
    return new Map([...this.known].filter(([id]) => ids.includes(id)));
  }

  /** Rounds hang until the function that is returned is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#gate = promise.then(() => undefined);
    return () => {
      this.#gate = undefined;
      resolve(undefined);
    };
  }

  /** Number of commits in each round. */
  get sizes(): readonly number[] {
    return this.rounds.map(({ commits }) => commits.length);
  }

  asStore(): Store {
    return this as unknown as Store;
  }
}
