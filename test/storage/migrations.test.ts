import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { MIGRATIONS, migrate } from '../../src/storage/migrations/migrate.ts';
import { openSqlite } from '../../src/storage/sqlite-session.ts';
import type { SqlDatabase } from '../../src/storage/sql/session.ts';
import type { Table } from '../../src/storage/sql/statement.ts';
import * as tables from '../../src/storage/sql/tables.ts';
import { dumpSchema } from './dump-schema.ts';

const SQLITE_TYPES = { int: 'INTEGER', text: 'TEXT', blob: 'BLOB' };

describe('migrations', () => {
  let database: SqlDatabase;

  beforeEach(() => {
    database = openSqlite({ path: ':memory:' });
  });

  afterEach(() => database.close());

  const run = (now = 5): Promise<void> =>
    database.transaction((session) => migrate(session, { now, target: database.target }));

  const applied = () =>
    database.read((session) =>
      session.all('select id, name, applied_at from schema_migrations order by id', []),
    );

  it('are numbered from 1 without gaps, and written for both engines', () => {
    assert.deepEqual(
      MIGRATIONS.map(({ id }) => id),
      MIGRATIONS.map((_, index) => index + 1),
    );
    for (const { sqlite, postgres } of MIGRATIONS) {
      assert.ok(sqlite.length > 0 && postgres.length > 0);
    }
  });

  it('bring an empty database up to date and note when', async () => {
    await run(7);
    assert.deepEqual(
      (await applied()).map((row) => ({ ...row })),
      MIGRATIONS.map(({ id, name }) => ({ id, name, applied_at: 7 })),
    );
  });

  it('leave a current database as it is', async () => {
    await run(7);
    const before = await dumpSchema(database);
    await run(8);
    assert.equal(await dumpSchema(database), before);
    assert.ok((await applied()).every(({ applied_at: at }) => at === 7));
  });

  it('refuse a database that is newer than this code, untouched', async () => {
    await run();
    const newer = MIGRATIONS.length + 1;
    await database.transaction((session) =>
      session.run('insert into schema_migrations (id, name, applied_at) values ($1, $2, 1)', [
        newer,
        'from the future',
      ]),
    );
    await assert.rejects(run(), {
      code: 'UNAVAILABLE',
      message: `the database in memory has schema version ${newer}, newer than version ${MIGRATIONS.length} that this release knows, and is left as it is; run the release that wrote it, or a later one`,
    });
  });

  it('lead to the schema that was reviewed (node test/storage/print-schema.ts)', async () => {
    await run();
    const reviewed = readFileSync(
      new URL('../fixtures/schema.sqlite.sql', import.meta.url),
      'utf8',
    );
    assert.equal(await dumpSchema(database), reviewed);
  });

  it('make the columns that the statements are written for, in their order', async () => {
    await run();
    const known: readonly Table[] = Object.values(tables);
    assert.ok(known.length >= 9);
    for (const { name, columns } of known) {
      const rows = await database.read((session) =>
        session.all(`select name, type from pragma_table_info('${name}') order by cid`, []),
      );
      assert.deepEqual(
        rows.map((row) => [row['name'], row['type']]),
        Object.entries(columns).map(([column, type]) => [column, SQLITE_TYPES[type]]),
        `table ${name}`,
      );
    }
  });
});
