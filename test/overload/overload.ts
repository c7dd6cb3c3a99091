/** Ten times more than the scheduler can do, in one task hub, beside a quiet one. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { TaskHubClient } from '../../src/client/index.ts';
import { NodeProcess } from '../support/node-process.ts';
import { PostgresSchema } from '../support/postgres.ts';
import { PostgresServer } from '../support/postgres-server.ts';
import { idOf, NO_LOAD, type LoadLine } from './load.ts';
import { capacity, latencyOf, probe, type Latency } from './probe.ts';

export interface OverloadOptions {
  readonly store: 'sqlite' | 'postgres';
  readonly durationMs: number;
  /** Orchestrations a second that it can do; `undefined`: it is measured, in a scheduler of its own. */
  readonly capacity: number | undefined;
  /** How long capacity and latency are measured before, each, in ms. */
  readonly measureMs: number;
  /** Offered load as a multiple of what was measured. */
  readonly times: number;
  /** Rate limit of the loud hub as a multiple of what was measured; `undefined`: none. */
  readonly limit: number | undefined;
  /** How long accepted work may take to end once nothing is offered any more, in ms. */
  readonly patienceMs: number;
  readonly onProgress: (now: Progress) => void;
}

export interface Progress {
  readonly load: LoadLine;
  readonly megabytes: number;
}

export interface OverloadFigures {
  /** Orchestrations a second, in the loud hub alone. */
  readonly capacity: number;
  readonly load: LoadLine;
  /** Of the scheduler's process: at rest, and the most there was in the first and second half of the load. */
  readonly megabytes: { readonly before: number; readonly first: number; readonly second: number };
  readonly quiet: { readonly alone: Latency; readonly beside: Latency };
  /** Accepted starts without a right end. */
  readonly lost: number;
  /** How long the last accepted work took after the load, in ms. */
  readonly drainMs: number;
}

const LOUD = 'loud';
const QUIET = 'quiet';
const SAMPLE_MS = 500;
const PROBE_PAUSE_MS = 100;
const CHECKERS = 50;
const never = new AbortController().signal;

