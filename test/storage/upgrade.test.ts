import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemIds } from '../../src/base/ids.ts';
import { DEFAULT_PAYLOAD_LIMITS } from '../../src/core/limits.ts';
import { MIGRATIONS } from '../../src/storage/migrations/migrate.ts';
import type { Migration } from '../../src/storage/migrations/migration.ts';
import { openSqlite } from '../../src/storage/sqlite-session.ts';
import { SqlStore } from '../../src/storage/sql-store.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { complete, createTimer, scheduleTask } from '../support/actions.ts';
import { activityDone, Bench, raise, START_AT, turn } from '../contract/store/bench.ts';
import { dumpSchema } from './dump-schema.ts';
import { BROKEN_MIGRATIONS, NEXT_MIGRATIONS } from './next-migration.ts';

describe('a database file of an older release', () => {
  let folder: string;
  let file: string;
  let migrations: readonly Migration[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'upgrade-'));
    file = join(folder, 'scheduler.db');
    migrations = MIGRATIONS;
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function open(): Promise<SqlStore> {
    const database = openSqlite({ path: file });
    try {
      return await SqlStore.open({
        ...{ database, ids: systemIds, logger: silentLogger, migrations },
        ...{ limits: DEFAULT_PAYLOAD_LIMITS, now: START_AT },
      });
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  async function openBench(): Promise<Bench> {
    let current = await open();
    return Bench.open(() =>
      Promise.resolve({
        store: current,
        reopen: async () => {
          await current.close();
          current = await open();
          return current;
        },
        close: () => current.close(),
      }),
    );
  }

  it('is brought up to date, and the work in it goes on', async () => {
    const bench = await openBench();
    const actions = [scheduleTask(1), scheduleTask(2), createTimer(3, START_AT + 5000)];
    await bench.apply(turn(await bench.begin('a'), actions));
    const [running] = await bench.take({ orchestrations: 0, activities: 1 });
    assert.ok(running?.kind === 'activity');
    await bench.apply(raise('a', 'news'));
    const leased = await bench.takeTurn();

    migrations = NEXT_MIGRATIONS;
    await bench.reopen();

    await bench.apply(turn(leased, []));
    await bench.apply(activityDone(running));
    await bench.apply(activityDone(await bench.takeActivity()));
    bench.advance(5000);
    await bench.apply(turn(await bench.takeTurn(), [complete('"done"')]));
    assert.equal((await bench.get('a')).output, '"done"');
    assert.equal((await bench.history('a')).filter(isTaskResult).length, 2);
    await bench.close();
  });

  it('is left as it was when its migration fails', async () => {
    const bench = await openBench();
    await bench.apply(bench.start('a'));
    await bench.close();
    const before = await schema();

    migrations = BROKEN_MIGRATIONS;
    await assert.rejects(open(), /nowhere/);

    assert.equal(await schema(), before);
    migrations = MIGRATIONS;
    const again = await openBench();
    assert.equal((await again.takeTurn()).instanceId, 'a');
    await again.close();
  });

  it('is no longer opened by that release once it was brought up to date', async () => {
    migrations = NEXT_MIGRATIONS;
    await (await open()).close();
    migrations = MIGRATIONS;
    await assert.rejects(open(), {
      code: 'UNAVAILABLE',
      message: `the database file '${file}' has schema version ${NEXT_MIGRATIONS.length}, newer than version ${MIGRATIONS.length} that this release knows, and is left as it is; run the release that wrote it, or a later one`,
    });
  });

  async function schema(): Promise<string> {
    const database = openSqlite({ path: file });
    return dumpSchema(database).finally(() => database.close());
  }
});

function isTaskResult({ eventType }: { readonly eventType: { readonly case?: unknown } }): boolean {
  return eventType.case === 'taskCompleted';
}
