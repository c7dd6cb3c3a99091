/** The PostgreSQL driver: `pg`, a few pinned writer connections, readers of their own, named statements. */
import { DatabaseError, Client, Pool, type PoolClient, type QueryResult } from 'pg';
import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import { TaskHubError } from '../core/errors.ts';
import type { PostgresLimits } from '../core/postgres-limits.ts';
import { logEvent } from '../telemetry/log-events.ts';
import { describeError, type Logger } from '../telemetry/logger.ts';
import { PostgresDoorbell } from './postgres/doorbell.ts';
import { cannotOpen, translateError } from './postgres/errors.ts';
import { arrayParameters } from './postgres/parameters.ts';
import {
  connectionConfig,
  readPostgresUrl,
  sessionSetup,
  type PostgresSettings,
} from './postgres/settings.ts';
import { CommitUnknown, ConnectionLost } from './sql/faults.ts';
import type {
  SqlDatabase,
  SqlRow,
  SqlSession,
  SqlValue,
  TransactionOptions,
} from './sql/session.ts';
import type { Statement } from './sql/statement.ts';

export interface PostgresOptions {
  /** `postgres://user:password@host:5432/database?schema=name`; see `readPostgresUrl`. */
  readonly url: string;
  readonly clock: Clock;
  readonly ids: Pick<IdSource, 'random'>;
  readonly logger: Logger;
  readonly limits: PostgresLimits;
}

/** Distinct statements are few and fixed; the bound only guards against a mistake: each is held on each connection. */
const STATEMENTS_MAX = 500;

/** Names for statement texts, the same on every connection. */
class StatementNames {
  readonly #names = new Map<string, string>();

