/** What other nodes have left, and that this one lives: said and looked for once a second on a shared database. */
import type { Catalog } from './catalog.ts';
import type { Hints } from './hints.ts';
import { readQueues } from './queues.ts';
import { repeated } from './repeated.ts';
import type { SqlDatabase, SqlSession } from './session.ts';
import { NODE_DEAD_MS } from './upkeep.ts';

/** How often a node says that it lives and looks for what others have left, in ms. */
const POLL_MS = 1000;

export interface LookoutOptions {
  readonly database: SqlDatabase;
  readonly catalog: Catalog;
  readonly hints: Hints;
  readonly node: number;
}

export class Lookout {
  readonly #options: LookoutOptions;
  readonly #isShared: boolean;
  #polledAt = -Infinity;
  #polling: Promise<void> | undefined;
  #hasCompany = false;
  /** What the others are to know of this one. */
  announcement: () => string = () => '';

  constructor(options: LookoutOptions) {
    this.#options = options;
    this.#isShared = options.database.dialect === 'postgres';
  }

  /** Others are at work too, as of the last poll. */
  get hasCompany(): boolean {
    return this.#hasCompany;
  }

  /** Task hubs, names and what waits, as it is now. */
  async open(): Promise<void> {
    await this.#learn((session) => this.#options.catalog.loadTypes(session));
  }

  /** Task hubs and what waits, as it is now. */
  async catchUp(): Promise<void> {
    await this.#learn(() => Promise.resolve());
  }

  /** Does nothing unless a second has gone by since the last time. */
  poll(now: number): Promise<void> {
    if (!this.#isShared || now < this.#polledAt + POLL_MS) return Promise.resolve();
    this.#polling ??= this.#poll(now).finally(() => {
      this.#polling = undefined;
    });
    return this.#polling;
  }

  async #poll(now: number): Promise<void> {
    await this.#learn((session) => this.#signOfLife(session, now));
    this.#polledAt = now;
  }

  async #signOfLife(session: SqlSession, now: number): Promise<void> {
    const { node } = this.#options;
    await session.run('update nodes set heartbeat_at = $1, announcement = $2 where node = $3', [
      ...[now, this.announcement()],
      node,
    ]);
    const others = await session.all(
      'select 1 from nodes where heartbeat_at >= $1 and node <> $2 limit 1',
      [now - NODE_DEAD_MS, node],
    );
    this.#hasCompany = others.length > 0;
  }

  /** One round trip; what it taught counts once the transaction is through. */
  async #learn(alongside: (session: SqlSession) => Promise<void>): Promise<void> {
    const { database, catalog, hints } = this.#options;
    const teach = await repeated(database, () =>
      database.transaction(async (session) => {
        const [, , learnt] = await Promise.all([
          alongside(session),
          catalog.loadHubs(session),
          readQueues(session),
        ]);
        return learnt;
      }),
    );
    teach(hints);
  }
}

/** PostgreSQL's clock, in epoch ms. */
export async function readTime(session: SqlSession): Promise<number> {
  const rows = await session.all(
    'select (extract(epoch from clock_timestamp()) * 1000)::bigint as at',
    [],
  );
  return Number(rows[0]?.['at']);
}
