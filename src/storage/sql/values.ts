/** Rows as the values that a statement takes. */
import type { SqlValue } from './session.ts';
import type { Table } from './statement.ts';

type Params = readonly (readonly SqlValue[])[];

/** The columns named, in their order. */
export function pick(row: object, columns: readonly string[]): SqlValue[] {
  const values = row as Readonly<Record<string, SqlValue>>;
  return columns.map((column) => values[column] ?? null);
}

/** All columns of the table, for `insertInto`. */
export function inserts(table: Table, rows: readonly object[]): Params {
  const columns = Object.keys(table.columns);
  return rows.map((row) => pick(row, columns));
}
