import assert from 'node:assert/strict';
import { EntityInstanceId } from '@microsoft/durabletask-js';
import { entityPeer, PEERS } from '../support/entity-peers.ts';

for (const kind of PEERS) {
  describe(`Entity queries of ${kind.name}`, function () {
    this.timeout(20_000);
    const peer = entityPeer(kind);
    peer.entity('Thing', ({ state, context }) => {
      state.setState(context.id.key);
    });
    peer.entity('Thingy', ({ state }) => {
      state.setState('other');
    });

    peer.orchestrator('Echo', async function* (_, input) {
      return input;
    });

    const keys = Array.from({ length: 12 }, (_, n) => `k${String(n).padStart(2, '0')}`);
    const ids = async (query: Parameters<typeof peer.client.getEntities>[0]): Promise<string[]> =>
      (await Array.fromAsync(peer.client.getEntities(query))).map(({ id }) => id.toString());

    before(async () => {
      for (const key of keys)
        await peer.client.signalEntity(new EntityInstanceId('Thing', key), 'x');
      await peer.client.signalEntity(new EntityInstanceId('Thingy', 'K'), 'x');
      await peer.stateIs(new EntityInstanceId('Thingy', 'K'), 'other');
      for (const key of keys) await peer.stateIs(new EntityInstanceId('Thing', key), key);
    });

    // [wp 7.7-query]
    it('find entities by the beginning of their id, in order', async () => {
      assert.deepEqual(
        await ids({ instanceIdStartsWith: 'THING@' }),
        keys.map((key) => `@thing@${key}`),
      );
      assert.deepEqual(await ids({ instanceIdStartsWith: '@Thing@k1' }), [
        '@thing@k10',
        '@thing@k11',
      ]);
      assert.equal((await ids({ instanceIdStartsWith: 'thing' })).length, 13);
      assert.deepEqual(await ids({ instanceIdStartsWith: 'thing@K' }), []);
    });

    it('give all pages, each entity once', async () => {
      const sizes: number[] = [];
      const seen: string[] = [];
      const query = { instanceIdStartsWith: 'thing@', pageSize: 5 };
      for await (const page of peer.client.getEntities(query).asPages()) {
        sizes.push(page.values.length);
        seen.push(...page.values.map(({ id }) => id.key));
      }
      assert.deepEqual([sizes.slice(0, 2), seen], [[5, 5], keys]);
    });

    it('go on where a token says', async () => {
      const query = { instanceIdStartsWith: 'thing@', pageSize: 5 };
      let token: string | undefined;
      for await (const page of peer.client.getEntities(query).asPages()) {
        token = page.continuationToken;
        break;
      }
      assert.ok(token);
      const rest = await Array.fromAsync(
        peer.client.getEntities({ ...query, continuationToken: token }),
      );
      assert.deepEqual(
        rest.map(({ id }) => id.key),
        keys.slice(5),
      );
    });

    it('give the state, or leave it out', async () => {
      const query = { instanceIdStartsWith: 'thing@k00' };
      const [full] = await Array.fromAsync(peer.client.getEntities(query));
      const [bare] = await Array.fromAsync(
        peer.client.getEntities({ ...query, includeState: false }),
      );
      assert.deepEqual([full?.includesState, full?.state], [true, 'k00']);
      assert.equal(bare?.includesState, false);
      assert.throws(() => bare.state, /Cannot retrieve state when includesState is false/);
      const alone = await peer.client.getEntity(new EntityInstanceId('Thing', 'k00'), false);
      assert.equal(alone?.includesState, false);
    });

    it('find entities by the time of their last change', async () => {
      const entity = await peer.client.getEntity(new EntityInstanceId('Thing', 'k05'));
      assert.ok(entity);
      const at = entity.lastModifiedTime;
      const later = new Date(at.getTime() + 3_600_000);
      const prefix = { instanceIdStartsWith: 'thing@k05' };
      const found = await Promise.all(
        [{ lastModifiedFrom: at }, { lastModifiedFrom: later }, { lastModifiedTo: later }].map(
          async (times) => (await ids({ ...prefix, ...times })).length,
        ),
      );
      assert.deepEqual(found, [1, 0, 1]);
    });

    // [wp 7.1-no-orchestration]
    it('are apart from those of orchestrations', async () => {
      const started = await peer.start('Echo', 1);
      await peer.outputOf(started);
      const listed = await Array.fromAsync(peer.client.getAllInstances());
      assert.deepEqual(
        listed.map(({ instanceId }) => instanceId),
        [started],
      );
      assert.equal(await peer.client.getOrchestrationState('@thing@k00'), undefined);
    });

    it('know nothing of an entity that nobody has made', async () => {
      assert.equal(await peer.client.getEntity(new EntityInstanceId('Thing', 'none')), undefined);
      assert.deepEqual(await ids({ instanceIdStartsWith: 'nothing@' }), []);
    });

    // [wp 7.7-clean]
    it('find nothing to clean', async () => {
      const cleaned = await peer.client.cleanEntityStorage();
      assert.deepEqual(
        [cleaned.emptyEntitiesRemoved, cleaned.orphanedLocksReleased, cleaned.continuationToken],
        [0, 0, undefined],
      );
      assert.equal((await ids({ instanceIdStartsWith: 'thing@' })).length, 12);
    });
  });
}
