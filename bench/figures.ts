/**
 * What it costs to ask how much work there is, with a million activities that wait, and with a million that do not.
 *   node bench/figures.ts --rows 1000000 --rounds 5
 * Each engine starts with an empty store. `asked`: the store is read; `again`: while the answer is kept.
 */
import { rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { systemIds } from '../src/base/ids.ts';
import { TaskHubClient } from '../src/client/index.ts';
import { openScheduler } from '../src/server/index.ts';
import { openDatabase } from '../src/storage/open-store.ts';
import { KIND } from '../src/storage/sql/rows.ts';
import { silentLogger } from '../src/telemetry/logger.ts';
import { PostgresServer } from '../test/support/postgres-server.ts';
import { openBenchFolder } from './support/bench-folder.ts';
import { ChildProcess } from './support/child-process.ts';
import { median } from './support/percentile.ts';

const NAMES = 20;
const FIRST_ID = 1_000_000_000;
/** An answer is kept for a second, and ten times as long as it took. */
const KEPT_MS = 1050;
const KEPT_FACTOR = 10.5;
const SERVER = new URL('./processes/server.ts', import.meta.url);

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
  },
});
const rows = Number(values.rows);

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Activities of twenty names; those that do not wait have neither a time nor a holder, as when they are handed out. */
async function fill(storage: string, isWaiting: boolean): Promise<void> {
  const made = await openScheduler({ storage, grpcPort: 0, httpPort: 0, logger: silentLogger });
  await made.close();
  const parts = { logger: silentLogger, clock: systemClock, ids: systemIds };
  const database = await openDatabase({ storage, ...parts });
  await database.transaction(async (session) => {
    const [hub] = await session.all("select hub from hubs where name = 'default'", []);
    for (let name = 0; name < NAMES; name += 1) {
      await session.run(
        'insert into types (type, hub, kind, name, version) values ($1, $2, $3, $4, $5)',
        [FIRST_ID + name, Number(hub?.['hub']), KIND.activity, `Work${name}`, ''],
      );
    }
    await session.run(
      `insert into activities (hub, aid, rid, exec, type, task, node, attempts, abandons, ready_at, detached, bytes)
       with recursive n (i) as (select 1 union all select i + 1 from n where i < ${rows})
       select ${Number(hub?.['hub'])}, ${FIRST_ID} + i, ${FIRST_ID} + i, 0, ${FIRST_ID} + i % ${NAMES}, 1, 0, 0, 0,
              ${isWaiting ? `${systemClock.now()} - i` : 'null'}, 0, $1
         from n`,
      [new Uint8Array(100)],
    );
  });
  await database.close();
}

type Question = 'GET /metrics' | 'GetMetrics';

/** Milliseconds of answers that read the store, and of those that need not. */
async function measure(storage: string, isWaiting: boolean): Promise<void> {
  say(
    `${storage.replace(/:.*/, '')}: ${rows} activities, ${isWaiting ? 'waiting' : 'not waiting'}`,
  );
  await fill(storage, isWaiting);
  const server = await ChildProcess.open({ file: SERVER, args: [storage] });
  const client = TaskHubClient.open({ endpoint: server.endpoint, taskHub: 'default' });
  const ask: Readonly<Record<Question, () => Promise<number | undefined>>> = {
    'GET /metrics': async () => {
      const text = await (await fetch(`${server.httpEndpoint}/metrics`)).text();
      return Number(/pending\{task_hub="default",kind="activity"\} (\d+)/.exec(text)?.[1]);
    },
    GetMetrics: async () => (await client.getWorkItemMetrics()).activityWorkItems?.pending,
  };
  try {
    for (const question of ['GET /metrics', 'GetMetrics'] as const) {
      const asked: number[] = [];
      const again: number[] = [];
      for (let round = 0; round < Number(values.rounds); round += 1) {
        await delay(Math.max(KEPT_MS, KEPT_FACTOR * Math.max(0, ...asked.slice(-1))));
        asked.push(await timeOf(ask[question], isWaiting ? rows : 0));
        again.push(await timeOf(ask[question], isWaiting ? rows : 0));
        say(`  ${question} ${round + 1}: ${asked.at(-1)?.toFixed(1)} ms`);
      }
      const cells = [median(asked), Math.max(...asked), median(again)].map((ms) => ms.toFixed(1));
      const engine = storage.startsWith('postgres') ? 'PostgreSQL' : 'SQLite';
      process.stdout.write(
        `| ${engine} | ${isWaiting ? 'waiting' : 'not waiting'} | ${question} | ${cells.join(' | ')} |\n`,
      );
    }
  } finally {
    await client.close();
    await server.close();
  }
}

async function timeOf(ask: () => Promise<number | undefined>, expected: number): Promise<number> {
  const startedAt = performance.now();
  const pending = await ask();
  const took = performance.now() - startedAt;
  if (pending !== expected) throw new Error(`${expected} wait, but ${pending} were told`);
  return took;
}

process.stdout.write(
  `${rows} activities of ${NAMES} names, median of ${values.rounds}, Node ${process.version}, ${cpus().length} CPUs\n\n` +
    '| Engine | Activities are | Question | Asked, ms | At most, ms | Again, ms |\n| --- | --- | --- | --- | --- | --- |\n',
);
const folder = openBenchFolder();
const postgres = await PostgresServer.start({ fsync: false });
try {
  for (const isWaiting of [true, false]) {
    await measure(`sqlite:${join(folder, `${isWaiting}.db`)}`, isWaiting);
    await measure(`${postgres.url}?schema=waiting_${isWaiting}`, isWaiting);
  }
} finally {
  await postgres.stop();
  rmSync(folder, { recursive: true });
}
