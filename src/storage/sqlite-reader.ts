/** A read-only SQLite connection on a thread of its own, so that a long read does not hold up dispatch. */
import { Worker } from 'node:worker_threads';
import type { SqlRow, SqlSession, SqlValue } from './sql/session.ts';
import type { Statement } from './sql/statement.ts';

/** What the thread is asked: one statement, for one or more rows of parameters. */
export interface ReadRequest {
  readonly id: number;
  readonly sql: string;
  /** A list for each run. */
  readonly params: readonly (readonly SqlValue[])[];
}

export type ReadReply =
  | { readonly id: number; readonly rows: readonly SqlRow[] }
  | { readonly id: number; readonly error: string; readonly errcode: number | undefined };

interface Waiting {
  readonly resolve: (rows: readonly SqlRow[]) => void;
  readonly reject: (error: Error) => void;
}

export class SqliteReader implements SqlSession {
  readonly dialect = 'sqlite';
  readonly #path: string;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #nextId = 1;
  #isClosed = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** One after the other, each in a read transaction: what it reads belongs to one moment. */
  read<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    const mine = this.#last.then(async () => {
      await this.all('begin', []);
      try {
        return await work(this);
      } finally {
        // Nothing was written: what went wrong in the work is worth more than how its transaction ended.
        await this.all('commit', []).catch(() => undefined);
      }
    });
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  all(sql: string, params: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    return this.#ask({ sql, params: [params] });
  }

  allMany(
    statement: Statement,
    rows: readonly (readonly SqlValue[])[],
  ): Promise<readonly SqlRow[]> {
    if (rows.length === 0) return Promise.resolve([]);
    return this.#ask({ sql: statement.sqlite, params: rows });
  }

  run(): Promise<void> {
    return Promise.reject(new TypeError('the reading thread does not write'));
  }

  runMany(): Promise<void> {
    return this.run();
  }

  #ask(request: Omit<ReadRequest, 'id'>): Promise<readonly SqlRow[]> {
    if (this.#isClosed) return Promise.reject(closedError());
    const worker = (this.#worker ??= this.#start());
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ ...request, id });
    });
  }

  /** Started with the first long read: most test and development runs never have one. */
  #start(): Worker {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const file = new URL(`./sqlite-reader-thread.${extension}`, import.meta.url);
    const worker = new Worker(file, { workerData: this.#path });
    worker.unref();
    worker.on('message', (reply: ReadReply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ('rows' in reply) waiting?.resolve(reply.rows);
      else waiting?.reject(Object.assign(new Error(reply.error), { errcode: reply.errcode }));
    });
    worker.on('error', (error) => {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    });
    return worker;
  }

  /** The thread died: its reads fail, the next one starts another. */
  #fail(error: Error): void {
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#isClosed = true;
    this.#fail(closedError());
    await worker?.terminate();
  }
}

function closedError(): Error {
  return new Error('the store is closed');
}
