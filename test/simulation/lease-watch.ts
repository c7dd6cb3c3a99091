import type {
  Claimed,
  Commit,
  Round,
  RoundResult,
  Store,
  WorkKind,
} from '../../src/storage/store.ts';

interface Lease {
  readonly token: string;
  readonly kind: WorkKind;
  /** The life of the scheduler that handed it out. */
  readonly life: number;
  /** Epoch ms from which somebody else may be handed the item. */
  freeAt: number;
}

const itemOf = ({ kind, key }: Claimed): string => `${kind} ${key}`;

/** Who may work on what, as promised by the store's answers: never two on one item. */
export class LeaseWatch {
  readonly #report: (violation: string) => void;
  readonly #note: (line: string) => void;
  readonly #leases = new Map<string, Lease>();
  readonly #items = new Map<string, string>();
  /** Commits of the rounds that are under way: unknown if the process dies meanwhile. */
  readonly #underWay = new Set<readonly Commit[]>();
  /** How often parked items were handed out on demand: what a round under way has released may be among them. */
  #retries = 0;
  #life = 0;

  /** `note` is told of every answer of the store. */
  constructor(report: (violation: string) => void, note: (line: string) => void) {
    this.#report = report;
    this.#note = note;
  }

  /** The store of a new scheduler process, watched. */
  watch(store: Store): Store {
    this.#life += 1;
    this.#lose();
    return new Proxy(store, {
      get: (target, name) => {
        if (name === 'exchange') return (round: Round) => this.#exchange(target, round);
        if (name === 'releaseOrphans') {
          return (options: Parameters<Store['releaseOrphans']>[0]) => {
            this.#orphan(options);
            return target.releaseOrphans(options);
          };
        }
        if (name === 'retryParked') this.#retry();
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  /** Items without a worker are handed out on demand, whatever their grace. */
  #retry(): void {
    this.#retries += 1;
    for (const lease of this.#leases.values()) if (lease.freeAt < Infinity) lease.freeAt = 0;
  }

  /** What became of the last rounds of a dead process is unknown. */
  #lose(): void {
    for (const commit of [...this.#underWay].flat()) {
      const lease = 'token' in commit ? this.#leaseOf(commit.token) : undefined;
      if (lease) lease.freeAt = 0;
    }
    this.#underWay.clear();
  }

  #orphan({ now, graceMs }: Parameters<Store['releaseOrphans']>[0]): void {
    for (const lease of this.#leases.values()) {
      if (lease.life < this.#life) lease.freeAt = Math.min(lease.freeAt, now + graceMs[lease.kind]);
    }
  }

  async #exchange(store: Store, round: Round): Promise<RoundResult> {
    const retries = this.#retries;
    this.#underWay.add(round.commits);
    const result = await store.exchange(round).finally(() => this.#underWay.delete(round.commits));
    for (const [index, commit] of round.commits.entries()) {
      const outcome = result.outcomes[index];
      const what =
        'token' in commit ? commit.token : 'instanceId' in commit ? commit.instanceId : '';
      this.#note(
        `  ${commit.kind} ${what}: ${outcome?.ok === true ? 'ok' : (outcome?.error.code ?? '')}`,
      );
      if (outcome?.ok === true) this.#committed(commit, retries < this.#retries);
    }
    for (const item of result.claimed) this.#claimed(item, round.now);
    return result;
  }

  #leaseOf(token: string): Lease | undefined {
    const item = this.#items.get(token);
    const lease = item === undefined ? undefined : this.#leases.get(item);
    return lease?.token === token ? lease : undefined;
  }

  #committed(commit: Commit, wasRetriedMeanwhile: boolean): void {
    switch (commit.kind) {
      case 'turn':
      case 'activity':
      case 'entity': {
        const lease = this.#leaseOf(commit.token);
        if (!lease) {
          this.#report(`a ${commit.kind} was accepted whose lease is not the current one`);
          return;
        }
        // Done, or handed out again: in both cases nobody holds it any more.
        this.#leases.delete(this.#items.get(commit.token) ?? '');
        this.#items.delete(commit.token);
        return;
      }
      case 'abandon': {
        const lease = this.#leaseOf(commit.token);
        if (lease) lease.freeAt = 0;
        return;
      }
      case 'release': {
        const lease = this.#leaseOf(commit.token);
        if (lease) lease.freeAt = wasRetriedMeanwhile ? 0 : commit.readyAt;
        return;
      }
      default:
    }
  }

  #claimed(item: Claimed, now: number): void {
    const name = itemOf(item);
    this.#note(
      `  lease ${item.token} on ${name}${item.kind === 'orchestration' ? ` '${item.instanceId}'` : ''}`,
    );
    const before = this.#leases.get(name);
    // What an entity does under a lock is taken back when the lock's owner ends, its worker unasked; then only the
    // new token is accepted, which `#committed` watches.
    if (before && before.freeAt > now && item.kind !== 'entity') {
      this.#report(`two live leases on ${name}: ${before.token} and ${item.token}`);
    }
    if (before) this.#items.delete(before.token);
    this.#leases.set(name, {
      token: item.token,
      kind: item.kind,
      life: this.#life,
      freeAt: Infinity,
    });
    this.#items.set(item.token, name);
  }
}