export async function overload(options: OverloadOptions): Promise<OverloadFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'overload-'));
  const server =
    options.store === 'postgres' ? await PostgresServer.start({ fsync: true }) : undefined;
  try {
    const storage = server
      ? (await PostgresSchema.create(server)).url
      : `sqlite:${join(folder, 'scheduler.db')}`;
    return await run(options, { storage, folder });
  } finally {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Place {
  readonly storage: string;
  readonly folder: string;
}

async function run(options: OverloadOptions, { storage, folder }: Place): Promise<OverloadFigures> {
  const { measureMs, times, limit, durationMs } = options;
  const measured =
    options.capacity ??
    (await serving(storage, [], async ({ endpoint }) => {
      await capacity({ endpoint, taskHub: LOUD }, { width: 50, durationMs: measureMs / 2 });
      return capacity({ endpoint, taskHub: LOUD }, { width: 200, durationMs: measureMs });
    }));
  const limits =
    limit === undefined ? [] : ['--hub-rate-limits', `${LOUD}=${Math.ceil(measured * limit)}`];
  return serving(storage, limits, async ({ endpoint, megabytes }) => {
    const alone = await probed(endpoint, measureMs);
    const before = await megabytes();
    const file = join(folder, 'accepted.json');
    const rate = Math.ceil(measured * times);
    const beside = startProbe(endpoint);
    const shape = [endpoint, LOUD, String(rate), String(durationMs), file];
    const { load, peaks } = await watched(shape, { options, megabytes });
    const endedAt = systemClock.now();
    const latency = latencyOf(await beside.stop());
    const accepted = JSON.parse(await readFile(file, 'utf8')) as number[];
    const lost = await countLost(endpoint, accepted, endedAt + options.patienceMs);
    return {
      ...{ capacity: measured, load, lost, drainMs: systemClock.now() - endedAt },
      megabytes: { before, ...peaks },
      quiet: { alone, beside: latency },
    };
  });
}

interface Serving {
  readonly endpoint: string;
  /** Memory of the scheduler's process now. */
  readonly megabytes: () => Promise<number>;
}

/** A scheduler and a worker for each hub, in processes of their own, for as long as `work` takes. */
async function serving<T>(
  storage: string,
  settings: readonly string[],
  work: (serving: Serving) => Promise<T>,
): Promise<T> {
  const ports = ['--grpc-port', '0', '--http-port', '0'];
  const hubs = ['--task-hubs', `${LOUD},${QUIET}`];
  const scheduler = NodeProcess.cli([
    ...['start', '--json', '--log-level', 'error', '--storage', storage],
    ...[...hubs, ...ports, ...settings],
  ]);
  const workers: NodeProcess[] = [];
  try {
    const { grpc: endpoint } = await scheduler.ready();
    for (const hub of [LOUD, QUIET]) {
      workers.push(new NodeProcess(new URL('./worker.ts', import.meta.url), [endpoint, hub]));
    }
    await Promise.all(workers.map((worker) => worker.ready()));
    return await work({ endpoint, megabytes: () => residentMegabytes(scheduler.pid ?? 0) });
  } finally {
    await scheduler.end('SIGTERM');
    for (const worker of workers) await worker.end('SIGKILL');
  }
}

async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

function startProbe(endpoint: string): { stop(): Promise<readonly number[]> } {
  const end = new AbortController();
  const options = { pauseMs: PROBE_PAUSE_MS, signal: end.signal };
  const samples = probe({ endpoint, taskHub: QUIET }, options);
  samples.catch(() => undefined);
  return {
    stop: () => {
      end.abort();
      return samples;
    },
  };
}

async function probed(endpoint: string, durationMs: number): Promise<Latency> {
  // The first ones pay for connecting and compiling.
  const warm = startProbe(endpoint);
  await pause(durationMs / 2);
  await warm.stop();
  const counted = startProbe(endpoint);
  await pause(durationMs);
  return latencyOf(await counted.stop());
}

interface Watched {
  readonly load: LoadLine;
  readonly peaks: { readonly first: number; readonly second: number };
}

/** Runs the load generator and looks at the scheduler meanwhile. */
async function watched(
  shape: readonly string[],
  { options, megabytes }: { options: OverloadOptions; megabytes: () => Promise<number> },
): Promise<Watched> {
  let load = NO_LOAD;
  const loader = new NodeProcess(new URL('./loader.ts', import.meta.url), shape, {
    onLine: (line) => {
      if (line.startsWith('{')) load = JSON.parse(line) as LoadLine;
    },
  });
  const half = systemClock.now() + options.durationMs / 2;
  const peaks = { first: 0, second: 0 };
  const ended = loader.ended().then(() => 'ended' as const);
  do {
    const now = await megabytes();
    const part = systemClock.now() < half ? 'first' : 'second';
    peaks[part] = Math.max(peaks[part], now);
    options.onProgress({ load, megabytes: now });
  } while ((await Promise.race([pause(SAMPLE_MS), ended])) !== 'ended');
  if (!load.isOver) throw new Error(`the load generator failed:\n${loader.output}`);
  return { load, peaks };
}

/** Waits for every accepted start, and counts those that do not end right. */
async function countLost(
  endpoint: string,
  accepted: readonly number[],
  lateAt: number,
): Promise<number> {
  const client = TaskHubClient.open({ endpoint, taskHub: LOUD });
  const left = [...accepted];
  let lost = 0;
  const check = async (): Promise<void> => {
    for (let n = left.pop(); n !== undefined; n = left.pop()) {
      const timeoutMs = Math.max(1, lateAt - systemClock.now());
      const state = await client
        .waitForOrchestrationCompletion(idOf(n), true, { timeoutMs })
        .catch(() => undefined);
      if (state?.serializedOutput !== String(2 * n)) lost += 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: CHECKERS }, check));
    return lost;
  } finally {
    await client.close();
  }
}

async function pause(ms: number): Promise<void> {
  await systemClock.sleepUntil(systemClock.now() + ms, { signal: never });
}
