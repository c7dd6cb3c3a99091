import assert from 'node:assert/strict';
import { OrchestrationStatus } from '../../src/proto/orchestrator_service_pb.ts';
import { OrchestrationIdReusePolicySchema } from '../../src/proto/orchestrator_service_pb.ts';
import { create } from '@bufbuild/protobuf';
import { nextLoop } from '../../src/base/yield.ts';
import { complete, fail, scheduleTask } from '../support/actions.ts';
import { sharedPostgres, stopSharedPostgres } from '../support/postgres.ts';
import { ReplyCutter } from '../support/reply-cutter.ts';
import {
  activityDone,
  caseOf,
  casesOf,
  HUB,
  raise,
  refusal,
  terminate,
  turn,
} from './store/bench.ts';
import {
  Cluster,
  commitOfRound,
  hold,
  isMark,
  untilSomebodyWaits,
  type Node,
} from './two-stores/pair.ts';
import { deadlocksOf, faultsOf } from './two-stores/tables.ts';

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'never came true');
    await nextLoop();
  }
}

const GRACE = { orchestration: 0, activity: 0, entity: 0 };

describe('two stores on one PostgreSQL', () => {
  let cluster: Cluster;
  let a: Node;
  let b: Node;

  before(async function () {
    this.timeout(60_000);
    await sharedPostgres();
  });
  after(stopSharedPostgres);
  beforeEach(async () => {
    cluster = await Cluster.open(2);
    const [first, second] = cluster.nodes;
    assert.ok(first && second);
    [a, b] = [first, second];
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  describe('the same id started on both', () => {
    it('is taken once, by whoever commits first', async () => {
      const held = hold(a, commitOfRound());
      const first = a.bench.commit(a.bench.start('x', { input: '"a"' }));
      await held.reached;
      const second = b.bench.commit(b.bench.start('x', { input: '"b"' }));
      await untilSomebodyWaits(cluster.schema);
      held.open();
      assert.equal(refusal(await first), 'OK');
      assert.equal(refusal(await second), 'INSTANCE_ALREADY_EXISTS');
      assert.equal((await b.bench.get('x')).input, '"a"');
    });

    it('in many at once leaves each with one owner', async () => {
      const ids = Array.from({ length: 40 }, (_, n) => `id-${n}`);
      const [left, right] = await Promise.all([
        a.bench.exchange(ids.map((id) => a.bench.start(id))),
        b.bench.exchange([...ids].reverse().map((id) => b.bench.start(id))),
      ]);
      const accepted = [...left.outcomes, ...right.outcomes].filter(({ ok }) => ok);
      assert.equal(accepted.length, ids.length);
    });
  });

  describe('a stream through one with every completion through the other', () => {
    it('runs an orchestration to its end', async () => {
      const first = await a.bench.begin('x');
      await b.bench.apply(turn(first, [scheduleTask(1)]));
      const activity = await b.bench.takeActivity();
      await a.bench.apply(activityDone(activity, '"done"'));
      const second = await a.bench.takeTurn();
      assert.deepEqual(casesOf(second).fresh, ['orchestratorStarted', 'taskCompleted']);
      await b.bench.apply(turn(second, [complete('"end"')]));
      assert.equal((await a.bench.get('x')).output, '"end"');
      assert.equal((await a.bench.get('x')).status, OrchestrationStatus.COMPLETED);
    });

    it('takes a completion once, wherever it comes', async () => {
      const item = await a.bench.begin('x');
      const outcomes = await Promise.all([
        a.bench.commit(turn(item, [complete()])),
        b.bench.commit(turn(item, [complete()])),
      ]);
      assert.deepEqual(outcomes.map(refusal).sort(), ['LEASE_LOST', 'OK']);
    });
  });

  describe('what one does', () => {
    it('is a task hub for the other at once', async () => {
      await a.bench.apply({ kind: 'createHub', hub: 'later', recreate: false });
      await b.bench.apply(b.bench.start('x', { hub: 'later' }));
      assert.equal((await a.bench.get('x', 'later')).name, 'Orchestrator');
    });

    it('of a deleted hub is refused by the other', async () => {
      await a.bench.apply({ kind: 'deleteHub', hub: 'default' });
      assert.equal(refusal(await b.bench.commit(b.bench.start('x'))), 'TASK_HUB_NOT_FOUND');
    });

    it('of a hub made again goes to the new one', async () => {
      await b.bench.apply(b.bench.start('old'));
      await a.bench.apply({ kind: 'createHub', hub: 'default', recreate: true });
      await b.bench.apply(b.bench.start('x'));
      assert.equal((await a.bench.get('x')).instanceId, 'x');
      assert.equal(
        await a.bench.store.getInstance('default', 'old', { payloads: false }),
        undefined,
      );
    });

    it('leaves work that the other finds by looking every second', async () => {
      await a.bench.apply(a.bench.start('x', { name: 'NeverSeenByB' }));
      b.bench.advance(1000);
      const item = await b.bench.takeTurn();
      assert.equal(item.instanceId, 'x');
      await b.bench.apply(turn(item, [scheduleTask(1)]));
      a.bench.advance(1000);
      await a.bench.takeActivity();
    });

    it('with an instance that is ready holds it up, but not out of sight', async () => {
      await a.bench.exchange([a.bench.start('x')]);
      const held = hold(b, commitOfRound());
      const raised = b.bench.commit(raise('x', 'news'));
      await held.reached;
      await a.bench.takeNothing();
      const wakeAt = a.bench.last?.wakeAt ?? Infinity;
      assert.ok(wakeAt < a.bench.now + 100, `to be looked for at ${wakeAt}`);
      held.open();
      assert.equal(refusal(await raised), 'OK');
      a.bench.now = wakeAt;
      const item = await a.bench.takeTurn();
      assert.ok(casesOf(item).fresh.includes('eventRaised'));
    });

    it('in a turn does not lose what the other delivers meanwhile', async () => {
      const item = await a.bench.begin('x');
      const held = hold(a, commitOfRound());
      const committed = a.bench.commit(turn(item));
      await held.reached;
      const raised = b.bench.commit(raise('x', 'news'));
      await untilSomebodyWaits(cluster.schema);
      held.open();
      assert.deepEqual([await committed, await raised].map(refusal), ['OK', 'OK']);
      const next = await b.bench.takeTurn();
      assert.deepEqual(casesOf(next).fresh, ['orchestratorStarted', 'eventRaised']);
    });

    it('in rewinding an instance keeps the other from purging it', async () => {
      await a.bench.apply(turn(await a.bench.begin('x'), [fail('Broken', 'broken')]));
      const held = hold(a, commitOfRound());
      const rewound = a.bench.commit({ kind: 'rewind', hub: HUB, instanceId: 'x', reason: '' });
      await held.reached;
      const purged = b.bench.commit({ kind: 'purge', hub: HUB, instanceId: 'x', onLive: 'skip' });
      await untilSomebodyWaits(cluster.schema);
      held.open();
      assert.equal(refusal(await rewound), 'OK');
      assert.deepEqual(await purged, { ok: true, count: 0 });
      assert.deepEqual(await faultsOf(cluster.schema), []);
      assert.equal((await a.bench.takeTurn()).instanceId, 'x');
    });

    it('in replacing an instance sends what the other delivers to the new one', async () => {
      await a.bench.apply(a.bench.start('x'));
      await a.bench.apply(terminate('x'));
      const policy = create(OrchestrationIdReusePolicySchema, {
        replaceableStatus: [OrchestrationStatus.TERMINATED],
      });
      const held = hold(a, commitOfRound());
      const replaced = a.bench.commit(a.bench.start('x', { policy }));
      await held.reached;
      const raised = b.bench.commit(raise('x', 'news'));
      await untilSomebodyWaits(cluster.schema);
      held.open();
      assert.deepEqual([await replaced, await raised].map(refusal), ['OK', 'OK']);
      b.bench.advance(1000);
      const item = await b.bench.takeTurn();
      assert.deepEqual(casesOf(item).fresh, [
        'orchestratorStarted',
        'executionStarted',
        'eventRaised',
      ]);
    });
  });

  describe('a deadlock', () => {
    it('with somebody who locks in another order takes the round, which is repeated', async () => {
      const before = await deadlocksOf(cluster.schema);
      let attempts = 0;
      a.database.watch = (sql) => {
        if (sql.includes('for update') && sql.includes('from runs t')) attempts += 1;
      };
      await a.bench.exchange([a.bench.start('x'), a.bench.start('y')]);
      const client = await cluster.schema.connect();
      try {
        // Of the two that wait, the round is the one that gives way.
        await client.query("set deadlock_timeout = '10s'");
        const { rows } = await client.query<{ rid: string }>('select rid from runs order by rid');
        const lock = (at: number): Promise<unknown> =>
          client.query('select 1 from runs where rid = $1 for update', [rows[at]?.rid]);
        await client.query('begin');
        await lock(1);
        const round = a.bench.exchange([raise('y', 'one'), raise('x', 'two')]);
        await untilSomebodyWaits(cluster.schema);
        await lock(0);
        await client.query('commit');
        assert.deepEqual((await round).outcomes.map(refusal), ['OK', 'OK']);
        assert.ok(attempts >= 2, `${attempts} attempts`);
        await a.bench.close();
        assert.equal(await deadlocksOf(cluster.schema), before + 1);
      } finally {
        await client.end();
      }
    });

    it('does not come of a hub that is deleted under a round: the round goes first', async () => {
      await a.bench.apply(a.bench.start('x'));
      const held = hold(a, commitOfRound());
      const raised = a.bench.commit(raise('x', 'news'));
      await held.reached;
      const deleted = b.bench.apply({ kind: 'deleteHub', hub: 'default' });
      await untilSomebodyWaits(cluster.schema);
      held.open();
      assert.equal(refusal(await raised), 'OK');
      await deleted;
      assert.equal(await b.bench.store.sweep({ limit: 1000 }), true);
      assert.equal(await b.bench.store.sweep({ limit: 1000 }), false);
    });

    it('does not come of a hub that is deleted before a round has looked', async () => {
      await a.bench.apply(a.bench.start('x'));
      const held = hold(a, isMark);
      const raised = a.bench.commit(raise('x', 'news'));
      await held.reached;
      await b.bench.apply({ kind: 'deleteHub', hub: 'default' });
      held.open();
      assert.equal(refusal(await raised), 'TASK_HUB_NOT_FOUND');
      assert.equal(await b.bench.store.sweep({ limit: 1000 }), true);
      assert.equal(await b.bench.store.sweep({ limit: 1000 }), false);
    });

    it('does not come of rounds that touch the same instances in different orders', async () => {
      const ids = Array.from({ length: 30 }, (_, n) => `id-${n}`);
      await a.bench.exchange(ids.map((id) => a.bench.start(id)));
      const rounds = Array.from({ length: 20 }, (_, n) => {
        const { bench } = n % 2 === 0 ? a : b;
        const order = n % 4 < 2 ? ids : [...ids].reverse();
        return bench.exchange(order.map((id) => raise(id, `event-${n}`)));
      });
      const results = await Promise.all(rounds);
      assert.ok(results.every(({ outcomes }) => outcomes.every(({ ok }) => ok)));
      b.bench.advance(1000);
      const items = await b.bench.take({ activities: 0 });
      assert.equal(items.length, ids.length);
      for (const item of items) {
        assert.ok(item.kind === 'orchestration');
        assert.equal(casesOf(item).fresh.filter((name) => name === 'eventRaised').length, 20);
      }
    });
  });

  describe('a node that is silent for half a minute', () => {
    it('loses its leases to the other, and its workers their right to complete', async () => {
      const item = await a.bench.begin('x');
      b.bench.advance(31_000);
      assert.equal(await release(b), false);
      const again = await b.bench.takeTurn();
      assert.equal(again.instanceId, 'x');
      assert.equal(refusal(await a.bench.commit(turn(item, [complete('"late"')]))), 'LEASE_LOST');
      await a.bench.apply(turn(again, [complete('"taken over"')]));
      assert.equal((await a.bench.get('x')).output, '"taken over"');
      const history = (await a.bench.history('x')).map(caseOf);
      assert.equal(history.filter((name) => name === 'executionCompleted').length, 1);
    });

    it('may still complete what nobody else has claimed', async () => {
      const item = await a.bench.begin('x');
      b.bench.advance(31_000);
      await release(b);
      await a.bench.apply(turn(item, [complete('"in time"')]));
      await b.bench.takeNothing();
      assert.equal((await b.bench.get('x')).output, '"in time"');
    });

    it('keeps its leases when it was not silent', async () => {
      await a.bench.begin('x');
      a.bench.advance(20_000);
      await a.bench.exchange([]);
      b.bench.advance(40_000);
      await release(b);
      await b.bench.takeNothing();
    });

    it('frees what it held at once when it leaves in good order', async () => {
      const third = await cluster.join();
      await third.bench.begin('x');
      await third.bench.store.close();
      await release(b);
      b.bench.advance(1000);
      assert.equal((await b.bench.takeTurn()).instanceId, 'x');
    });
  });

  const release = ({ bench }: Node): Promise<boolean> =>
    bench.store.releaseOrphans({ now: bench.now, limit: 100, graceMs: GRACE });

  describe('a COMMIT whose connection is lost', () => {
    let proxy: ReplyCutter;
    let cut: Node;

    beforeEach(async () => {
      proxy = await ReplyCutter.open((await sharedPostgres()).port);
      cut = await cluster.join(cluster.schema.urlBy(proxy.address));
    });
    afterEach(() => proxy[Symbol.asyncDispose]());

    it('after it took effect is found out, not repeated', async () => {
      cut.database.watch = (sql) => {
        if (!isMark(sql)) return;
        cut.database.watch = () => undefined;
        proxy.cutsNextCommit = true;
      };
      const { outcomes, claimed } = await cut.bench.exchange(
        [cut.bench.start('x')],
        cut.bench.takers(),
      );
      assert.equal(proxy.cutCount, 1);
      assert.deepEqual(outcomes.map(refusal), ['OK']);
      const [item] = claimed;
      assert.ok(item?.kind === 'orchestration');
      await a.bench.apply(turn(item, [complete('"once"')]));
      assert.equal((await a.bench.get('x')).output, '"once"');
    });

    it('before it took effect is repeated', async () => {
      let cuts = 0;
      const isLast = commitOfRound();
      cut.database.watch = (sql) => {
        if (!isLast(sql) || cuts > 0) return;
        cuts += 1;
        proxy.cut();
      };
      const item = await cut.bench.begin('x');
      await a.bench.apply(turn(item, [complete('"once"')]));
      assert.equal(cuts, 1);
      assert.equal((await a.bench.get('x')).output, '"once"');
    });

    it('is not answered before the database can be asked', async () => {
      let isAnswered = false;
      cut.database.watch = (sql) => {
        if (!isMark(sql)) return;
        cut.database.watch = () => undefined;
        proxy.cutsNextCommit = true;
        proxy.isAway = true;
      };
      const outcome = cut.bench.commit(cut.bench.start('x', { name: 'Other' })).then((answer) => {
        isAnswered = true;
        return answer;
      });
      await until(() => proxy.refusedCount >= 3);
      assert.equal(isAnswered, false);
      proxy.isAway = false;
      assert.equal(refusal(await outcome), 'OK');
      assert.equal((await a.bench.get('x')).name, 'Other');
    });
  });
});
