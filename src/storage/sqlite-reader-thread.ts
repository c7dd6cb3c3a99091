/** Runs in the reading thread: answers one request after the other. */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { ReadReply, ReadRequest } from './sqlite-reader.ts';
import type { SqlRow } from './sql/session.ts';
import { numbered } from './sqlite/numbered.ts';

const database = new DatabaseSync(String(workerData), { readOnly: true });
database.exec('pragma busy_timeout = 1000');
const prepared = new Map<string, StatementSync>();

function prepare(sql: string): StatementSync {
  const known = prepared.get(sql);
  if (known) return known;
  // Filters make texts of their own; the bound keeps a flood of them from growing for ever.
  if (prepared.size >= 200) prepared.clear();
  const statement = database.prepare(numbered(sql));
  prepared.set(sql, statement);
  return statement;
}

function answer({ id, sql, params }: ReadRequest): ReadReply {
  try {
    const statement = prepare(sql);
    const rows = params.flatMap((values) => statement.all(...values));
    // Rows come without a prototype, which a message cannot carry.
    return { id, rows: rows.map((row) => ({ ...row }) as SqlRow) };
  } catch (error) {
    const { message = String(error), errcode } = error as Partial<Error & { errcode: number }>;
    return { id, error: message, errcode };
  }
}

parentPort?.on('message', (request: ReadRequest) => {
  parentPort?.postMessage(answer(request));
});