  /** `undefined` when there are too many: such a statement is parsed each time. */
  of(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size >= STATEMENTS_MAX) return known;
    const name = `s${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }
}

/**
 * One transaction. Statements without a result are sent and not waited for: the connection answers in order, so a
 * round takes as many round trips as it has questions. The first failure is what the transaction fails with.
 */
class PostgresSession implements SqlSession {
  readonly dialect = 'postgres';
  readonly #client: PoolClient;
  readonly #names: StatementNames;
  #sent: Promise<void>[] = [];
  #failure: { readonly error: unknown } | undefined;

  constructor(client: PoolClient, names: StatementNames) {
    this.#client = client;
    this.#names = names;
  }

  async all(sql: string, params: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    const { rows } = await this.#ask(sql, params);
    return rows;
  }

  run(sql: string, params: readonly SqlValue[]): Promise<void> {
    this.#send(sql, params);
    return Promise.resolve();
  }

  runMany(statement: Statement, rows: readonly (readonly SqlValue[])[]): Promise<void> {
    const { postgres, types, rowsMax = rows.length } = statement;
    for (let from = 0; from < rows.length; from += rowsMax) {
      this.#send(postgres, arrayParameters(types, rows.slice(from, from + rowsMax)));
    }
    return Promise.resolve();
  }

  async allMany(
    statement: Statement,
    rows: readonly (readonly SqlValue[])[],
  ): Promise<readonly SqlRow[]> {
    if (rows.length === 0) return [];
    const found = await this.#ask(statement.postgres, arrayParameters(statement.types, rows));
    return found.rows;
  }

  /** All that was sent has been answered; throws the first failure. */
  async settle(): Promise<void> {
    await Promise.all(this.#sent);
    this.#sent = [];
    if (this.#failure) throw this.#failure.error;
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  #send(sql: string, params: readonly unknown[]): void {
    const answered = this.#query(sql, params).then(
      () => undefined,
      (error: unknown) => {
        this.#failure ??= { error: translateError(error) };
      },
    );
    this.#sent.push(answered);
  }

  async #ask(sql: string, params: readonly unknown[]): Promise<QueryResult<SqlRow>> {
    try {
      return await this.#query(sql, params);
    } catch (error) {
      // What was sent before may be the reason: that one is told.
      this.#failure ??= { error: translateError(error) };
      throw this.#failure.error;
    }
  }

  #query(text: string, params: readonly unknown[]): Promise<QueryResult<SqlRow>> {
    const name = this.#names.of(text);
    const values = [...params];
    return this.#client.query<SqlRow>(
      name === undefined ? { text, values } : { name, text, values },
    );
  }
}

/**
 * Connects, checks the server's version (13 or newer) and makes the schema where the URL names one.
 * UNAVAILABLE with one sentence when that cannot be done; no message holds the password.
 */
export async function openPostgres(options: PostgresOptions): Promise<SqlDatabase> {
  const settings = readPostgresUrl(options.url);
  const client = new Client(connectionConfig(settings, { role: 'opener', limits: options.limits }));
  // A connection that dies is noticed by the statement that needs it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await checkVersion(client);
    if (settings.schema !== undefined) await makeSchema(client, settings.schema);
  } catch (error) {
    throw error instanceof TaskHubError ? error : cannotOpen(settings.target, error);
  } finally {
    await client.end().catch(() => undefined);
  }
  return new PostgresDatabase(settings, options);
}

const VERSION_MIN = 130_000;

async function checkVersion(client: Client): Promise<void> {
  const { rows } = await client.query<{ version: string; number: string }>(
    `select current_setting('server_version') as version, current_setting('server_version_num') as number`,
  );
  const [row] = rows;
  if (Number(row?.number) >= VERSION_MIN) return;
  throw new TaskHubError(
    'UNAVAILABLE',
    `PostgreSQL ${row?.version ?? '(unknown version)'} is too old; version 13 or newer is needed`,
  );
}

/** Two nodes may start at once: the one that comes second finds it made. */
const SCHEMA_EXISTS: ReadonlySet<string | undefined> = new Set(['42P06', '23505']);

async function makeSchema(client: Client, schema: string): Promise<void> {
  const { rowCount } = await client.query('select 1 from pg_namespace where nspname = $1', [
    schema,
  ]);
  if (rowCount === 1) return;
  try {
    await client.query(`create schema if not exists "${schema}"`);
  } catch (error) {
    if (!(error instanceof DatabaseError) || !SCHEMA_EXISTS.has(error.code)) throw error;
  }
}

const BACKOFF = { firstMs: 50, maxMs: 2000, factor: 2 } as const;
/** Whoever was in the way needs a few ms to finish. */
const CONFLICT_BACKOFF = { firstMs: 5, maxMs: 500, factor: 2 } as const;
const READ_ONLY = 'begin isolation level repeatable read read only';

/** Reads that may wait for a connection; beyond it callers are told to come back. */
const READS_WAITING_MAX = 2000;

function tooManyReads(): TaskHubError {
  return new TaskHubError(
    'RESOURCE_EXHAUSTED',
    `${READS_WAITING_MAX} reads wait for PostgreSQL already; try again later, or raise readers of --postgres-limits`,
  );
}

class PostgresDatabase implements SqlDatabase {
  readonly dialect = 'postgres';
  readonly target: string;
  readonly writersMax: number;
  readonly doorbell: PostgresDoorbell;
  readonly #options: PostgresOptions;
  readonly #settings: PostgresSettings;
  readonly #writers: Pool;
  readonly #readers: Pool;
  readonly #names = new StatementNames();
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;

  constructor(settings: PostgresSettings, options: PostgresOptions) {
    this.#settings = settings;
    this.#options = options;
    const { target, schema } = settings;
    const { rounds, readers } = options.limits;
    this.target = `the database at ${target}${schema === undefined ? '' : `, schema '${schema}',`}`;
    this.writersMax = rounds;
    // One more for background work, which is not to wait for rounds.
    this.#writers = this.#pool('writer', this.writersMax + 1);
    this.#readers = this.#pool('reader', readers);
    this.doorbell = new PostgresDoorbell({ ...options, settings });
  }

  #pool(role: 'writer' | 'reader', max: number): Pool {
    const use = { role, limits: this.#options.limits };
    const pool = new Pool({
      ...connectionConfig(this.#settings, use),
      max,
      idleTimeoutMillis: 60_000,
      pipeline: true,
      // The pool waits for it; its types do not say so.
      // eslint-disable-next-line @typescript-eslint/no-misused-promises
      onConnect: async (client) => {
        // While it is lent out nobody else listens; the statement that needs it fails and tells.
        client.on('error', () => undefined);
        await client.query(sessionSetup(this.#settings, use));
      },
    });
    pool.on('error', (error) => {
      logEvent(this.#options.logger, 'databaseConnectionLost', {
        error: describeError(error),
      });
    });
    return pool;
  }

  async transaction<T>(
    work: (session: SqlSession) => Promise<T>,
    { isPatient = true }: TransactionOptions = {},
  ): Promise<T> {
    const client = await this.#take(this.#writers, isPatient);
    const session = new PostgresSession(client, this.#names);
    await session.run('begin', []);
    const result = await this.#attempt(client, session, work);
    await this.#commit(client, session);
    return result;
  }

  async read<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      if (this.#readers.waitingCount >= READS_WAITING_MAX) throw tooManyReads();
      const client = await this.#take(this.#readers, true);
      const session = new PostgresSession(client, this.#names);
      await session.run(READ_ONLY, []);
      try {
        const result = await this.#attempt(client, session, work);
        await this.#commit(client, session);
        return result;
      } catch (error) {
        if (!isDisconnect(error) || attempt === 2) throw error;
      }
    }
  }

  /** Another process does the work: no read is too heavy for this event loop. */
  readHeavy<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    return this.read(work);
  }

  async #attempt<T>(
    client: PoolClient,
    session: PostgresSession,
    work: (session: SqlSession) => Promise<T>,
  ): Promise<T> {
    try {
      return await work(session);
    } catch (error) {
      await session.run('rollback', []);
      await session.settle().catch(() => undefined);
      client.release(isDisconnect(error));
      throw error;
    }
  }

  /** Sent right behind the last write: if one of them fails, the server answers COMMIT by rolling back. */
  async #commit(client: PoolClient, session: PostgresSession): Promise<void> {
    try {
      await session.run('commit', []);
      await session.settle();
    } catch (error) {
      client.release(isDisconnect(error));
      if (!(error instanceof ConnectionLost)) throw error;
      throw new CommitUnknown('the connection to PostgreSQL was lost during COMMIT', {
        cause: error,
      });
    }
    client.release();
  }

  /** Waits for a server that is away, with growing pauses; UNAVAILABLE when that takes too long. */
  async #take(pool: Pool, isPatient: boolean): Promise<PoolClient> {
    const { clock, ids, limits } = this.#options;
    const until = clock.now() + (isPatient ? limits.patienceMs : 0);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await pool.connect();
      } catch (error) {
        const at = clock.now() + backoffMs(attempt, BACKOFF, ids.random);
        if (this.#closing.signal.aborted || at > until) {
          throw this.#away(error);
        }
        await clock.sleepUntil(at, { signal: this.#closing.signal });
      }
    }
  }

  #away(cause: unknown): TaskHubError {
    return new TaskHubError('UNAVAILABLE', 'the store cannot be reached; try again', {
      cause: cannotOpen(this.#settings.target, cause),
    });
  }

  async pause(attempt: number): Promise<void> {
    const { clock, ids } = this.#options;
    const at = clock.now() + backoffMs(attempt, CONFLICT_BACKOFF, ids.random);
    await clock.sleepUntil(at, { signal: this.#closing.signal });
  }

  close(): Promise<void> {
    this.#closing.abort(new TaskHubError('UNAVAILABLE', 'the store is closed'));
    this.#closed ??= Promise.all([
      this.doorbell.close(),
      this.#writers.end(),
      this.#readers.end(),
    ]).then(() => undefined);
    return this.#closed;
  }
}

function isDisconnect(error: unknown): boolean {
  return error instanceof ConnectionLost || error instanceof CommitUnknown;
}
