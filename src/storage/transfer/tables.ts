/** Which rows are moved, in which order they are read, and what is different in another store. */
import type { SqlRow, SqlSession, SqlValue } from '../sql/session.ts';
import type { Table } from '../sql/statement.ts';
import * as tables from '../sql/tables.ts';
import { encodeRow, type Row } from './format.ts';

export interface MovedTable {
  readonly table: Table;
  /** Its columns but the hub, in the order of the file. */
  readonly columns: readonly string[];
  /** The rest of the key after the hub: the order of the rows. */
  readonly key: readonly string[];
  /** Holds a number of `types`, which is another one in the target. */
  readonly hasType: boolean;
}

const KEYS: readonly (readonly [Table, ...string[]])[] = [
  [tables.TYPES, 'type'],
  [tables.INSTANCES, 'rid'],
  [tables.RUNS, 'rid'],
  [tables.HISTORY, 'rid', 'chunk'],
  [tables.INBOX, 'rid', 'seq'],
  [tables.ACTIVITIES, 'aid'],
  [tables.TIMERS, 'tid'],
  [tables.ENTITIES, 'rid'],
  [tables.LOCKS, 'rid', 'seq'],
  [tables.REQUESTS, 'rid', 'id'],
  [tables.GARBAGE, 'rid'],
];

const TYPED: ReadonlySet<string> = new Set(['types', 'instances', 'runs', 'activities']);

/** Tables whose rows belong to a hub: all of them are moved. */
export const HUB_TABLES: readonly MovedTable[] = KEYS.map(([table, ...key]) => ({
  table,
  columns: Object.keys(table.columns).filter((column) => column !== 'hub'),
  key,
  hasType: TYPED.has(table.name),
}));

/** Rows of one look, and what they may hold in text and bytes: the memory that a move needs. */
const PAGE_ROWS_MAX = 500;
const PAGE_BYTES_MAX = 2 * 1024 * 1024;

/**
 * Rows of a hub in the order of their key, in pages of bounded size. Leases belong to no node: whoever holds them is
 * not in the other store.
 */
export async function* readPages(
  session: SqlSession,
  { table, columns, key }: MovedTable,
  hub: number,
): AsyncIterable<readonly Row[]> {
  const sized = columns.filter((column) => table.columns[column] !== 'int');
  const size = ['0', ...sized.map((column) => `coalesce(octet_length(${column}), 0)`)].join(' + ');
  const keys = key.join(', ');
  const places = (first: number): string => key.map((_, index) => `$${first + index}`).join(', ');
  const after = `from ${table.name} where hub = $1 and (${keys}) > (${places(2)})`;
  const sizes = `select ${keys}, ${size} as size ${after} order by ${keys} limit ${PAGE_ROWS_MAX}`;
  const page = `select ${columns.join(', ')} ${after} and (${keys}) <= (${places(2 + key.length)}) order by ${keys}`;
  let last: readonly SqlValue[] = key.map((column) => (table.columns[column] === 'int' ? -1 : ''));
  for (;;) {
    const found = await session.all(sizes, [hub, ...last]);
    const end = endOfPage(found);
    if (!end) return;
    const upTo = key.map((column) => end[column] ?? null);
    const rows = await session.all(page, [hub, ...last, ...upTo]);
    yield rows.map((row) =>
      columns.map((column) => (column === 'node' ? 0 : (row[column] ?? null))),
    );
    last = upTo;
  }
}

/** The last row that still fits; at least one. */
function endOfPage(sizes: readonly SqlRow[]): SqlRow | undefined {
  let bytes = 0;
  let end: SqlRow | undefined;
  for (const row of sizes) {
    bytes += Number(row['size']);
    if (end && bytes > PAGE_BYTES_MAX) break;
    end = row;
  }
  return end;
}

/** Small tables that belong to the scheduler. Assignments on hubs that stay behind stay there too. */
export const SCHEDULER_TABLES: readonly Table[] = [tables.ROLE_ASSIGNMENTS, tables.RETENTION];

export async function readSchedulerTable(
  session: SqlSession,
  table: Table,
  hubNames: ReadonlySet<string>,
): Promise<readonly Row[]> {
  const columns = Object.keys(table.columns);
  const rows = await session.all(`select ${columns.join(', ')} from ${table.name}`, []);
  return rows
    .filter(({ task_hub: hub = '' }) => hub === '' || hubNames.has(String(hub)))
    .map((row) => columns.map((column) => row[column] ?? null))
    .sort((a, b) => (encodeRow(a) < encodeRow(b) ? -1 : 1));
}
