import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { systemIds } from '../../src/base/ids.ts';
import { DEFAULT_PAYLOAD_LIMITS } from '../../src/core/limits.ts';
import { openSqlite } from '../../src/storage/sqlite-session.ts';
import { SqlStore } from '../../src/storage/sql-store.ts';
import type { SqlRow } from '../../src/storage/sql/session.ts';
import { exportHubs } from '../../src/storage/transfer/export.ts';
import { LineChain } from '../../src/storage/transfer/format.ts';
import { abandonImports } from '../../src/storage/transfer/import-state.ts';
import { importHubs, type ImportResult } from '../../src/storage/transfer/import.ts';
import type { TransferStep } from '../../src/storage/transfer/progress.ts';
import { HUB_TABLES, SCHEDULER_TABLES } from '../../src/storage/transfer/tables.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { createTimer, scheduleTask } from '../support/actions.ts';
import { activityDone, Bench, raise, START_AT, turn } from '../contract/store/bench.ts';

/** Tables that say who works on the store, not what is in it. */
const STAY = ['counters', 'dropped_hubs', 'hubs', 'imports', 'lanes', 'nodes', 'schema_migrations'];
const never = new AbortController().signal;

describe('a transfer', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'transfer-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const at = (name: string): string => join(folder, name);

  async function openStore(name: string): Promise<SqlStore> {
    const database = openSqlite({ path: at(name) });
    try {
      return await SqlStore.open({
        ...{ database, ids: systemIds, logger: silentLogger },
        ...{ limits: DEFAULT_PAYLOAD_LIMITS, now: START_AT },
      });
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  /** Some work in every state, in two hubs. */
  async function fill(name: string, hubs: readonly string[], bytes = 100): Promise<void> {
    const store = await openStore(name);
    const bench = await Bench.open(
      () =>
        Promise.resolve({
          store,
          reopen: () => Promise.resolve(store),
          close: () => store.close(),
        }),
      hubs,
    );
    for (const hub of hubs) {
      const actions = [scheduleTask(1), scheduleTask(2), createTimer(3, START_AT + 60_000)];
      await bench.apply(turn(await bench.begin('waiting', { hub, input: '"é\\u0001"' }), actions));
      const [first] = await bench.take({ hub, orchestrations: 0, activities: 1 });
      assert.ok(first?.kind === 'activity');
      await bench.apply(activityDone(first));
      await bench.apply({ ...raise('waiting', 'news'), hub });
      await bench.take({ hub });
      for (let index = 0; index < 6; index += 1) {
        await bench.apply(bench.start(`ready-${index}`, { hub, input: 'x'.repeat(bytes) }));
      }
    }
    await bench.close();
  }

  async function writeFileOf(
    store: string,
    file: string,
    taskHubs?: readonly string[],
  ): Promise<void> {
    const source = openSqlite({ path: at(store) });
    const options = { taskHubs, isSnapshot: false, id: systemIds.uuid(), now: START_AT };
    await exportHubs({
      ...{ ...options, source, file: at(file), onProgress: () => undefined, signal: never },
    }).finally(() => source.close());
  }

  async function readFileInto(
    store: string,
    file: string,
    onProgress: (step: TransferStep) => void = () => undefined,
  ): Promise<ImportResult> {
    const target = openSqlite({ path: at(store) });
    const options = { now: START_AT, signal: never, onProgress };
    return importHubs({ ...options, target, file: at(file) }).finally(() => target.close());
  }

  /** All rows of a hub, without the numbers that each store gives. */
  async function contents(
    store: string,
    hub: string,
  ): Promise<readonly (readonly [string, SqlRow[]])[]> {
    const database = openSqlite({ path: at(store) });
    try {
      return await database.read((session) =>
        Promise.all(
          HUB_TABLES.map(async ({ table, columns, key }) => {
            const rows = await session.all(
              `select ${columns.join(', ')} from ${table.name} where hub = (select hub from hubs where name = $1) order by ${key.join(', ')}`,
              [hub],
            );
            return [table.name, rows.map((row) => ({ ...row, node: 0, type: 0 }))] as const;
          }),
        ),
      );
    } finally {
      await database.close();
    }
  }

  it('takes every table along but those that say who works on the store', async () => {
    const store = await openStore('a.db');
    await store.close();
    const database = openSqlite({ path: at('a.db') });
    const rows = await database.read((session) =>
      session.all(`select name from sqlite_schema where type = 'table' order by name`, []),
    );
    await database.close();
    const moved = [...HUB_TABLES.map(({ table }) => table), ...SCHEDULER_TABLES];
    assert.deepEqual(
      rows.map(({ name }) => name),
      [...STAY, ...moved.map(({ name }) => name)].sort(),
    );
  });

  it('brings all rows as they were, in batches of bounded size, beside other hubs', async () => {
    await fill('a.db', ['one', 'two'], 800_000);
    await fill('b.db', ['three']);
    const third = await contents('b.db', 'three');
    await writeFileOf('a.db', 'hubs.txt');

    const { taskHubs, resumedAt } = await readFileInto('b.db', 'hubs.txt');

    assert.deepEqual([taskHubs, resumedAt], [['one', 'two'], 0]);
    for (const hub of ['one', 'two']) {
      assert.deepEqual(await contents('b.db', hub), await contents('a.db', hub));
    }
    assert.deepEqual(await contents('b.db', 'three'), third);
    const lines = (await readFile(at('hubs.txt'), 'utf8')).split('\n');
    assert.ok(Math.max(...lines.map(({ length }) => length)) < 3 * 1024 * 1024);
    const store = await openStore('b.db');
    assert.deepEqual(await store.taskHubs(), ['one', 'three', 'two']);
    await store.close();
  });

  it('goes on where an interrupted attempt has come to, and nobody opens the store meanwhile', async () => {
    await fill('a.db', ['one']);
    await writeFileOf('a.db', 'hubs.txt');
    const stop = (step: TransferStep): void => {
      if (step.phase === 'import' && step.rows > 5) throw new Error('interrupted');
    };
    await assert.rejects(readFileInto('b.db', 'hubs.txt', stop), /interrupted/);
    await assert.rejects(openStore('b.db'), {
      code: 'UNAVAILABLE',
      message: `the database file '${at('b.db')}' holds an import that is not finished; run the same 'durabletask import' again, or take it back with 'durabletask import --abandon'`,
    });

    const { resumedAt } = await readFileInto('b.db', 'hubs.txt');

    assert.ok(resumedAt > 0);
    assert.deepEqual(await contents('b.db', 'one'), await contents('a.db', 'one'));
  });

  it('can be taken back before its end', async () => {
    await fill('a.db', ['one']);
    await writeFileOf('a.db', 'hubs.txt');
    const stop = ({ phase }: TransferStep): void => {
      if (phase === 'verify') throw new Error('interrupted');
    };
    await assert.rejects(readFileInto('b.db', 'hubs.txt', stop), /interrupted/);
    const target = openSqlite({ path: at('b.db') });
    assert.deepEqual(await abandonImports(target), ['one']);
    await target.close();

    const store = await openStore('b.db');

    assert.deepEqual(await store.taskHubs(), []);
    while (await store.sweep({ limit: 1000 })) assert.ok(true);
    await store.close();
    const database = openSqlite({ path: at('b.db') });
    const left = await database.read((session) => session.all('select rid from history', []));
    assert.deepEqual(left, []);
    await database.close();
  });

  it('notices what was stored otherwise than it was exported, and shows nobody the hub', async () => {
    await fill('a.db', ['one']);
    await writeFileOf('a.db', 'hubs.txt');
    const stop = ({ phase }: TransferStep): void => {
      if (phase === 'verify') throw new Error('interrupted');
    };
    await assert.rejects(readFileInto('b.db', 'hubs.txt', stop), /interrupted/);
    const target = openSqlite({ path: at('b.db') });
    await target.transaction((session) =>
      session.run('update activities set attempts = attempts + 1', []),
    );
    await target.close();

    await assert.rejects(readFileInto('b.db', 'hubs.txt'), {
      code: 'UNAVAILABLE',
      message:
        /^table activities of task hub 'one' in .* is not what was exported \(1 rows, 1 expected\)/,
    });
  });

  it('replaces a hub that is empty, and refuses one that is not', async () => {
    await fill('a.db', ['one']);
    await writeFileOf('a.db', 'hubs.txt');
    const empty = await openStore('b.db');
    await empty.exchange({
      ...{ now: START_AT, takers: [] },
      commits: [{ kind: 'createHub', hub: 'one', recreate: false }],
    });
    await empty.close();

    await readFileInto('b.db', 'hubs.txt');

    assert.deepEqual(await contents('b.db', 'one'), await contents('a.db', 'one'));
    await assert.rejects(readFileInto('b.db', 'hubs.txt'), {
      code: 'INVALID_ARGUMENT',
      message: `task hub 'one' is not empty in the database file '${at('b.db')}'; delete it there first, or export without it (--task-hubs)`,
    });
  });

  it('takes the hubs that were named, and says which there are when one is missing', async () => {
    await fill('a.db', ['one', 'two']);
    await writeFileOf('a.db', 'two.txt', ['two']);
    assert.deepEqual((await readFileInto('b.db', 'two.txt')).taskHubs, ['two']);
    await assert.rejects(writeFileOf('a.db', 'x.txt', ['three']), {
      code: 'INVALID_ARGUMENT',
      message: `there is no task hub 'three' in the database file '${at('a.db')}'; there are one, two`,
    });
    await assert.rejects(stat(at('x.txt.part')), { code: 'ENOENT' });
  });

  it('stores nothing of a file that was changed, cut, or written by something else', async () => {
    await fill('a.db', ['one']);
    await writeFileOf('a.db', 'hubs.txt');
    const whole = await readFile(at('hubs.txt'), 'utf8');
    const lines = whole.split('\n');
    const swapped = [...lines.slice(0, 2), lines[3], lines[2], ...lines.slice(4)].join('\n');
    for (const [text, message] of [
      [whole.slice(0, -1), /ends too early/],
      [lines.slice(0, -2).join('\n') + '\n', /ends too early/],
      [`${whole}x\n`, /line \d+ is not what was exported/],
      [swapped, /line 3 is not what was exported/],
      ['{"format":"durabletask-export"}\n', /was not written by 'durabletask export'/],
      ['', /is empty/],
    ] as const) {
      await writeFile(at('bad.txt'), text);
      await assert.rejects(readFileInto('b.db', 'bad.txt'), { code: 'INVALID_ARGUMENT', message });
    }
    const database = openSqlite({ path: at('b.db') });
    const tables = await database.read((session) => session.all('select 1 from sqlite_schema', []));
    assert.deepEqual(tables, []);
    await database.close();
  });

  it('knows a file of a later format, or of a later schema', async () => {
    const write = async (change: object): Promise<void> => {
      const chain = new LineChain();
      const header = {
        ...{ format: 'durabletask-export', version: 1, id: 'x', schema: 1, createdAt: 1, hubs: [] },
        ...{ idsEnd: 1, rowsTotal: 0, ...change },
      };
      const end = { end: true, batches: 0, digests: {} };
      const lines = [header, end].map((line) => chain.sign(JSON.stringify(line)));
      await writeFile(at('later.txt'), lines.join(''));
    };
    await write({ version: 2 });
    await assert.rejects(
      readFileInto('b.db', 'later.txt'),
      /has format version 2, newer than version 1/,
    );
    await write({ schema: 99 });
    await assert.rejects(
      readFileInto('b.db', 'later.txt'),
      /schema version 99, newer than version \d+ that/,
    );
  });

  it('has a chain of checksums that no change of any line gets by', () => {
    const texts = fc.array(fc.string({ maxLength: 20 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(texts, fc.nat(), fc.integer({ min: 1, max: 255 }), (all, place, change) => {
        const signing = new LineChain();
        const file = Buffer.from(
          all.map((text) => signing.sign(text.replaceAll('\n', ''))).join(''),
        );
        const changed = Buffer.from(file);
        const index = place % file.length;
        changed.writeUInt8(changed.readUInt8(index) ^ change, index);
        const checking = new LineChain();
        const read = (): void => {
          const lines = changed.toString().split('\n');
          assert.equal(lines.pop(), '', 'the last line has no end');
          for (const line of lines) checking.check(line);
          assert.equal(lines.length, all.length, 'a line is missing');
        };
        assert.throws(read);
      }),
    );
  });
});
