/** Stores what is in an export file in another store, from wherever an earlier attempt has come to. */
import { invalidArgument, TaskHubError } from '../../core/errors.ts';
import { migrateDatabase, MIGRATIONS } from '../migrations/migrate.ts';
import type { SqlDatabase, SqlSession } from '../sql/session.ts';
import { insertInto } from '../sql/statement.ts';
import { checkFile, readTexts, type CheckedFile } from './file.ts';
import { decodeRow, type Batch, type Row } from './format.ts';
import { advance, begin, publish, type ImportState } from './import-state.ts';
import type { TransferProgress } from './progress.ts';
import { HUB_TABLES, SCHEDULER_TABLES, type MovedTable } from './tables.ts';
import { verifyImport } from './verify.ts';

export interface ImportOptions {
  readonly target: SqlDatabase;
  readonly file: string;
  readonly now: number;
  readonly onProgress: TransferProgress;
  readonly signal: AbortSignal;
}

export interface ImportResult {
  readonly taskHubs: readonly string[];
  readonly rows: number;
  /** Batches that an earlier attempt had stored. */
  readonly resumedAt: number;
}

/**
 * Checks the whole file before anything is stored, stores it a batch a transaction, reads all of it again and compares,
 * then makes its hubs visible at once. INVALID_ARGUMENT for a file that was changed or a hub that is not empty here;
 * UNAVAILABLE when the target is in use. Interrupted at any moment, the next call with the same file goes on.
 */
export async function importHubs(options: ImportOptions): Promise<ImportResult> {
  const { target, file, now, onProgress } = options;
  const checked = await check(options);
  const { header } = checked;
  await migrateDatabase(target, { now });
  if (header.schema > MIGRATIONS.length) {
    throw invalidArgument(
      `the file '${file}' was exported from schema version ${header.schema}, newer than version ${MIGRATIONS.length} that this release knows; import it with the release that wrote it, or a later one`,
    );
  }
  const state = await begin(target, header, now);
  await copy(options, checked, state);
  await verifyImport({ target, state, end: checked.end, rowsTotal: header.rowsTotal, onProgress });
  await publish(target, state.id);
  const taskHubs = state.hubs.map(({ name }) => name);
  return { taskHubs, rows: header.rowsTotal, resumedAt: state.batch };
}

async function check({ file, target, onProgress, signal }: ImportOptions): Promise<CheckedFile> {
  let rows = 0;
  return checkFile(file, (text) => {
    signal.throwIfAborted();
    rows += 1;
    if (target.dialect === 'postgres') refuseNul(text);
    onProgress({ phase: 'check', rows, rowsTotal: rows });
  });
}

/** PostgreSQL cannot store this character in a text; better said before anything is stored. */
function refuseNul(text: string): void {
  // A backslash that is itself escaped is no escape: only then is it worth a closer look.
  if (!text.includes('\\u0000')) return;
  const { table, rows } = JSON.parse(text) as Batch;
  const row = rows.find((values) =>
    values.some((value) => typeof value === 'string' && value.includes('\0')),
  );
  if (!row) return;
  throw invalidArgument(
    `row ${JSON.stringify(row[0])} of table ${table} holds the character U+0000 in a text, which PostgreSQL cannot store; purge that instance in the source and export again`,
  );
}

async function copy(
  { target, file, onProgress, signal }: ImportOptions,
  { header, end }: CheckedFile,
  state: ImportState,
): Promise<void> {
  const writers = new Map<string, Writer>();
  const { rowsTotal } = header;
  let number = 0;
  let rows = 0;
  for await (const text of readTexts(file)) {
    number += 1;
    const batch = number - 1;
    // The first line is the header; what follows the batches is the end.
    if (batch === 0 || batch > end.batches) continue;
    const { hub, table, rows: values } = JSON.parse(text) as Batch;
    rows += values.length;
    if (batch <= state.batch) continue;
    signal.throwIfAborted();
    const key = `${hub} ${table}`;
    const write = writers.get(key) ?? writerOf(state, hub, table);
    writers.set(key, write);
    await advance(target, { id: state.id, batch }, (session) =>
      write(session, values.map(decodeRow)),
    );
    onProgress({ phase: 'import', rows, rowsTotal });
  }
}

type Writer = (session: SqlSession, rows: readonly Row[]) => Promise<void>;

function writerOf(state: ImportState, hub: number, name: string): Writer {
  const moved = HUB_TABLES.find(({ table }) => table.name === name);
  const to = state.hubs.find(({ from }) => from === hub)?.to;
  if (moved && to !== undefined) return hubWriter(moved, to, state);
  const table = SCHEDULER_TABLES.find((each) => each.name === name);
  if (!table) {
    throw new TaskHubError(
      'INVALID_ARGUMENT',
      `the file holds table '${name}', which is not known`,
    );
  }
  const insert = insertInto(table, { orIgnore: true });
  return async (session, rows) => {
    // A policy that was set here stands; assignments that are there already are the same.
    const isPolicy = name === 'retention';
    if (isPolicy && (await session.all('select 1 from retention limit 1', [])).length > 0) return;
    await session.runMany(insert, rows);
  };
}

function hubWriter(
  { table, columns, hasType }: MovedTable,
  hub: number,
  state: ImportState,
): Writer {
  const insert = insertInto(table);
  const type = hasType ? columns.indexOf('type') : -1;
  const node = columns.indexOf('node');
  const places = Object.keys(table.columns).map((column) => columns.indexOf(column));
  const hubPlace = Object.keys(table.columns).indexOf('hub');
  return (session, rows) =>
    session.runMany(
      insert,
      rows.map((row) =>
        places.map((from, place) => {
          if (place === hubPlace) return hub;
          if (from === node) return state.node;
          const value = row[from] ?? null;
          return from === type ? Number(value) + state.typeBase : value;
        }),
      ),
    );
}
