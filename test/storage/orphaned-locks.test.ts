import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '../../src/base/clock.ts';
import { systemIds } from '../../src/base/ids.ts';
import { openStore } from '../../src/storage/open-store.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Bench, raise, refusal, turn, type OpenedStore } from '../contract/store/bench.ts';
import { batchDone, eventsTaken, operationsOf, takeBatch } from '../contract/store/entity-bench.ts';
import { signal, takeNoBatch } from '../contract/store/entity-bench.ts';
import { callEntity, complete, lockEntities, requestId } from '../support/actions.ts';

const A = '@a@1';
const FREE = { kind: 'freeLocks', hub: 'default', entityId: A } as const;
const PAGE = { after: '', limit: 10 };

/**
 * Locks go in the commit that ends their owner, so that there are orphans only where rows were lost: a file was
 * mended, a backup restored in parts, somebody deleted by hand. The tests do the last.
 */
describe('locks whose owners are gone from the database', () => {
  let folder: string;
  let bench: Bench;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'orphaned-locks-'));
    bench = await Bench.open(() => open());
    await bench.apply(turn(await bench.begin('holder'), [lockEntities(1, 's1', [A])]));
    assert.deepEqual(eventsTaken(await tell('holder')), ['entityLockGranted']);
    await bench.apply(turn(await bench.begin('second'), [lockEntities(2, 's2', [A])]));
    await bench.apply(turn(await bench.begin('third'), [lockEntities(3, 's3', [A])]));
    await bench.apply(signal(A, 'waits'));
  });
  afterEach(async () => {
    await bench.close();
    await rm(folder, { recursive: true });
  });

  async function open(): Promise<OpenedStore> {
    const options = { storage: `sqlite:${join(folder, 's.db')}`, logger: silentLogger };
    let store = await openStore({ ...options, clock: systemClock, ids: systemIds });
    return {
      store,
      reopen: async () => {
        store = await openStore({ ...options, clock: systemClock, ids: systemIds });
        return store;
      },
      close: () => store.close(),
    };
  }

  /** Takes the next turn and answers it with nothing. */
  async function tell(id: string) {
    const item = await bench.takeTurn();
    assert.equal(item.instanceId, id);
    await bench.apply(turn(item));
    return item;
  }

  async function lose(...ids: string[]): Promise<void> {
    await bench.close();
    const database = new DatabaseSync(join(folder, 's.db'));
    for (const id of ids) {
      database
        .prepare('delete from runs where rid = (select rid from instances where id = ?)')
        .run(id);
      assert.equal(database.prepare('delete from instances where id = ?').run(id).changes, 1);
    }
    database.close();
    await bench.reopen();
  }

  async function lockedBy(): Promise<string | undefined> {
    return (await bench.store.getEntity('default', A, { state: false }))?.lockedBy;
  }

  it('are found, freed and counted, and the next one gets its turn', async () => {
    await lose('holder');
    assert.deepEqual(await bench.store.orphanedLocks('default', PAGE), [A]);
    await takeNoBatch(bench);

    assert.deepEqual(await bench.commit(FREE), { ok: true, count: 1 });

    assert.deepEqual(await bench.store.orphanedLocks('default', PAGE), []);
    assert.equal(await lockedBy(), 'second');
    assert.deepEqual(eventsTaken(await tell('second')), ['entityLockGranted']);
    assert.deepEqual(await bench.commit(FREE), { ok: true, count: 0 });
  });

  it('are freed with the requests of those that waited, and what is left runs', async () => {
    await lose('holder', 'second', 'third');

    assert.deepEqual(await bench.commit(FREE), { ok: true, count: 3 });

    assert.equal(await lockedBy(), undefined);
    assert.deepEqual(operationsOf(await takeBatch(bench)), ['waits']);
  });

  it('are passed over where only one that waits is lost', async () => {
    await lose('second');
    assert.deepEqual(await bench.commit(FREE), { ok: true, count: 1 });
    assert.equal(await lockedBy(), 'holder');
    await bench.apply(raise('holder', 'go'));
    await bench.apply(turn(await bench.takeTurn(), [complete()]));
    assert.equal(await lockedBy(), 'third');
  });

  it('take back what runs under them', async () => {
    await bench.apply(raise('holder', 'go'));
    await bench.apply(turn(await bench.takeTurn(), [callEntity(4, A, 'get')]));
    const batch = await takeBatch(bench);
    assert.deepEqual(operationsOf(batch), [requestId(4)]);
    await lose('holder', 'second', 'third');

    assert.deepEqual(await bench.commit(FREE), { ok: true, count: 3 });

    assert.equal(refusal(await bench.commit(batchDone(batch, 'x'))), 'LEASE_LOST');
    assert.deepEqual(operationsOf(await takeBatch(bench)), ['waits', requestId(4)]);
  });
});
