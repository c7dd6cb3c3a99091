import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { systemClock } from '../../src/base/clock.ts';
import { systemIds } from '../../src/base/ids.ts';
import { openStore } from '../../src/storage/open-store.ts';
import { DEFAULT_POSTGRES_LIMITS } from '../../src/core/postgres-limits.ts';
import { readPostgresUrl, sessionSetup } from '../../src/storage/postgres/settings.ts';
import { readQueueTotals } from '../../src/storage/sql/inspect/queues.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  callEntity,
  complete,
  createTimer,
  lockEntities,
  scheduleTask,
} from '../support/actions.ts';
import { PostgresSchema, sharedPostgres, stopSharedPostgres } from '../support/postgres.ts';
import { batchDone, signal, takeBatch } from './store/entity-bench.ts';
import { activityDone, raise, terminate, turn } from './store/bench.ts';
import { Cluster, isCommit, type Node } from './two-stores/pair.ts';
import { dumpPostgres } from './two-stores/dump.ts';

const open = (storage: string): Promise<unknown> =>
  openStore({ storage, logger: silentLogger, clock: systemClock, ids: systemIds });

/** Every kind of statement that rounds are made of, seen once. */
async function playAll({ bench, database }: Node): Promise<readonly string[]> {
  const seen = new Set<string>();
  database.watch = (sql) => {
    if (!isCommit(sql)) seen.add(sql);
  };
  for (const id of ['x', 'y']) {
    const item = await bench.begin(id);
    await bench.apply(turn(item, [scheduleTask(1), createTimer(2, bench.now + 5)]));
    const activity = await bench.takeActivity();
    await bench.apply(raise(id, 'news'));
    await bench.apply(activityDone(activity, '1'));
    bench.advance(2000);
    await bench.take();
    await bench.apply(bench.start(`${id}-2`));
    await bench.apply(terminate(`${id}-2`));
    await bench.apply(turn(await bench.begin(`${id}-3`), [complete()]));
  }
  await bench.apply(turn(await bench.begin('z'), [lockEntities(1, 's', ['@a@1', '@b@1'])]));
  await bench.apply(signal('@a@1', '1'));
  await bench.apply(signal('@b@1', '1', { scheduledTime: timestampFromMs(bench.now + 5) }));
  bench.advance(2000);
  await bench.apply(turn(await bench.takeTurn(), [callEntity(2, '@a@1', 'get')]));
  await bench.apply(batchDone(await takeBatch(bench), 'x'));
  await bench.apply(turn(await bench.takeTurn(), [complete()]));
  for (const item of await bench.take({ entities: 10 })) {
    if (item.kind === 'entity') await bench.apply(batchDone(item, undefined));
  }
  await bench.store.forgetRequests({ before: bench.now + 1, limit: 10 });
  await bench.store.sweep({ limit: 10 });
  database.watch = () => undefined;
  return [...seen];
}

/** One in a hundred waits. */
const MANY_ACTIVITIES = `
  insert into activities (hub, aid, rid, exec, type, task, node, attempts, abandons, ready_at, detached, bytes)
  select 1, i, i, 0, i % 20, 1, 0, 0, 0, case when i % 100 = 0 then i end, 0, ''
    from generate_series(1, 20000) i`;

/** Tables with a handful of rows, whatever the load. */
const SMALL = /\bon (hubs|dropped_hubs|nodes|lanes|counters|types|garbage)\b/;

/** Nodes of a plan that read a table without going by a key. */
function scans(plan: readonly string[]): readonly string[] {
  return plan.filter((line, at) => {
    if (SMALL.test(line)) return false;
    if (line.includes('Seq Scan')) return true;
    const isIndexScan = /Index (Only )?Scan using/.test(line);
    // The first leap of the walk through the queues has no condition: it is the first row of an index.
    return (
      isIndexScan && !/Index Cond/.test(plan[at + 1] ?? '') && !/Limit/.test(plan[at - 1] ?? '')
    );
  });
}

