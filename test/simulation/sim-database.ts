import { CommitUnknown, ConnectionLost } from '../../src/storage/sql/faults.ts';
import type { SqlDatabase, SqlRow, SqlSession, SqlValue } from '../../src/storage/sql/session.ts';
import { openSqlite } from '../../src/storage/sqlite-session.ts';

/** What can happen to the next transaction of a process. */
export const DATABASE_FAULTS = [
  /** The connection is lost before anything has happened. */
  'lost',
  /** COMMIT has happened, its answer is lost. */
  'unknownCommitted',
  /** COMMIT has not happened, and nobody says so. */
  'unknownRolledBack',
  /** A statement in the middle fails. */
  'statement',
  /** The process dies before COMMIT. */
  'crashBefore',
  /** The process dies after COMMIT and before it knows. */
  'crashAfter',
] as const;
export type DatabaseFault = (typeof DATABASE_FAULTS)[number];

/** The disk: it outlives the processes that use it. */
export class SimDatabase {
  readonly #inner = openSqlite({ path: ':memory:' });
  /** What happens to the next transaction. */
  fault: DatabaseFault | undefined;
  /** Counts transactions: a sign of life, and of change. */
  transactions = 0;

  /** A connection of one process; `onCrash` is called when a fault kills that process. */
  connect(onCrash: () => void): SimSession {
    return new SimSession(this, this.#inner, onCrash);
  }

  /** For the checker: committed state, while nothing is under way. */
  query(sql: string, params: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    return this.#inner.read((session) => session.all(sql, params));
  }

  takeFault(): DatabaseFault | undefined {
    const { fault } = this;
    this.fault = undefined;
    this.transactions += 1;
    return fault;
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

class Died extends Error {}

function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}

/** One process's way to the disk; once the process is dead, nothing that it waits for comes. */
export class SimSession implements SqlDatabase {
  readonly dialect = 'sqlite';
  readonly #disk: SimDatabase;
  readonly #inner: SqlDatabase;
  readonly #onCrash: () => void;
  #isDead = false;

  constructor(disk: SimDatabase, inner: SqlDatabase, onCrash: () => void) {
    this.#disk = disk;
    this.#inner = inner;
    this.#onCrash = onCrash;
  }

  kill(): void {
    this.#isDead = true;
  }

  async transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    if (this.#isDead) return never();
    const fault = this.#disk.takeFault();
    if (fault === 'lost') throw new ConnectionLost('simulated');
    try {
      const result = await this.#inner.transaction(async (session) => {
        this.#assertAlive();
        const done = await work(withoutLocks(session, fault === 'statement' ? 3 : Infinity));
        this.#assertAlive();
        if (fault === 'crashBefore') this.#crash();
        if (fault === 'unknownRolledBack') throw new CommitUnknown('simulated');
        return done;
      });
      if (fault === 'crashAfter') this.#crash();
      if (fault === 'unknownCommitted') throw new CommitUnknown('simulated');
      return result;
    } catch (error) {
      if (error instanceof Died) return never();
      throw error;
    }
  }

  #crash(): never {
    this.#isDead = true;
    this.#onCrash();
    throw new Died();
  }

  #assertAlive(): void {
    if (this.#isDead) throw new Died();
  }

  async read<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    if (this.#isDead) return never();
    const result = await this.#inner.read(work);
    return this.#isDead ? never() : result;
  }

  readHeavy<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    return this.read(work);
  }

  pause(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#isDead = true;
    return Promise.resolve();
  }
}

/** SQLite has one writer and knows no row locks; statement number `failingAt` fails. */
function withoutLocks(session: SqlSession, failingAt: number): SqlSession {
  let count = 0;
  const step = (): void => {
    count += 1;
    if (count === failingAt) throw new Error('simulated: a statement failed');
  };
  return {
    dialect: session.dialect,
    all: async (sql, params) => {
      step();
      return session.all(sql.replace(/ for update$/, ''), params);
    },
    run: async (sql, params) => {
      step();
      return session.run(sql, params);
    },
    runMany: async (statement, rows) => {
      step();
      return session.runMany(statement, rows);
    },
    allMany: async (statement, rows) => {
      step();
      return session.allMany(statement, rows);
    },
  };
}
