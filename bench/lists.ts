/**
 * What the dashboard asks, over a SQLite file with a million instances, and what it does to those who work meanwhile.
 *   npm run build && node bench/lists.ts --instances 1000000 --rounds 5
 * The file is kept in .tmp and used again. Exits with 1 if a median is over 200 ms, or if the p99 of workflows grows
 * by more than half (the median of the rounds' ratios).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, renameSync } from 'node:fs';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openClient } from './support/clients.ts';
import { ChildProcess } from './support/child-process.ts';
import { EXPECTED_OUTPUT } from './support/hello.ts';
import { listQueries, type ListQuery } from './support/list-queries.ts';
import { fillDatabase } from './support/many-instances.ts';
import { median, percentile } from './support/percentile.ts';

const MEDIAN_MAX_MS = 200;
const RATIO_MAX = 1.5;
const WORKER = new URL('./processes/worker-ours.ts', import.meta.url);

const { values } = parseArgs({
  options: {
    instances: { type: 'string', default: '1000000' },
    times: { type: 'string', default: '15' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '10' },
    rate: { type: 'string', default: '50' },
    'think-ms': { type: 'string', default: '200' },
  },
});
const instances = Number(values.instances);
const path = fileURLToPath(new URL(`../.tmp/bench-lists-${instances}.db`, import.meta.url));

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function answer(http: string, { path: at }: ListQuery): Promise<number> {
  const startedAt = performance.now();
  const response = await fetch(`${http}/api/v1/hubs/default${at}`);
  const text = await response.text();
  if (!response.ok) throw new Error(`${at} answered ${response.status}: ${text.slice(0, 200)}`);
  return performance.now() - startedAt;
}

async function measureLists(http: string, queries: readonly ListQuery[]): Promise<boolean> {
  process.stdout.write('| Query | Median ms | p95 ms | Most ms |\n| --- | --- | --- | --- |\n');
  let isGood = true;
  for (const query of queries) {
    const times: number[] = [];
    for (let time = 0; time < Number(values.times); time += 1)
      times.push(await answer(http, query));
    const middle = median(times);
    isGood &&= middle <= MEDIAN_MAX_MS;
    const cells = [middle, percentile(times, 0.95), Math.max(...times)].map((ms) => ms.toFixed(1));
    process.stdout.write(`| ${query.title} | ${cells.join(' | ')} |\n`);
  }
  return isGood;
}

/** Latencies in ms of workflows that are started at an even rate, whatever became of those before. */
async function work(endpoint: string): Promise<readonly number[]> {
  const client = openClient('ours', endpoint);
  const rate = Number(values.rate);
  const latencies: Promise<number>[] = [];
  const startedAt = performance.now();
  for (let index = 0; index < rate * Number(values.seconds); index += 1) {
    await sleep(Math.max(0, startedAt + (index * 1000) / rate - performance.now()));
    latencies.push(runOne(client));
  }
  const all = await Promise.all(latencies);
  await client.close();
  return all;
}

async function runOne(client: ReturnType<typeof openClient>): Promise<number> {
  const startedAt = performance.now();
  const output = await client.run('HelloCities');
  if (output !== EXPECTED_OUTPUT) throw new Error(`a workflow ended with ${String(output)}`);
  return performance.now() - startedAt;
}

interface Look {
  readonly endpoint: string;
  readonly http: string;
  readonly queries: readonly ListQuery[];
}

/** As `work`, while somebody asks one query after the other. */
async function workWatched({ endpoint, http, queries }: Look): Promise<readonly number[]> {
  let isOver = false;
  const watch = async (): Promise<void> => {
    for (let index = 0; !isOver; index += 1) {
      const query = queries[index % queries.length];
      if (query) await answer(http, query);
      await sleep(Number(values['think-ms']));
    }
  };
  const watching = watch();
  const latencies = await work(endpoint);
  isOver = true;
  await watching;
  return latencies;
}

async function measureDispatch(look: Look): Promise<boolean> {
  await work(look.endpoint);
  const ratios: number[] = [];
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    const isFirst = round % 2 === 0;
    const early = isFirst ? await workWatched(look) : await work(look.endpoint);
    const late = isFirst ? await work(look.endpoint) : await workWatched(look);
    const [without, watched] = isFirst ? [late, early] : [early, late];
    const [before, after] = [percentile(without, 0.99), percentile(watched, 0.99)];
    ratios.push(after / before);
    say(
      `round ${round}, ${without.length} workflows each: p50 ${median(without).toFixed(0)} and ${median(watched).toFixed(0)} ms, ` +
        `p99 ${before.toFixed(0)} and ${after.toFixed(0)} ms`,
    );
  }
  const ratio = median(ratios);
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  process.stdout.write(`\nworkflow p99 with queries : without = ${ratio.toFixed(2)} (${range})\n`);
  return ratio <= RATIO_MAX;
}

/** In a process of its own, as it is in production. */
async function openScheduler() {
  const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
  const args = ['--json', '--grpc-port', '0', '--http-port', '0', '--log-level', 'warn'];
  const child = spawn(process.execPath, [main, 'start', ...args, '--storage', `sqlite:${path}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { grpc, http } = JSON.parse(line) as { readonly grpc: string; readonly http: string };
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  return { grpc, http, close };
}

if (!existsSync(path)) {
  const startedAt = performance.now();
  let shownAt = startedAt;
  await fillDatabase({
    path: `${path}.part`,
    instances,
    onProgress: (done) => {
      if (performance.now() - shownAt < 2000) return;
      shownAt = performance.now();
      say(`${done} of ${instances} instances`);
    },
  });
  renameSync(`${path}.part`, path);
  say(`filled in ${((performance.now() - startedAt) / 1000).toFixed(0)} s: ${path}`);
}
const scheduler = await openScheduler();
process.stdout.write(
  `${instances} instances in SQLite, ${values.times} times each, Node ${process.version}, ${cpus().length} CPUs\n\n`,
);
const queries = await listQueries(`${scheduler.http}/api/v1/hubs/default`, instances);
const isFast = await measureLists(scheduler.http, queries);
const worker = await ChildProcess.open({ file: WORKER, args: [scheduler.grpc] });
const isCalm = await measureDispatch({
  endpoint: scheduler.grpc,
  http: scheduler.http,
  queries,
});
await worker.close();
await scheduler.close();
process.exit(isFast && isCalm ? 0 : 1);
