import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteReader } from '../../src/storage/sqlite-reader.ts';
import type { SqlRow, SqlSession } from '../../src/storage/sql/session.ts';
import { selectWhere } from '../../src/storage/sql/statement.ts';

const NUMBERS = {
  name: 'numbers',
  columns: { id: 'int', word: 'text', bytes: 'blob' },
} as const;
const BY_ID = selectWhere(NUMBERS, { where: [['id', '=']] });

describe('reading thread of a SQLite file', () => {
  let folder: string;
  let writer: DatabaseSync;
  let reader: SqliteReader;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sqlite-reader-'));
    const path = join(folder, 'numbers.db');
    writer = new DatabaseSync(path);
    writer.exec('pragma journal_mode = wal');
    writer.exec('create table numbers (id integer primary key, word text, bytes blob)');
    writer.exec("insert into numbers values (1, 'one', x'0102'), (2, 'two', null)");
    reader = new SqliteReader(path);
  });
  afterEach(async () => {
    await reader.close();
    writer.close();
    await rm(folder, { recursive: true });
  });

  function count(session: SqlSession): Promise<readonly SqlRow[]> {
    return session.all('select count(*) as n from numbers where id > $1', [0]);
  }

  it('answers rows with numbers, texts, bytes and nothing', async () => {
    const rows = await reader.read((session) =>
      session.all('select * from numbers where id >= $1 and id < $2 order by id', [1, 3]),
    );
    assert.deepEqual(rows, [
      { id: 1, word: 'one', bytes: new Uint8Array([1, 2]) },
      { id: 2, word: 'two', bytes: null },
    ]);
  });

  it('runs a statement once for each row of parameters', async () => {
    const words = await reader.read(async (session) => {
      assert.deepEqual(await session.allMany(BY_ID, []), []);
      return session.allMany(BY_ID, [[2], [9], [1]]);
    });
    assert.deepEqual(
      words.map(({ word }) => word),
      ['two', 'one'],
    );
  });

  it('sees one moment in one read, whatever is committed meanwhile', async () => {
    const counts = await reader.read(async (session) => {
      const before = await count(session);
      writer.exec("insert into numbers values (3, 'three', null)");
      return [before, await count(session)];
    });
    assert.deepEqual(counts, [[{ n: 2 }], [{ n: 2 }]]);
    assert.deepEqual(await reader.read(count), [{ n: 3 }]);
  });

  it('does one read after the other', async () => {
    const order: string[] = [];
    const read = (name: string): Promise<void> =>
      reader.read(async (session) => {
        order.push(`${name} begins`);
        await count(session);
        order.push(`${name} ends`);
      });
    await Promise.all([read('first'), read('second')]);
    assert.deepEqual(order, ['first begins', 'first ends', 'second begins', 'second ends']);
  });

  it('goes on after a statement that fails', async () => {
    const bad = reader.read((session) => session.all('select nonsense from nowhere', []));
    await assert.rejects(bad, /nowhere/);
    assert.deepEqual(await reader.read(count), [{ n: 2 }]);
  });

  it('goes on after work that throws', async () => {
    const broken = reader.read(() => Promise.reject(new Error('broken')));
    await assert.rejects(broken, { message: 'broken' });
    writer.exec('delete from numbers');
    assert.deepEqual(await reader.read(count), [{ n: 0 }]);
  });

  it('does not write', async () => {
    await assert.rejects(
      reader.read((session) => session.run('delete from numbers', [])),
      TypeError,
    );
    await assert.rejects(
      reader.read((session) => session.runMany(BY_ID, [[1]])),
      TypeError,
    );
    const sly = reader.read((session) => session.all('delete from numbers returning id', []));
    await assert.rejects(sly, /readonly/);
  });

  it('keeps working through a flood of different statements', async () => {
    await reader.read(async (session) => {
      for (let index = 0; index < 250; index += 1) {
        assert.deepEqual(await session.all(`select ${index} as n`, []), [{ n: index }]);
      }
    });
  });

  it('fails the reads that wait when it is closed', async () => {
    await reader.read(count);
    const waiting = reader.read(count);
    const closed = assert.rejects(waiting, { message: 'the store is closed' });
    await Promise.resolve();
    await reader.close();
    await closed;
  });

  it('starts no other thread once it is closed', async () => {
    const closed = { message: 'the store is closed' };
    const { promise: isClosed, resolve } = Promise.withResolvers<undefined>();
    const inTheMiddle = reader.read(async (session) => {
      await count(session);
      await isClosed;
      return count(session);
    });
    const queued = reader.read(count);
    const both = Promise.all([assert.rejects(inTheMiddle, closed), assert.rejects(queued, closed)]);
    await reader.close();
    resolve(undefined);
    await both;
    await assert.rejects(reader.read(count), closed);
  });

  it('tells that the file cannot be opened, and tries again', async () => {
    const path = join(folder, 'later.db');
    const early = new SqliteReader(path);
    const one = (session: SqlSession): Promise<readonly SqlRow[]> =>
      session.all('select 1 as n', []);
    try {
      await assert.rejects(early.read(one), /unable to open/);
      new DatabaseSync(path).close();
      const file = new DatabaseSync(path);
      file.exec('create table t (a)');
      file.close();
      assert.deepEqual(await early.read(one), [{ n: 1 }]);
    } finally {
      await early.close();
    }
  });
});
