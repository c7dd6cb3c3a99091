/** Hot statements find their rows by an index, on an empty schema too: nobody wants a scan for every work item. */
import assert from 'node:assert/strict';
import { migrate } from '../../src/storage/migrations/migrate.ts';
import { readQueueTotals } from '../../src/storage/sql/inspect/queues.ts';
import { openSqlite } from '../../src/storage/sqlite-session.ts';
import { runRecording } from './recording-database.ts';

describe('query plans of rounds', () => {
  it('search by an index, never scan a table that grows', async () => {
    const statements = await runRecording();
    assert.ok(statements.size > 20, `${statements.size} statements seen`);
    const database = openSqlite({ path: ':memory:' });
    await database.transaction((session) => migrate(session, { now: 0, target: database.target }));
    const scans: string[] = [];
    for (const sql of statements) {
      const named = sql.replaceAll(/\$\d+/g, '0').replaceAll('?', '0');
      const plan = await database.read((session) => session.all(`explain query plan ${named}`, []));
      for (const { detail } of plan) {
        const isScan = /^SCAN (?!CONSTANT)/.test(String(detail));
        const isSmall = /\b(hubs|types|counters|schema_migrations|nodes|garbage)\b/.test(sql);
        if (isScan && !isSmall) scans.push(`${String(detail)}: ${sql}`);
      }
    }
    await database.close();
    assert.deepEqual(scans, []);
  });
});

describe('query plans of queue totals', () => {
  it('are ranges of the indexes of what waits: no row of a growing table is read', async () => {
    const database = openSqlite({ path: ':memory:' });
    await database.transaction((session) => migrate(session, { now: 0, target: database.target }));
    const statements: string[] = [];
    await database.read((session) =>
      readQueueTotals({ ...session, all: (sql) => (statements.push(sql), Promise.resolve([])) }, 0),
    );
    for (const sql of statements) {
      const rows = await database.read((session) =>
        session.all(`explain query plan ${sql.replaceAll('$1', '0')}`, []),
      );
      const plan = rows.map(({ detail }) => String(detail)).filter((step) => / q /.test(step));
      assert.equal(plan.length, 3, plan.join('; '));
      for (const step of plan) {
        assert.match(step, /^SEARCH q USING COVERING INDEX (?:runs|activities)_ready .*ready_at/);
      }
    }
    await database.close();
    assert.equal(statements.length, 2);
  });
});
