import assert from 'node:assert/strict';
import { Random } from '../../src/testing/random.ts';
import { stopSharedPostgres, sharedPostgres } from '../support/postgres.ts';
import { fold } from './store/laws.contract.ts';
import { CALM, Crowd } from './two-stores/crowd.ts';
import { Cluster } from './two-stores/pair.ts';
import { deadlocksOf, faultsOf, liveInstances } from './two-stores/tables.ts';

/** Another seed: `CROWD_SEED=7 mocha test/contract/crowd.contract.test.ts`. */
const SEED = Number(process.env['CROWD_SEED'] ?? 1);
const RUNS = Number(process.env['CROWD_RUNS'] ?? 3);

describe('two stores with a crowd on the same instances', function () {
  this.timeout(60_000);
  before(() => sharedPostgres());
  after(stopSharedPostgres);

  for (let seed = SEED; seed < SEED + RUNS; seed += 1) {
    it(`lose nothing, double nothing and never deadlock: seed ${seed}`, async () => {
      const cluster = await Cluster.open(2);
      const before = await deadlocksOf(cluster.schema);
      try {
        const crowd = new Crowd(cluster.nodes, new Random(seed));
        await crowd.play(8, 40);
        assert.deepEqual(await faultsOf(cluster.schema), []);
        await crowd.finish(() => liveInstances(cluster.schema));
        assert.deepEqual(await faultsOf(cluster.schema), []);
        await check(crowd, cluster);
        for (const { bench } of cluster.nodes) await bench.close();
        assert.equal(await deadlocksOf(cluster.schema), before);
      } finally {
        await cluster[Symbol.asyncDispose]();
      }
    });
  }
});

async function check(crowd: Crowd, cluster: Cluster): Promise<void> {
  for (const [token, times] of crowd.answered) assert.equal(times, 1, `${token} was taken twice`);
  const [node] = cluster.nodes;
  assert.ok(node);
  for (const id of CALM) {
    const { status, output } = await node.bench.get(id);
    const history = await node.bench.history(id);
    assert.deepEqual({ status, output }, fold(history));
    const names = history.flatMap(({ eventType }) =>
      eventType.case === 'eventRaised' ? [eventType.value.name] : [],
    );
    const count = (name: string): number =>
      history.filter(({ eventType }) => eventType.case === name).length;
    const asked = crowd.asked.get(id);
    const raised = crowd.raised.get(id) ?? [];
    // What came after its last turn is not in the history of an instance that has ended.
    assert.deepEqual(names.filter((name) => raised.includes(name)).length, names.length);
    assert.equal(new Set(names).size, names.length, 'an event came twice');
    assert.deepEqual(
      {
        tasks: count('taskCompleted'),
        timers: count('timerFired'),
        turns: count('orchestratorStarted'),
      },
      asked,
    );
  }
}
