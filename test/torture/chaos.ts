import type { Random } from '../../src/testing/random.ts';
import type { Cluster } from './cluster.ts';
import type { Ledger } from './ledger.ts';
import type { Member } from './member.ts';
import { pause } from './pause.ts';

export interface ChaosOptions {
  readonly cluster: Cluster;
  readonly random: Random;
  readonly ledger: Ledger;
  /** The longest pause between two faults. */
  readonly everyMs: number;
  readonly onNodeKilled: () => Promise<void>;
}

/** One kind of trouble: resolves when it is over. */
type Trouble = () => Promise<void>;

/** Makes trouble, several kinds at once, until it is told to stop. */
export class Chaos {
  readonly #options: ChaosOptions;
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  readonly #done: Promise<void>;

  constructor(options: ChaosOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  /** No more trouble; resolves when everything is healed. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
    await Promise.all(this.#underWay);
  }

  async #run(): Promise<void> {
    const { random, everyMs } = this.#options;
    const { signal } = this.#stopping;
    for (;;) {
      await pause(random.int(1, everyMs), signal).catch(() => undefined);
      if (signal.aborted) return;
      const trouble = random.weighted<Trouble>([
        [3, () => this.#replace('SIGKILL', 'node')],
        [3, () => this.#replace('SIGKILL', 'worker')],
      ]);
      const ended = trouble().finally(() => this.#underWay.delete(ended));
      this.#underWay.add(ended);
    }
  }

  async #replace(signal: 'SIGKILL' | 'SIGTERM', kind: 'node' | 'worker'): Promise<void> {
    const { cluster, random, ledger, onNodeKilled } = this.#options;
    const member: Member =
      kind === 'node' ? random.pick(cluster.nodes).member : random.pick(cluster.workers);
    const awayMs = random.int(0, 1500);
    if (!member.isUp) return;
    ledger.fault(`${kind}s ${signal === 'SIGKILL' ? 'killed' : 'drained'}`);
    await member.end(signal);
    if (kind === 'node') await onNodeKilled();
    await pause(awayMs);
    await member.start();
  }
}
