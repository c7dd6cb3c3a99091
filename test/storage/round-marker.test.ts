import assert from 'node:assert/strict';
import { systemIds } from '../../src/base/ids.ts';
import { DEFAULT_PAYLOAD_LIMITS } from '../../src/core/limits.ts';
import { openSqlite } from '../../src/storage/sqlite-session.ts';
import { SqlStore } from '../../src/storage/sql-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Bench, START_AT } from '../contract/store/bench.ts';

describe('the round marker', () => {
  const database = openSqlite({ path: ':memory:' });

  const openOn = (): Promise<Store> =>
    SqlStore.open({
      database,
      ids: systemIds,
      logger: silentLogger,
      limits: DEFAULT_PAYLOAD_LIMITS,
      now: START_AT,
    });

  after(() => database.close());

  const nodes = () =>
    database.read((session) =>
      session.all(
        'select n.node, incarnation, max(round) as round from nodes n join lanes l on l.node = n.node group by n.node, incarnation order by n.node',
        [],
      ),
    );

  it('is written with every round that commits something, by each owner for itself', async () => {
    const bench = await Bench.open(async () => ({
      store: await openOn(),
      reopen: openOn,
      close: () => Promise.resolve(),
    }));
    const roundOf = async (at: number): Promise<number> => Number((await nodes())[at]?.['round']);
    const before = await roundOf(0);
    await bench.apply(bench.start('a'));
    const after = await roundOf(0);
    assert.ok(after > before);
    await bench.exchange([]);
    assert.equal(await roundOf(0), after);
    await bench.reopen();
    await bench.apply(bench.start('b'));
    assert.equal(await roundOf(0), after);
    assert.ok((await roundOf(1)) > 0);
    const incarnations = (await nodes()).map(({ incarnation }) => incarnation);
    assert.equal(new Set(incarnations).size, 2);
  });
});
