/** Stores on one PostgreSQL schema, each a node of its own. */
import { systemClock } from '../../../src/base/clock.ts';
import { systemIds } from '../../../src/base/ids.ts';
import { DEFAULT_PAYLOAD_LIMITS } from '../../../src/core/limits.ts';
import { DEFAULT_POSTGRES_LIMITS } from '../../../src/core/postgres-limits.ts';
import { MIGRATIONS } from '../../../src/storage/migrations/migrate.ts';
import type { Migration } from '../../../src/storage/migrations/migration.ts';
import { openPostgres } from '../../../src/storage/postgres-session.ts';
import { SqlStore } from '../../../src/storage/sql-store.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { PostgresSchema } from '../../support/postgres.ts';
import { WatchedDatabase } from '../../support/watched-database.ts';
import { Bench, HUB, START_AT } from '../store/bench.ts';

/** One node: its store, and its statements to look at and to hold up. */
export interface Node {
  readonly bench: Bench;
  readonly database: WatchedDatabase;
}

export class Cluster implements AsyncDisposable {
  readonly schema: PostgresSchema;
  readonly #nodes: Node[] = [];

  private constructor(schema: PostgresSchema) {
    this.schema = schema;
  }

  /** An empty schema with the hub `default`, and as many nodes as asked for. */
  static async open(size = 2): Promise<Cluster & { readonly nodes: readonly Node[] }> {
    const cluster = new Cluster(await PostgresSchema.create());
    for (let node = 0; node < size; node += 1) await cluster.join();
    return cluster;
  }

  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  /** Another node; of a later release, if it comes with further migrations. */
  async join(
    url: string = this.schema.url,
    migrations: readonly Migration[] = MIGRATIONS,
  ): Promise<Node> {
    const database = new WatchedDatabase(
      await openPostgres({
        ...{ url, clock: systemClock, ids: systemIds, logger: silentLogger },
        limits: DEFAULT_POSTGRES_LIMITS,
      }),
    );
    const store = await SqlStore.open({
      database,
      ids: systemIds,
      logger: silentLogger,
      limits: DEFAULT_PAYLOAD_LIMITS,
      now: START_AT,
      migrations,
    }).catch(async (error: unknown) => {
      await database.close();
      throw error;
    });
    const bench = await Bench.open(
      () =>
        Promise.resolve({
          store,
          reopen: () => Promise.resolve(store),
          close: () => store.close(),
        }),
      [HUB],
    );
    const node = { bench, database };
    this.#nodes.push(node);
    return node;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { bench } of this.#nodes) await bench.close();
    await this.schema[Symbol.asyncDispose]();
  }
}

/** Holds up the first statement that matches; `reached` resolves when it is there, `open` lets it go on. */
export function hold(
  { database }: Node,
  matches: (sql: string) => boolean,
): { readonly reached: Promise<void>; readonly open: () => void } {
  const reached = Promise.withResolvers<undefined>();
  const opened = Promise.withResolvers<undefined>();
  database.watch = async (sql) => {
    if (!matches(sql)) return;
    database.watch = () => undefined;
    reached.resolve(undefined);
    await opened.promise;
  };
  return {
    reached: reached.promise,
    open: () => {
      opened.resolve(undefined);
    },
  };
}

export const isCommit = (sql: string): boolean => sql === 'commit';

/** The statement that every round with something to commit begins its writes with. */
export const isMark = (sql: string): boolean => sql.startsWith('update lanes set round');

/**
 * Matches the COMMIT of a round. Before a node's first round come transactions that set ids and types aside, which
 * are no part of what a test holds up.
 */
export function commitOfRound(): (sql: string) => boolean {
  let isMarked = false;
  return (sql) => {
    isMarked ||= isMark(sql);
    return isMarked && isCommit(sql);
  };
}

/** Resolves once somebody waits for a lock in the database. */
export async function untilSomebodyWaits(schema: PostgresSchema): Promise<void> {
  const client = await schema.connect();
  try {
    const deadline = performance.now() + 5000;
    for (;;) {
      if (performance.now() > deadline) throw new Error('nobody waits for a lock');
      const { rowCount } = await client.query('select 1 from pg_locks where not granted limit 1');
      if (rowCount === 1) return;
    }
  } finally {
    await client.end();
  }
}
