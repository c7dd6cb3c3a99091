import { systemClock } from '../../src/base/clock.ts';
import { TaskHubClient } from '../../src/client/index.ts';
import type { Random } from '../../src/testing/random.ts';
import type { Ledger } from './ledger.ts';
import { pause } from './pause.ts';
import { SCENARIOS } from './scenarios.ts';

export interface LoadOptions {
  readonly endpoints: readonly string[];
  /** Scenarios under way at once. */
  readonly width: number;
  readonly random: Random;
  readonly ledger: Ledger;
}

/** Calls that hang on a dead connection are given up and made again. */
const REQUEST_TIMEOUT_MS = 5000;

/** Clients that start one scenario after the other; every call goes to any of the nodes. */
export class Load {
  readonly #options: LoadOptions;
  readonly #clients: readonly TaskHubClient[];
  /** What is under way, by the id of its instance. */
  readonly #underWay = new Set<string>();
  readonly #lives: Promise<void>[] = [];
  #count = 0;
  readonly #closing = new AbortController();
  #isOver = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#clients = options.endpoints.map((endpoint) =>
      TaskHubClient.open({ endpoint, taskHub: 'default', requestTimeoutMs: REQUEST_TIMEOUT_MS }),
    );
    for (let n = 0; n < options.width; n += 1) this.#lives.push(this.#live(options.random.fork()));
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  async #live(random: Random): Promise<void> {
    const { ledger } = this.#options;
    while (!this.#isOver) {
      const [name, scenario] = random.weighted(
        SCENARIOS.map(([weight, ...rest]) => [weight, rest] as const),
      );
      this.#count += 1;
      const id = `${name}-${this.#count}`;
      this.#underWay.add(id);
      const clients = this.#clients;
      try {
        await scenario({
          ...{ id, random, clock: { sleep: (ms) => pause(ms, this.#closing.signal) } },
          get client() {
            return random.pick(clients);
          },
          onStarted: () => {
            ledger.started += 1;
          },
        });
        ledger.right += 1;
      } catch (error) {
        if (!this.#closing.signal.aborted) ledger.violation(`${id}: ${String(error)}`);
      }
      this.#underWay.delete(id);
    }
  }

  /** Starts nothing more; returns the ids of what has not ended after so long. */
  async drain(patienceMs: number): Promise<readonly string[]> {
    this.#isOver = true;
    const lateAt = systemClock.now() + patienceMs;
    while (this.#underWay.size > 0 && systemClock.now() < lateAt) await pause(100);
    return [...this.#underWay];
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#closing.abort();
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all(this.#lives);
  }
}
