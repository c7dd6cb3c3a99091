import assert from 'node:assert/strict';
import { systemClock, type Clock } from '../../src/base/clock.ts';
import { TaskHubClient } from '../../src/client/index.ts';
import { openScheduler, type RunningScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { TaskHubWorker } from '../../src/worker/index.ts';
import { PostgresSchema, sharedPostgres, stopSharedPostgres } from '../support/postgres.ts';

const HOUR_MS = 3_600_000;

/** A machine's clock that is off. */
function offBy(ms: number): Clock {
  return {
    now: () => systemClock.now() + ms,
    sleepUntil: (at, options) => systemClock.sleepUntil(at - ms, options),
  };
}

describe('schedulers whose clocks are hours apart', function () {
  this.timeout(30_000);
  let schema: PostgresSchema;
  const nodes: RunningScheduler[] = [];
  const workers: TaskHubWorker[] = [];

  before(() => sharedPostgres());
  after(stopSharedPostgres);
  beforeEach(async () => {
    schema = await PostgresSchema.create();
    for (const ms of [HOUR_MS, -HOUR_MS]) {
      nodes.push(
        await openScheduler({
          ...{ storage: schema.url, grpcPort: 0, httpPort: 0, logger: silentLogger },
          clock: offBy(ms),
        }),
      );
    }
  });
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.stop();
    for (const node of nodes.splice(0)) await node.close();
    await schema[Symbol.asyncDispose]();
  });

  async function work(node: RunningScheduler | undefined, nap: Promise<unknown>): Promise<void> {
    const worker = new TaskHubWorker({ endpoint: node?.grpcEndpoint ?? '', taskHub: 'default' });
    worker.addNamedOrchestrator('Naps', function* (context, count: number) {
      for (let n = 0; n < count; n += 1) {
        yield context.createTimer(new Date(context.currentUtcDateTime.getTime() + 100));
      }
      yield context.callActivity('Nap');
    });
    worker.addNamedActivity('Nap', () => nap);
    await worker.start();
    await worker.connected();
    workers.push(worker);
  }

  it('fire timers in time, keep what the other has leased, and store the same times', async () => {
    const nap = Promise.withResolvers<undefined>();
    let heartbeats: Record<string, unknown>[] = [];
    for (const node of nodes) await work(node, nap.promise);
    const clients = nodes.map(({ grpcEndpoint: endpoint }) =>
      TaskHubClient.open({ endpoint, taskHub: 'default' }),
    );
    const database = await schema.connect();
    try {
      const ids = await Promise.all(
        clients.flatMap((client) =>
          Array.from({ length: 5 }, () => client.scheduleNewOrchestration('Naps', 3)),
        ),
      );
      const held = `select count(*)::int as n, coalesce(sum(attempts), 0)::int as lost from activities where token is not null`;
      const until = async (sql: string, isTrue: (row: Record<string, unknown>) => boolean) => {
        const deadline = performance.now() + 15_000;
        for (;;) {
          const { rows } = await database.query<Record<string, unknown>>(sql);
          if (rows[0] && isTrue(rows[0])) return;
          assert.ok(performance.now() < deadline, `${sql}: ${JSON.stringify(rows)}`);
        }
      };
      // Timers of both have fired: had one gone by its own clock, some would be due in an hour.
      await until(held, ({ n }) => n === 10);
      // Each has looked for the dead since, and found nobody.
      const [beat] = (await database.query('select min(heartbeat_at) as at from nodes')).rows as [
        { at: string },
      ];
      const looked = `select min(heartbeat_at) - ${beat.at} as passed from nodes`;
      await until(looked, ({ passed }) => Number(passed) >= 2000);
      await until(held, ({ n, lost }) => n === 10 && lost === 0);
      heartbeats = (
        await database.query(
          `select abs(heartbeat_at - extract(epoch from clock_timestamp()) * 1000) as off from nodes`,
        )
      ).rows as Record<string, unknown>[];
      nap.resolve(undefined);
      for (const id of ids) {
        const state = await clients[0]?.waitForOrchestrationCompletion(id);
        const ageMs = systemClock.now() - (state?.createdAt.getTime() ?? 0);
        assert.ok(ageMs >= -1000 && ageMs < 60_000, `created ${ageMs} ms ago`);
      }
    } finally {
      for (const client of clients) await client.close();
      await database.end();
    }
    assert.equal(heartbeats.length, 2);
    for (const { off } of heartbeats) assert.ok(Number(off) < 10_000, `${String(off)} ms off`);
  });
});
