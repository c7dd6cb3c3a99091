import assert from 'node:assert/strict';
import { systemClock } from '../../../src/base/clock.ts';
import type { EntityMetadata } from '../../../src/client/index.ts';
import { OrchestrationStatus, TaskHubClient, TaskHubError } from '../../../src/client/index.ts';
import type { Account, Move } from './bank-worker.ts';

const never = new AbortController().signal;
const PATIENCE_MS = 40_000;

export interface BankOptions {
  readonly accounts: number;
  /** Of each account at first. */
  readonly balance: number;
  /** In [0, 1); decides what is moved. */
  readonly random: () => number;
}

/** Accounts, orchestrations that move money between them, and what became of both. */
export class Bank {
  readonly #client: TaskHubClient;
  readonly #options: BankOptions;
  readonly #ids: string[] = [];
  #endedCount = 0;
  #moveCount = 0;
  #waits: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(endpoint: string, options: BankOptions) {
    this.#client = TaskHubClient.open({ endpoint, taskHub: 'default' });
    this.#options = options;
  }

  get endedCount(): number {
    return this.#endedCount;
  }

  /** Opens every account, and waits until all are open. */
  async open(): Promise<void> {
    const { accounts, balance } = this.#options;
    for (let n = 0; n < accounts; n += 1) {
      await this.#client.signalEntity(accountId(n), 'open', balance);
    }
    await this.#until(async () => (await this.#accounts()).length === accounts);
  }

  /** Starts orchestrations that make so many moves each. */
  async start(count: number, moves: number): Promise<void> {
    const plans = Array.from({ length: count }, () => this.#plan(moves));
    await Promise.all(
      plans.map(async (plan) => {
        this.#ids.push(await this.#client.scheduleNewOrchestration('Move', plan));
        this.#moveCount += plan.length;
      }),
    );
    this.#waits = Promise.all(this.#ids.map((id) => this.#untilEnded(id)));
    // A failure is seen by who waits for all of them.
    this.#waits.catch(() => undefined);
  }

  /** Resolves when so many have ended. */
  async someEnded(count: number): Promise<void> {
    await this.#until(() => Promise.resolve(this.#endedCount >= count));
  }

  async allEnded(): Promise<void> {
    await this.#waits;
  }

  /** Every orchestration has made its moves, each once; the money is all there; no lock is held. */
  async assertRight(): Promise<void> {
    for (const id of this.#ids) {
      const state = await this.#client.getOrchestrationState(id);
      assert.equal(state?.runtimeStatus, OrchestrationStatus.COMPLETED, id);
    }
    await this.#until(async () => (await this.#accounts()).every(({ lockedBy }) => !lockedBy));
    const accounts = await this.#accounts();
    const sum = (of: (account: Account) => number): number =>
      accounts.reduce((total, { state }) => total + of(state), 0);
    assert.equal(accounts.length, this.#options.accounts);
    assert.equal(
      sum(({ balance }) => balance),
      this.#options.accounts * this.#options.balance,
    );
    assert.equal(
      sum(({ writes }) => writes),
      2 * this.#moveCount,
    );
    assert.equal(
      accounts.reduce((total, { backlogQueueSize }) => total + backlogQueueSize, 0),
      0,
    );
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#client.close();
  }

  #plan(moves: number): Move[] {
    const { accounts, random } = this.#options;
    return Array.from({ length: moves }, () => {
      const from = Math.floor(random() * accounts);
      const to = (from + 1 + Math.floor(random() * (accounts - 1))) % accounts;
      const amount = 1 + Math.floor(random() * 50);
      return { from: accountId(from), to: accountId(to), amount };
    });
  }

  #accounts(): Promise<EntityMetadata<Account>[]> {
    const query = { instanceIdStartsWith: 'account@' };
    return Array.fromAsync(this.#client.getEntities<Account>(query));
  }

  /** Waits however often the scheduler goes away meanwhile. */
  async #untilEnded(id: string): Promise<void> {
    const lateAt = systemClock.now() + PATIENCE_MS;
    for (;;) {
      try {
        await this.#client.waitForOrchestrationCompletion(id);
        this.#endedCount += 1;
        return;
      } catch (error) {
        const isAway = error instanceof TaskHubError && error.code === 'UNAVAILABLE';
        if (!isAway || this.#isClosed || systemClock.now() > lateAt) throw error;
      }
    }
  }

  async #until(isDone: () => Promise<boolean>): Promise<void> {
    const lateAt = systemClock.now() + PATIENCE_MS;
    while (!(await isDone())) {
      assert.ok(systemClock.now() < lateAt, `only ${this.#endedCount} have ended`);
      await systemClock.sleepUntil(systemClock.now() + 5, { signal: never });
    }
  }
}

function accountId(n: number): string {
  return `@account@${n}`;
}
