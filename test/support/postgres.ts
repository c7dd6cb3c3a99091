/**
 * A real PostgreSQL for tests: one server for the mocha run, started when the first test asks for it, and one schema
 * for each test. It runs as an ordinary user on a socket in a temporary folder and dies with this process.
 */
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { PostgresServer } from './postgres-server.ts';

let shared: Promise<PostgresServer> | undefined;

/** The server of this run. Its commits are not forced to disk: for that, start one of your own. */
export function sharedPostgres(): Promise<PostgresServer> {
  shared ??= PostgresServer.start({ fsync: false });
  return shared;
}

/** Stops the server of this run, if one was started. */
export async function stopSharedPostgres(): Promise<void> {
  const server = await shared?.catch(() => undefined);
  shared = undefined;
  await server?.stop();
}

/** A schema of its own on a server: `url` is a storage setting. */
export class PostgresSchema implements AsyncDisposable {
  readonly name: string;
  readonly url: string;
  readonly #server: PostgresServer;

  private constructor(server: PostgresServer, name: string) {
    this.#server = server;
    this.name = name;
    this.url = `${server.url}?schema=${name}`;
  }

  static async create(server?: PostgresServer): Promise<PostgresSchema> {
    return new PostgresSchema(
      server ?? (await sharedPostgres()),
      `t${randomBytes(6).toString('hex')}`,
    );
  }

  /** A connection of the test's own, with the schema in its search path. */
  async connect(): Promise<Client> {
    const client = new Client({ connectionString: this.#server.url });
    await client.connect();
    await client.query(`set search_path = "${this.name}"`);
    return client;
  }

  /** The same schema by another way to the server, such as a proxy: `127.0.0.1:1234`. */
  urlBy(address: string): string {
    const url = new URL(this.url);
    url.host = address;
    return url.toString();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const client = await this.connect();
    try {
      await client.query(`drop schema if exists "${this.name}" cascade`);
    } finally {
      await client.end();
    }
  }
}
