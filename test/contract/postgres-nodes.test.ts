import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { systemClock } from '../../src/base/clock.ts';
import { systemIds } from '../../src/base/ids.ts';
import { openStore } from '../../src/storage/open-store.ts';
import type { Claimed, Commit, Store } from '../../src/storage/store.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { complete } from '../support/actions.ts';
import { PostgresSchema, sharedPostgres, stopSharedPostgres } from '../support/postgres.ts';
import { ReplyCutter } from '../support/reply-cutter.ts';
import { LateNetwork } from '../support/late-network.ts';
import { Bench, caseOf, HUB, newEventsOf, raise, turn } from './store/bench.ts';
import { Cluster, type Node } from './two-stores/pair.ts';

const open = (storage: string): Promise<Store> =>
  openStore({ storage, logger: silentLogger, clock: systemClock, ids: systemIds });

/** What `docs/OPERATIONS.md` tells an operator to run, for this schema and role. */
async function grants(schema: string, role: string): Promise<readonly string[]> {
  const text = await readFile(new URL('../../docs/OPERATIONS.md', import.meta.url), 'utf8');
  const sql = /```sql\n(create role durabletask[^`]+)```/.exec(text)?.[1];
  assert.ok(sql, 'the documentation says how');
  return sql
    .replaceAll('schema durabletask', `schema ${schema}`)
    .replaceAll(/(role|to) durabletask/g, `$1 ${role}`)
    .trim()
    .split('\n');
}

describe('nodes on PostgreSQL', function () {
  this.timeout(30_000);
  let schema: PostgresSchema;
  before(() => sharedPostgres());
  after(stopSharedPostgres);
  beforeEach(async () => {
    schema = await PostgresSchema.create();
  });
  afterEach(() => schema[Symbol.asyncDispose]());

  it('may all start at once on an empty database', async () => {
    const stores = await Promise.all(Array.from({ length: 20 }, () => open(schema.url)));
    const client = await schema.connect();
    try {
      const { rows } = await client.query('select id from schema_migrations');
      const nodes = await client.query('select distinct node from nodes');
      assert.equal(rows.length, 1);
      assert.equal(nodes.rowCount, 20);
    } finally {
      await client.end();
      for (const store of stores) await store.close();
    }
  });

  it('need no right but to read and write rows, once the tables are made', async () => {
    const owner = await open(schema.url);
    await owner.close();
    const role = `r_${schema.name}`;
    const client = await schema.connect();
    try {
      for (const statement of await grants(schema.name, role)) await client.query(statement);
      const url = new URL(schema.url);
      url.username = role;
      url.password = 'secret';
      const store = await open(url.toString());
      const commits: Commit[] = [{ kind: 'createHub', hub: 'h', recreate: false }];
      const { outcomes } = await store.exchange({ now: systemClock.now(), commits, takers: [] });
      assert.deepEqual(outcomes, [{ ok: true }]);
      await store.close();
    } finally {
      await client.query(`drop owned by ${role}`);
      await client.query(`drop role ${role}`);
      await client.end();
    }
  });

  describe('a round', () => {
    let cluster: Cluster;
    let proxy: ReplyCutter;
    let node: Node;

    beforeEach(async () => {
      cluster = await Cluster.open(1);
      proxy = await ReplyCutter.open((await sharedPostgres()).port);
      node = await cluster.join(cluster.schema.urlBy(proxy.address));
    });
    afterEach(async () => {
      await cluster[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    });

    async function tripsOf(commits: readonly Commit[]): Promise<number> {
      const before = proxy.tripCount;
      const { outcomes } = await node.bench.exchange(commits);
      assert.ok(outcomes.every(({ ok }) => ok));
      return proxy.tripCount - before;
    }

    it('takes the same few round trips whatever its size', async () => {
      const { bench } = node;
      const ids = Array.from({ length: 300 }, (_, n) => `id-${n}`);
      // The first rounds also set ids and types aside.
      await bench.exchange([bench.start('first')]);
      await bench.exchange(ids.map((id) => bench.start(id)));
      const [one] = await bench.take({ orchestrations: 1 });
      const rest = await bench.take({ orchestrations: 290 });
      const end = (items: readonly (Claimed | undefined)[]): Commit[] =>
        items.flatMap((item) => (item ? [turn(item, [complete()])] : []));
      const trips = {
        oneTurn: await tripsOf(end([one])),
        manyTurns: await tripsOf(end(rest)),
        oneEvent: await tripsOf([raise('id-0', 'x')]),
        manyEvents: await tripsOf(ids.map((id) => raise(id, 'x'))),
      };
      assert.ok(trips.manyTurns <= trips.oneTurn + 2, JSON.stringify(trips));
      assert.ok(trips.manyEvents <= trips.oneEvent + 2, JSON.stringify(trips));
      assert.ok(Math.max(...Object.values(trips)) <= 8, JSON.stringify(trips));
    });
  });

  it('wait for a COMMIT that arrives after its connection was lost, and run no round twice', async () => {
    const network = await LateNetwork.open((await sharedPostgres()).port);
    const store = await open(schema.urlBy(network.address));
    const bench = await Bench.open(
      () =>
        Promise.resolve({
          store,
          reopen: () => Promise.resolve(store),
          close: () => store.close(),
        }),
      [HUB],
    );
    try {
      await bench.exchange([bench.start('x')]);
      network.delaysNextCommit = true;
      const { outcomes } = await bench.exchange([raise('x', 'go')]);
      const item = await bench.takeTurn();

      const kinds = newEventsOf(item).map(caseOf);
      assert.equal(network.lateCount, 1);
      assert.deepEqual(outcomes, [{ ok: true }]);
      assert.deepEqual(kinds, ['orchestratorStarted', 'executionStarted', 'eventRaised']);
    } finally {
      await bench.close();
      await network[Symbol.asyncDispose]();
    }
  });
});
