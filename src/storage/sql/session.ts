/** What the store needs of a database. Two implementations: sqlite-session.ts and postgres-session.ts. */
import type { Doorbell } from '../store.ts';
import type { Statement } from './statement.ts';

export type SqlValue = number | string | Uint8Array | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;

export interface SqlSession {
  readonly dialect: 'sqlite' | 'postgres';
  /** `$1, $2 …` placeholders. */
  all(sql: string, params: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  /** May return before it has happened; a failure is that of the next question, or of the transaction. */
  run(sql: string, params: readonly SqlValue[]): Promise<void>;
  /** The same statement for each row: an array statement on PostgreSQL, a cached one on SQLite. */
  runMany(statement: Statement, rows: readonly (readonly SqlValue[])[]): Promise<void>;
  /** Rows for each key, in one go; which key a row belongs to is in its columns. */
  allMany(statement: Statement, rows: readonly (readonly SqlValue[])[]): Promise<readonly SqlRow[]>;
}

export interface TransactionOptions {
  /** False: a database that is away is not waited for. Default true. */
  readonly isPatient?: boolean;
}

/** A database to read from. */
export interface SqlSource {
  /** For messages: `the database file '…'`, `the database at host:5432/name`; no user, no password. */
  readonly target: string;
  /** Reads of committed state, outside any transaction of a writer; all that one call reads is of one moment. */
  read<T>(work: (session: SqlSession) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface SqlDatabase extends SqlSource {
  readonly dialect: 'sqlite' | 'postgres';
  /** Transactions of writers that may be under way at once. */
  readonly writersMax: number;
  /** `undefined`: nobody else works on this database, or there is no way to tell them. */
  readonly doorbell: Doorbell | undefined;
  /**
   * Writers: one transaction at a time for each caller. Rolled back when `work` throws. Throws the faults of
   * `faults.ts`, after which the caller decides whether to run it again.
   */
  transaction<T>(
    work: (session: SqlSession) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T>;
  /** Reads that may take long (lists, payloads): they do not share the event loop with dispatch where there is a choice. */
  readHeavy<T>(work: (session: SqlSession) => Promise<T>): Promise<T>;
  /** Waits a little before a transaction is run for the `attempt + 1`st time. */
  pause(attempt: number): Promise<void>;
}
