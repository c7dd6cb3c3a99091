import type { SqlDatabase } from '../../src/storage/sql/session.ts';

/** Every table and index of an SQLite database, one statement a line, in a fixed order. */
export async function dumpSchema(database: SqlDatabase): Promise<string> {
  const rows = await database.read((session) =>
    session.all('select sql from sqlite_schema where sql is not null order by type desc, name', []),
  );
  return rows.map(({ sql }) => `${String(sql)};\n`).join('');
}
