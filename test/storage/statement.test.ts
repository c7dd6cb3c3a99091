import assert from 'node:assert/strict';
import {
  deleteWhere,
  insertInto,
  selectWhere,
  updateByKey,
  type Table,
} from '../../src/storage/sql/statement.ts';

const TABLE: Table = { name: 't', columns: { hub: 'int', id: 'text', bytes: 'blob' } };

/** One line, single blanks. */
function flat(sql: string): string {
  return sql.replaceAll(/\s+/g, ' ').trim();
}

describe('statements for many rows', () => {
  it('insert every column', () => {
    const { sqlite, postgres, types } = insertInto(TABLE);
    assert.equal(flat(sqlite), 'insert into t (hub, id, bytes) values (?, ?, ?)');
    assert.match(flat(postgres), /^insert into t \(hub, id, bytes\) select /);
    assert.match(postgres, /unnest\(/);
    assert.deepEqual(types, ['int', 'text', 'blob']);
  });

  it('leave out rows whose key is taken, if asked to', () => {
    const { sqlite, postgres } = insertInto(TABLE, { orIgnore: true });
    for (const text of [sqlite, postgres]) assert.match(text, /on conflict do nothing/);
  });

  it('update columns by key, with the key’s values last', () => {
    const { sqlite, postgres, types } = updateByKey(TABLE, ['hub', 'id'], ['bytes']);
    assert.equal(flat(sqlite), 'update t set bytes = ? where hub = ? and id = ?');
    assert.match(flat(postgres), /^update t t set bytes = .* from .*unnest/);
    assert.deepEqual(types, ['blob', 'int', 'text']);
  });

  it('delete by conditions', () => {
    const { sqlite, postgres, types } = deleteWhere(TABLE, [
      ['hub', '='],
      ['id', '<='],
    ]);
    assert.equal(flat(sqlite), 'delete from t where hub = ? and id <= ?');
    assert.match(
      flat(postgres),
      /^delete from t t using .*unnest.* where t\.hub = .* and t\.id <= /,
    );
    assert.deepEqual(types, ['int', 'text']);
  });

  it('select by conditions: all columns or some, in order, locked where there are locks', () => {
    const where = [['hub', '=']] as const;
    assert.equal(
      flat(selectWhere(TABLE, { where }).sqlite),
      'select hub, id, bytes from t where hub = ?',
    );
    const some = selectWhere(TABLE, { where, columns: ['id'], orderBy: ['id'], lock: 'wait' });
    assert.equal(flat(some.sqlite), 'select id from t where hub = ? order by id');
    assert.match(flat(some.postgres), / for update\b.*order by t\.id$/);
  });

  it('name only columns that the table has', () => {
    assert.throws(() => deleteWhere(TABLE, [['nope', '=']]), /table t has no column nope/);
    assert.throws(() => updateByKey(TABLE, ['hub'], ['nope']), /no column nope/);
  });
});