describe('the schema on PostgreSQL', () => {
  before(async function () {
    this.timeout(60_000);
    await sharedPostgres();
  });
  after(stopSharedPostgres);

  it('equals the dump under review', async () => {
    const cluster = await Cluster.open(1);
    try {
      const dump = await dumpPostgres(cluster.schema);
      const file = new URL('../fixtures/schema.postgres.sql', import.meta.url);
      assert.equal(dump, await readFile(file, 'utf8'));
    } finally {
      await cluster[Symbol.asyncDispose]();
    }
  });

  for (const isAnalysed of [false, true]) {
    it(`has an index for every hot statement, ${isAnalysed ? 'with statistics of almost empty tables' : 'without statistics'}`, async () => {
      const cluster = await Cluster.open(1);
      const client = await cluster.schema.connect();
      try {
        const [node] = cluster.nodes;
        assert.ok(node);
        const statements = await playAll(node);
        assert.ok(statements.length > 30, `${statements.length} statements seen`);
        const settings = readPostgresUrl(cluster.schema.url);
        const use = { role: 'writer', limits: DEFAULT_POSTGRES_LIMITS } as const;
        await client.query(sessionSetup(settings, use));
        if (isAnalysed) await client.query('analyze');
        const found: string[] = [];
        for (const [index, text] of statements.entries()) {
          const parameters = new Set([...text.matchAll(/\$\d+/g)].map(([name]) => name)).size;
          const values = Array.from({ length: parameters }, () => 'null').join(',');
          await client.query(`prepare p${index} as ${text}`);
          const { rows } = await client.query<Record<'QUERY PLAN', string>>(
            `explain execute p${index}${parameters === 0 ? '' : `(${values})`}`,
          );
          const plan = rows.map((row) => row['QUERY PLAN']);
          for (const line of scans(plan)) found.push(`${line.trim()}: ${text}`);
        }
        assert.deepEqual(found, []);
      } finally {
        await client.end();
        await cluster[Symbol.asyncDispose]();
      }
    });
  }

  for (const isAnalysed of [false, true]) {
    it(`has an index that alone answers how much waits, ${isAnalysed ? 'among many rows that do not' : 'without statistics'}`, async () => {
      const cluster = await Cluster.open(1);
      const client = await cluster.schema.connect();
      try {
        const use = { role: 'writer', limits: DEFAULT_POSTGRES_LIMITS } as const;
        await client.query(sessionSetup(readPostgresUrl(cluster.schema.url), use));
        if (isAnalysed) {
          await client.query(MANY_ACTIVITIES);
          await client.query('vacuum analyze activities');
        }
        const statements: string[] = [];
        const all = (sql: string) => (statements.push(sql), Promise.resolve([]));
        await readQueueTotals({ all }, 0);
        assert.equal(statements.length, 2);
        for (const text of statements) {
          const { rows } = await client.query<Record<'QUERY PLAN', string>>(
            `explain ${text.replaceAll('$1', '0')}`,
          );
          const plan = rows.map((row) => row['QUERY PLAN']);
          assert.deepEqual(scans(plan), []);
          const reads = plan.filter((line) => / q(_\d+)? /.test(line));
          assert.equal(reads.length, 3, plan.join('\n'));
          for (const line of reads) {
            assert.match(line, /Index Only Scan using (runs|activities)_ready/, plan.join('\n'));
          }
        }
      } finally {
        await client.end();
        await cluster[Symbol.asyncDispose]();
      }
    });
  }

  it('is made once by stores that open at the same time', async () => {
    const schema = await PostgresSchema.create();
    try {
      const stores = await Promise.all(
        Array.from({ length: 4 }, () =>
          openStore({
            storage: schema.url,
            logger: silentLogger,
            clock: systemClock,
            ids: systemIds,
          }),
        ),
      );
      for (const store of stores) await store.close();
    } finally {
      await schema[Symbol.asyncDispose]();
    }
  });
});

describe('opening a PostgreSQL store', () => {
  const secret = 'hunter2secret';

  async function failure(storage: string): Promise<{ code: string; message: string }> {
    const error = await open(storage).then(
      () => assert.fail('it opened'),
      (reason: unknown) => reason as Error & { code: string },
    );
    assert.ok(!error.message.includes(secret), 'the password is not in the message');
    return { code: error.code, message: error.message };
  }

  it('refuses a setting that is no URL, without quoting it', async () => {
    const { code, message } = await failure(`postgres://user:${secret}@host:port/database`);
    assert.equal(code, 'INVALID_ARGUMENT');
    assert.match(message, /postgres:\/\/user:password@host:5432\/database/);
  });

  it('refuses a schema name that is none', async () => {
    const { code, message } = await failure(`postgres://u:${secret}@localhost/db?schema=a;b`);
    assert.equal(code, 'INVALID_ARGUMENT');
    assert.match(message, /schema 'a;b'/);
  });

  it('says where nothing listens', async () => {
    const { code, message } = await failure(`postgres://u:${secret}@127.0.0.1:1/db`);
    assert.equal(code, 'UNAVAILABLE');
    assert.match(
      message,
      /^PostgreSQL at 127\.0\.0\.1:1\/db cannot be used: nothing listens there/,
    );
  });

  it('says that there is no such database', async () => {
    const { port } = await sharedPostgres();
    const { message } = await failure(`postgres://tester:${secret}@127.0.0.1:${port}/missing`);
    assert.match(message, /there is no such database/);
    await stopSharedPostgres();
  });
});
