import type { Random } from '../../src/testing/random.ts';
import type { LoopbackProxy } from '../support/proxy.ts';
import type { Cluster } from './cluster.ts';
import type { Ground } from './ground.ts';
import type { Ledger } from './ledger.ts';
import type { Member } from './member.ts';
import { pause } from './pause.ts';

export interface ChaosOptions {
  readonly cluster: Cluster;
  readonly ground: Ground;
  readonly random: Random;
  readonly ledger: Ledger;
  /** The longest pause between two faults. */
  readonly everyMs: number;
  /** A killed node is known to be dead at once. */
  readonly isHasty: boolean;
}

/** One kind of trouble: resolves when it is over. */
type Trouble = () => Promise<void>;

/** How long a connection stays half-open before the network says so. */
const HALF_OPEN_MAX_MS = 15_000;
const HALF_OPEN_HASTY_MAX_MS = 2000;
/** How long somebody who ended stays away. */
const AWAY_MAX_MS = 1500;

/** Makes trouble, several kinds at once, until it is told to stop. */
export class Chaos {
  readonly #options: ChaosOptions;
  readonly #troubles: readonly (readonly [number, Trouble])[];
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  readonly #done: Promise<void>;
  #isServerUp = true;

  constructor(options: ChaosOptions) {
    this.#options = options;
    this.#troubles = this.#choices();
    this.#done = this.#run();
  }

  /** No more trouble; resolves when everything is healed. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
    await Promise.all(this.#underWay);
  }

  /** What can happen, with its weight. */
  #choices(): readonly (readonly [number, Trouble])[] {
    const { cluster, ground } = this.#options;
    const ofNode = (): Member => this.#pick(cluster.nodes).member;
    const ofWorker = (): Member => this.#pick(cluster.workers);
    const nodeLinks = cluster.nodes.flatMap(({ forClients, forWorkers }) => [
      forClients,
      forWorkers,
    ]);
    const { server, links } = ground;
    const ofDatabase: readonly (readonly [number, Trouble])[] = [
      [1.5, () => this.#halfOpen('database connections half-open', this.#pick(links))],
      [1, () => this.#cut('database connections cut', this.#pick(links))],
      [0.7, () => this.#restart()],
      [0.5, () => this.#silence()],
    ];
    return [
      [3, () => this.#replace('nodes killed', ofNode(), 'SIGKILL')],
      [3, () => this.#replace('workers killed', ofWorker(), 'SIGKILL')],
      [1, () => this.#replace('nodes drained', ofNode(), 'SIGTERM')],
      [1, () => this.#replace('workers drained', ofWorker(), 'SIGTERM')],
      [2, () => this.#halfOpen('connections half-open', this.#pick(nodeLinks))],
      [1, () => this.#cut('connections cut', this.#pick(nodeLinks))],
      ...(server ? ofDatabase : []),
    ];
  }

  #pick<T>(items: readonly T[]): T {
    return this.#options.random.pick(items);
  }

  async #run(): Promise<void> {
    const { random, everyMs, ledger } = this.#options;
    const { signal } = this.#stopping;
    for (;;) {
      await pause(random.int(1, everyMs), signal).catch(() => undefined);
      if (signal.aborted) return;
      const trouble = random.weighted(this.#troubles);
      const ended = trouble()
        .catch((error: unknown) => {
          ledger.violation(`not to be healed: ${String(error)}`);
        })
        .finally(() => this.#underWay.delete(ended));
      this.#underWay.add(ended);
    }
  }

  async #replace(fault: string, member: Member, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { random, ledger, isHasty } = this.#options;
    const awayMs = random.int(0, AWAY_MAX_MS);
    if (!member.isUp) return;
    ledger.fault(fault);
    await member.end(signal);
    await pause(awayMs);
    if (isHasty) await this.#silence();
    await member.start();
  }

  /** What is open now goes quiet, and is reset when the network notices at last. */
  async #halfOpen(fault: string, link: LoopbackProxy): Promise<void> {
    const { random, ledger, isHasty } = this.#options;
    const quietMs = random.int(500, isHasty ? HALF_OPEN_HASTY_MAX_MS : HALF_OPEN_MAX_MS);
    ledger.fault(fault);
    link.freeze();
    await pause(quietMs);
    link.cutFrozen();
  }

  #cut(fault: string, link: LoopbackProxy): Promise<void> {
    this.#options.ledger.fault(fault);
    link.cut();
    return Promise.resolve();
  }

  async #restart(): Promise<void> {
    const { ground, ledger } = this.#options;
    if (!this.#isServerUp) return;
    this.#isServerUp = false;
    ledger.fault('database restarts');
    await ground.server?.restart();
    this.#isServerUp = true;
  }

  async #silence(): Promise<void> {
    const { ground, ledger } = this.#options;
    if (!this.#isServerUp) return;
    ledger.fault('live nodes taken for dead');
    await ground.server?.silence();
  }
}
