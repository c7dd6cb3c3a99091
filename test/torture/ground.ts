/** What the schedulers of a run keep their state in. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NODE_DEAD_MS } from '../../src/storage/sql/upkeep.ts';
import { PostgresServer } from '../support/postgres-server.ts';
import { PostgresSchema } from '../support/postgres.ts';
import { LoopbackProxy } from '../support/proxy.ts';
import { PostgresLooks, SqliteLooks, type Looks } from './disk.ts';

export interface Ground {
  /** The storage setting of a node. */
  readonly storageOf: (node: number) => string;
  /** The way of each node to its database, if it is not in the node. */
  readonly links: readonly LoopbackProxy[];
  readonly looks: Looks;
  /** What can be done to a database server. */
  readonly server:
    { readonly restart: () => Promise<void>; readonly silence: () => Promise<void> } | undefined;
  readonly close: () => Promise<void>;
}

/** A server of its own, whose commits are forced to disk, and a proxy for each node. */
export async function onPostgres(nodes: number): Promise<Ground> {
  const server = await PostgresServer.start({ fsync: true });
  const schema = await PostgresSchema.create(server);
  const target = `http://127.0.0.1:${server.port}`;
  const links = await Promise.all(Array.from({ length: nodes }, () => LoopbackProxy.open(target)));
  return {
    storageOf: (node) => schema.urlBy(new URL(links[node]?.url ?? target).host),
    links,
    looks: new PostgresLooks(() => schema.connect()),
    server: { restart: () => server.restart(), silence: () => silence(schema) },
    close: async () => {
      await Promise.all(links.map((link) => link.close()));
      await server.stop();
    },
  };
}

/** As if every node had been silent for long enough to be taken for dead; those that live soon say so again. */
async function silence(schema: PostgresSchema): Promise<void> {
  const client = await schema.connect();
  await client.query(`update nodes set heartbeat_at = heartbeat_at - ${NODE_DEAD_MS}`);
  await client.end();
}

/** A file in a folder of its own. */
export async function onSqlite(): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), 'durabletask-torture-'));
  const path = join(folder, 'scheduler.db');
  return {
    storageOf: () => `sqlite:${path}`,
    links: [],
    looks: new SqliteLooks(path),
    server: undefined,
    close: () => rm(folder, { recursive: true }),
  };
}
