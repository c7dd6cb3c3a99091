import { systemClock } from '../../src/base/clock.ts';
import { TaskHubClient } from '../../src/client/index.ts';
import type { Random } from '../../src/testing/random.ts';
import { Books } from './books.ts';
import type { Ledger } from './ledger.ts';
import { pause } from './pause.ts';
import { audit, openBank, SCENARIOS, type Scenario } from './scenarios.ts';

export interface LoadOptions {
  readonly endpoints: readonly string[];
  /** Scenarios under way at once. */
  readonly width: number;
  readonly random: Random;
  readonly ledger: Ledger;
}

/** Calls that hang on a dead connection are given up and made again. */
const REQUEST_TIMEOUT_MS = 5000;
const WEIGHTED = SCENARIOS.map(([weight, ...rest]) => [weight, rest] as const);

/** Clients that go from scenario to scenario; every call is made at any of the nodes. */
export class Load {
  readonly #options: LoadOptions;
  readonly #clients: readonly TaskHubClient[];
  readonly #books: Books;
  /** What is under way, by the id of its instance. */
  readonly #underWay = new Set<string>();
  readonly #closing = new AbortController();
  #lives: Promise<void>[] = [];
  #count = 0;
  #isOver = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#books = new Books(options.ledger);
    this.#clients = options.endpoints.map((endpoint) =>
      TaskHubClient.open({ endpoint, taskHub: 'default', requestTimeoutMs: REQUEST_TIMEOUT_MS }),
    );
  }

  async start(): Promise<void> {
    const { random, width } = this.#options;
    await this.#play('open', openBank, random);
    this.#lives = Array.from({ length: width }, () => this.#live(random.fork()));
  }

  async #live(random: Random): Promise<void> {
    while (!this.#isOver) {
      const [name, scenario] = random.weighted(WEIGHTED);
      await this.#play(name, scenario, random);
    }
  }

  async #play(name: string, scenario: Scenario, random: Random): Promise<void> {
    const { ledger } = this.#options;
    this.#count += 1;
    const id = `${name}-${this.#count}`;
    this.#underWay.add(id);
    const { signal } = this.#closing;
    const pickClient = (): TaskHubClient => random.pick(this.#clients);
    try {
      await scenario({
        ...{ id, random, books: this.#books, clock: { sleep: (ms) => pause(ms, signal) } },
        get client() {
          return pickClient();
        },
        onStarted: () => {
          ledger.started += 1;
        },
      });
      ledger.right += 1;
    } catch (error) {
      if (!signal.aborted) ledger.violation(`${id}: ${String(error)}`);
    }
    this.#underWay.delete(id);
  }

  /** Starts nothing more; what has not ended after so long is lost. The money and the books must be right. */
  async finish(patienceMs: number): Promise<void> {
    const { random, ledger } = this.#options;
    this.#isOver = true;
    const lateAt = systemClock.now() + patienceMs;
    while (this.#underWay.size > 0 && systemClock.now() < lateAt) await pause(100);
    for (const id of this.#underWay) ledger.lost(`${id} has not ended`);
    if (this.#underWay.size > 0) return;
    await this.#play('last-audit', audit, random);
    await this.#books.check(random.pick(this.#clients));
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#closing.abort();
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all(this.#lives);
  }
}
