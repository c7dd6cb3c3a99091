/** A database whose statements a test sees, and may hold up, before they are sent. */
import type {
  SqlDatabase,
  SqlRow,
  SqlSession,
  SqlValue,
  TransactionOptions,
} from '../../src/storage/sql/session.ts';
import type { Statement } from '../../src/storage/sql/statement.ts';

/** Called with the PostgreSQL text of a statement (`commit` among them); the statement waits for it. */
export type Watch = (sql: string) => Promise<void> | void;

export class WatchedDatabase implements SqlDatabase {
  readonly dialect: SqlDatabase['dialect'];
  readonly target: string;
  readonly writersMax: number;
  readonly doorbell: SqlDatabase['doorbell'];
  readonly #database: SqlDatabase;
  watch: Watch = () => undefined;

  constructor(database: SqlDatabase) {
    this.#database = database;
    this.dialect = database.dialect;
    this.target = database.target;
    this.writersMax = database.writersMax;
    this.doorbell = database.doorbell;
  }

  transaction<T>(
    work: (session: SqlSession) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T> {
    return this.#database.transaction(async (session) => {
      const result = await work(new WatchedSession(session, (sql) => this.watch(sql)));
      // Sent is not done: whoever holds up the COMMIT wants the locks of what comes before it.
      await session.all('select 1', []);
      await this.watch('commit');
      return result;
    }, options);
  }

  read<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    return this.#database.read(work);
  }

  readHeavy<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    return this.#database.readHeavy(work);
  }

  pause(attempt: number): Promise<void> {
    return this.#database.pause(attempt);
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

class WatchedSession implements SqlSession {
  readonly dialect: SqlSession['dialect'];
  readonly #session: SqlSession;
  readonly #watch: Watch;

  constructor(session: SqlSession, watch: Watch) {
    this.#session = session;
    this.#watch = watch;
    this.dialect = session.dialect;
  }

  async all(sql: string, params: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    await this.#watch(sql);
    return this.#session.all(sql, params);
  }

  async run(sql: string, params: readonly SqlValue[]): Promise<void> {
    await this.#watch(sql);
    await this.#session.run(sql, params);
  }

  async runMany(statement: Statement, rows: readonly (readonly SqlValue[])[]): Promise<void> {
    if (rows.length > 0) await this.#watch(statement.postgres);
    await this.#session.runMany(statement, rows);
  }

  async allMany(
    statement: Statement,
    rows: readonly (readonly SqlValue[])[],
  ): Promise<readonly SqlRow[]> {
    if (rows.length > 0) await this.#watch(statement.postgres);
    return this.#session.allMany(statement, rows);
  }
}
