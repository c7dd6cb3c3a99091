/** What is on disk, as the checker of the simulation wants to see it: by looks, each at one moment. */
import { DatabaseSync } from 'node:sqlite';
import { types, type Client } from 'pg';
import type { SqlRow, SqlValue } from '../../src/storage/sql/session.ts';
import type { Disk } from '../simulation/checker.ts';

/** Others write meanwhile: each look may find changes. */
export interface Looks extends Disk {
  /** Runs `work` on one snapshot; false when the database went away meanwhile. */
  look(work: () => Promise<void>): Promise<boolean>;
}

/** By a connection of its own for each look, which the nodes know nothing of. */
export class PostgresLooks implements Looks {
  readonly #connect: () => Promise<Client>;
  #client: Client | undefined;
  transactions = 0;

  constructor(connect: () => Promise<Client>) {
    this.#connect = connect;
  }

  async look(work: () => Promise<void>): Promise<boolean> {
    this.transactions += 1;
    let client: Client | undefined;
    try {
      client = await this.#connect();
      client.on('error', () => undefined);
      client.setTypeParser(types.builtins.INT8, Number);
      this.#client = client;
      await client.query('begin isolation level repeatable read read only');
      await work();
      return true;
    } catch (error) {
      if (isAway(error)) return false;
      throw error;
    } finally {
      await client?.end().catch(() => undefined);
    }
  }

  changes(): Promise<number> {
    return Promise.resolve(this.transactions);
  }

  async query(sql: string, params: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    if (!this.#client) throw new Error('a question outside of a look');
    const { rows } = await this.#client.query<SqlRow>(sql, [...params]);
    return rows;
  }
}

const SHUTDOWN = /^(57P0\d|08\w{3})$/;
const LOST =
  /ECONNREFUSED|ECONNRESET|EPIPE|Connection terminated|Client has encountered|not queryable/;

function isAway(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return SHUTDOWN.test(code) || LOST.test(`${code} ${message}`);
}

/** As a reader beside the owner, in another process. */
export class SqliteLooks implements Looks {
  readonly #path: string;
  #database: DatabaseSync | undefined;
  transactions = 0;

  constructor(path: string) {
    this.#path = path;
  }

  async look(work: () => Promise<void>): Promise<boolean> {
    this.transactions += 1;
    const database = new DatabaseSync(this.#path);
    this.#database = database;
    try {
      database.exec('begin');
      await work();
      return true;
    } finally {
      database.close();
    }
  }

  changes(): Promise<number> {
    return Promise.resolve(this.transactions);
  }

  query(sql: string, params: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    if (!this.#database) throw new Error('a question outside of a look');
    const values = Object.fromEntries(params.map((value, index) => [String(index + 1), value]));
    return Promise.resolve(this.#database.prepare(sql).all(values) as SqlRow[]);
  }
}
