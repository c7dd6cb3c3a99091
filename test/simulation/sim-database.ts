import { TaskHubError } from '../../src/core/errors.ts';
import { CommitUnknown, ConnectionLost } from '../../src/storage/sql/faults.ts';
import type { SqlDatabase, SqlRow, SqlSession, SqlValue } from '../../src/storage/sql/session.ts';
import { openSqlite } from '../../src/storage/sqlite-session.ts';
import type { ProcessClock } from './sim-clock.ts';

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

/** Empty disks of lives that ended in good order: to prepare all statements again took a twentieth of a life's time. */
const spare: SqlDatabase[] = [];

/** The disk: it outlives the processes that use it. */
export class SimDatabase {
  readonly #inner = spare.pop() ?? openSqlite({ path: ':memory:' });
  /** What happens to the next transaction. */
  fault: DatabaseFault | undefined;
  /** What each transaction takes, in ms: the odd ones before they begin, the even ones until their answer. */
  delayMs = 0;
  /** Until this time nothing can be had. */
  awayUntil = 0;
  /** Counts transactions: a sign of life, and of change. */
  transactions = 0;

  /** A connection of one process; `onCrash` is called when a fault kills that process. */
  connect(clock: ProcessClock, onCrash: () => void): SimSession {
    return new SimSession({ disk: this, inner: this.#inner, clock, onCrash });
  }

  /** For the checker: committed state, while nothing is under way. */
  query(sql: string, params: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    return this.#inner.read((session) => session.all(sql, params));
  }

  /** By the one connection there is, which knows what it changed. */
  async changes(): Promise<number> {
    const [row] = await this.query('select total_changes() as changes');
    return Number(row?.['changes']);
  }

  takeFault(): DatabaseFault | undefined {
    const { fault } = this;
    this.fault = undefined;
    this.transactions += 1;
    return fault;
  }

  /** `isQuiet`: nobody will ever use it again, whatever is still under way in this process. */
  async close({ isQuiet }: { readonly isQuiet: boolean }): Promise<void> {
    if (!isQuiet) return this.#inner.close();
    await wipe(this.#inner);
    spare.push(this.#inner);
  }
}

/** As it was when its schema was made. */
async function wipe(database: SqlDatabase): Promise<void> {
  await database.transaction(async (session) => {
    const tables = await session.all(
      "select name from sqlite_schema where type = 'table' and name not in ('counters', 'schema_migrations')",
      [],
    );
    for (const { name } of tables) await session.run(`delete from ${String(name)}`, []);
    await session.run('update counters set next = 1', []);
  });
}

class Died extends Error {}

interface SessionOptions {
  readonly disk: SimDatabase;
  readonly inner: SqlDatabase;
  readonly clock: ProcessClock;
  readonly onCrash: () => void;
}

function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}

/** One process's way to the disk; once the process is dead, nothing that it waits for comes. */
export class SimSession implements SqlDatabase {
  readonly dialect = 'sqlite';
  readonly target = 'the simulated disk';
  readonly writersMax = 1;
  readonly doorbell = undefined;
  readonly #options: SessionOptions;
  #isDead = false;
  /** The tail of the queue of transactions: one writer. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  kill(): void {
    this.#isDead = true;
  }

  transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    const mine = this.#last.then(() => this.#transaction(work));
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  async #transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    if (this.#isDead) return never();
    const { disk, clock } = this.#options;
    const fault = disk.takeFault();
    const delayMs = disk.delayMs;
    const isLate = disk.transactions % 2 === 0;
    if (clock.now() < disk.awayUntil) throw new TaskHubError('UNAVAILABLE', 'simulated: away');
    if (fault === 'lost') throw new ConnectionLost('simulated');
    if (delayMs > 0 && !isLate) await clock.sleep(delayMs);
    const result = await this.#commit(work, fault);
    if (delayMs > 0 && isLate) await clock.sleep(delayMs);
    return result;
  }

  async #commit<T>(
    work: (session: SqlSession) => Promise<T>,
    fault: DatabaseFault | undefined,
  ): Promise<T> {
    try {
      const result = await this.#options.inner.transaction(async (session) => {
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
    this.#options.onCrash();
    throw new Died();
  }

  #isGone(): boolean {
    return this.#isDead;
  }

  #assertAlive(): void {
    if (this.#isDead) throw new Died();
  }

  async read<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    if (this.#isDead) return never();
    const result = await this.#options.inner.read(work);
    return this.#isGone() ? never() : result;
  }

  readHeavy<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    return this.read(work);
  }

  pause(): Promise<void> {
    return this.#options.clock.sleep(50);
  }

  close(): Promise<void> {
    this.#isDead = true;
    return Promise.resolve();
  }
}

/** Statements as SQLite takes them. */
const unlocked = new Map<string, string>();

function withoutLock(sql: string): string {
  let text = unlocked.get(sql);
  if (text === undefined) {
    text = sql.replace(/ for update$/, '');
    unlocked.set(sql, text);
  }
  return text;
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
      return session.all(withoutLock(sql), params);
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
