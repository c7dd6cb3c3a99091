import assert from 'node:assert/strict';
import { MIGRATIONS } from '../../src/storage/migrations/migrate.ts';
import { complete, createTimer, scheduleTask } from '../support/actions.ts';
import { sharedPostgres, stopSharedPostgres } from '../support/postgres.ts';
import { BROKEN_MIGRATIONS, NEXT_MIGRATIONS } from '../storage/next-migration.ts';
import { batchDone, signal, takeBatch } from './store/entity-bench.ts';
import { activityDone, raise, turn, type Bench } from './store/bench.ts';
import { Cluster } from './two-stores/pair.ts';

/** One of each kind of round and read. */
async function live(bench: Bench, id: string): Promise<void> {
  const actions = [scheduleTask(1), createTimer(2, bench.now + 5)];
  await bench.apply(turn(await bench.begin(id), actions));
  await bench.apply(activityDone(await bench.takeActivity()));
  await bench.apply(raise(id, 'news'));
  bench.advance(5);
  await bench.apply(turn(await bench.takeTurn(), [complete()]));
  await bench.apply(signal(`@e@${id}`, id));
  await bench.apply(batchDone(await takeBatch(bench), 'state'));
  await bench.get(id);
  await bench.history(id);
  await bench.store.getEntity('default', `@e@${id}`, { state: true });
  await bench.store.inspection.outstanding('default', id, 5);
  await bench.store.sweep({ limit: 10 });
}

describe('an upgrade on PostgreSQL', function () {
  this.timeout(30_000);
  before(() => sharedPostgres());
  after(stopSharedPostgres);

  it('goes node by node: older nodes keep working on the newer schema', async () => {
    const cluster = await Cluster.open(1);
    const [old] = cluster.nodes;
    assert.ok(old);
    // Its connections have seen every statement before the tables grow.
    for (let lane = 0; lane < 3; lane += 1) await live(old.bench, `before-${lane}`);
    const inHand = await old.bench.begin('in hand');

    const later = await cluster.join(undefined, NEXT_MIGRATIONS);

    await later.bench.apply(turn(inHand, [scheduleTask(1)]));
    // What others have left is looked for every second.
    old.bench.advance(2000);
    await old.bench.apply(activityDone(await old.bench.takeActivity()));
    later.bench.advance(4000);
    await later.bench.apply(turn(await later.bench.takeTurn(), [complete()]));
    await live(old.bench, 'old');
    await live(later.bench, 'later');
    assert.equal((await old.bench.get('in hand')).status, (await later.bench.get('old')).status);
    await assert.rejects(cluster.join(), {
      code: 'UNAVAILABLE',
      message: new RegExp(`has schema version ${NEXT_MIGRATIONS.length}, newer than version`),
    });
    await cluster[Symbol.asyncDispose]();
  });

  it('is done once by nodes that begin it at the same time, while another works', async () => {
    const cluster = await Cluster.open(1);
    const [old] = cluster.nodes;
    assert.ok(old);
    await live(old.bench, 'a');
    const joining = Array.from({ length: 3 }, () => cluster.join(undefined, NEXT_MIGRATIONS));
    for (let index = 0; index < 5; index += 1) await live(old.bench, `meanwhile-${index}`);
    await Promise.all(joining);

    const client = await cluster.schema.connect();
    const { rows } = await client.query('select id::int from schema_migrations order by id');
    await client.end();
    assert.deepEqual(
      rows,
      NEXT_MIGRATIONS.map(({ id }) => ({ id })),
    );
    await cluster[Symbol.asyncDispose]();
  });

  it('that fails leaves the schema as it was', async () => {
    const cluster = await Cluster.open(1);
    await assert.rejects(cluster.join(undefined, BROKEN_MIGRATIONS), /nowhere/);
    const again = await cluster.join(undefined, MIGRATIONS);
    await live(again.bench, 'a');
    await cluster[Symbol.asyncDispose]();
  });
});
