/** Lists for people read a bounded number of rows, whatever the filter and however many instances there are. */
import assert from 'node:assert/strict';
import { OrchestrationStatus } from '../../src/proto/orchestrator_service_pb.ts';
import type { RowFilter, RowQuery } from '../../src/storage/inspection.ts';
import { migrate } from '../../src/storage/migrations/migrate.ts';
import { countRows, listRows } from '../../src/storage/sql/inspect/rows.ts';
import type { SqlDatabase, SqlSession } from '../../src/storage/sql/session.ts';
import { KIND } from '../../src/storage/sql/rows.ts';
import { openSqlite } from '../../src/storage/sqlite-session.ts';

const HUB = 1;
/** More than the bound below: what has so many rows is walked, not sorted. */
const INSTANCES = 60;
const BOUNDS = { sorted: 5, tried: 10 };

const ALL: RowFilter = {
  ...{ statuses: [], ids: [], names: [], versions: [], tags: [], errorTypes: [] },
  ...{ parentId: undefined, errorText: undefined, children: 'show' },
  ...{ created: { from: undefined, to: undefined }, completed: { from: undefined, to: undefined } },
};
const { FAILED, RUNNING } = OrchestrationStatus;
const FILTERS: Readonly<Record<string, Partial<RowFilter>>> = {
  everything: {},
  'roots only': { children: 'fold' },
  'one status': { statuses: [FAILED] },
  'two statuses': { statuses: [FAILED, RUNNING] },
  'a name': { names: [{ text: 'A', isPrefix: false }] },
  'names by prefix': { names: [{ text: '', isPrefix: true }] },
  'an id': { ids: [{ text: 'i-7', isPrefix: false }] },
  'ids by prefix': { ids: [{ text: 'i-', isPrefix: true }] },
  'a parent': { parentId: 'i-0' },
  'a tag': { tags: [{ key: 'team', value: 'x' }] },
  'a time of creation': { created: { from: 10, to: 20 } },
  'a time of end': { completed: { from: 10, to: 20 } },
  'an error': { errorTypes: ['RangeError'], errorText: 'lines' },
  'a bit of everything': {
    ...{ statuses: [FAILED], names: [{ text: 'B', isPrefix: false }], created: { from: 1, to: 9 } },
    tags: [{ key: 'team', value: undefined }],
  },
};

interface Statement {
  readonly sql: string;
  readonly plan: readonly string[];
}

async function fill(session: SqlSession): Promise<void> {
  await session.run('insert into hubs (hub, name) values ($1, $2)', [HUB, 'default']);
  for (const [type, name] of ['A', 'B'].entries()) {
    await session.run(
      "insert into types (type, hub, kind, name, version) values ($1, 1, $2, $3, '')",
      [type, KIND.orchestration, name],
    );
  }
  for (let rid = 0; rid < INSTANCES; rid += 1) {
    await session.run(
      `insert into instances (hub, rid, id, kind, type, execution_id, exec, status, created_at, updated_at,
       completed_at, parent_rid, parent_exec, parent_id, first_chunk, last_chunk)
       values (1, $1, $2, ${KIND.orchestration}, $3, '', 1, $4, $1, $1, $5, $6, $7, $8, 0, 0)`,
      [rid, `i-${rid}`, rid % 2, [FAILED, RUNNING][rid % 2] ?? 0, rid % 2 ? null : rid].concat(
        rid === 0 ? [null, null, null] : [0, 1, 'i-0'],
      ),
    );
  }
}

/** What `work` asked, and how SQLite answers each of it. */
async function explained(
  database: SqlDatabase,
  work: (session: SqlSession) => Promise<unknown>,
): Promise<readonly Statement[]> {
  const statements: Statement[] = [];
  await database.read((session) =>
    work({
      ...session,
      dialect: session.dialect,
      all: async (sql, params) => {
        const plan = await session.all(`explain query plan ${sql}`, params);
        statements.push({ sql, plan: plan.map(({ detail }) => String(detail)) });
        return session.all(sql, params);
      },
    }),
  );
  return statements;
}

describe('query plans of lists', () => {
  let database: SqlDatabase;
  before(async () => {
    const sqlite = openSqlite({ path: ':memory:' });
    database = sqlite;
    await sqlite.transaction((session) => migrate(session, { now: 0, target: sqlite.target }));
    await sqlite.transaction(fill);
  });
  after(() => database.close());

  /** Instances are found by an index; only what is known to be little is sorted. */
  function assertBounded(statements: readonly Statement[]): void {
    for (const { sql, plan } of statements) {
      if (!/from instances i/.test(sql)) continue;
      const text = `${plan.join('; ')}\n${sql}`;
      assert.ok(!plan.some((step) => /^SCAN i\b/.test(step)), text);
      assert.ok(
        plan.some((step) => /^SEARCH i USING (?:COVERING )?INDEX/.test(step)),
        text,
      );
      assert.match(sql, / limit \d+/, 'a statement without a bound');
    }
    const sorted = statements.filter(({ plan }) => plan.some((step) => /TEMP B-TREE/.test(step)));
    const counts = statements.filter(({ sql }) =>
      /select 1 from instances i .* limit \d+\) found$/s.test(sql),
    );
    assert.ok(sorted.length === 0 || counts.length > 0, 'sorted without having counted first');
  }

  for (const [title, part] of Object.entries(FILTERS)) {
    it(`walk an index for ${title}, in every order`, async () => {
      for (const sort of ['created', 'completed', 'id'] as const) {
        for (const isDescending of [true, false]) {
          const query: RowQuery = {
            ...{ hub: 'default', filter: { ...ALL, ...part }, sort, isDescending, bounds: BOUNDS },
            ...{ after: { at: sort === 'id' ? 'i-3' : 30, rid: 30 }, isBackwards: false, limit: 3 },
          };
          const statements = await explained(database, (session) => listRows(session, HUB, query));
          assert.ok(statements.some(({ sql }) => /from instances i/.test(sql)));
          assertBounded(statements);
        }
      }
    });

    it(`count no more than they were told for ${title}`, async () => {
      const filter = { ...ALL, ...part };
      assertBounded(
        await explained(database, (session) => countRows(session, { hub: HUB, filter, max: 10 })),
      );
    });
  }
});
