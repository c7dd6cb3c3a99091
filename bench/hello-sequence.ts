import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openBenchFolder } from './support/bench-folder.ts';
import type { BenchClient, Sdk } from './support/clients.ts';
import { openClient } from './support/clients.ts';
import { ChildProcess } from './support/child-process.ts';
import { cpuSeconds } from './support/child-side.ts';
import { EXPECTED_OUTPUT } from './support/hello.ts';
import { percentile } from './support/percentile.ts';

export interface HelloSequenceOptions {
  /** Workflows that are measured. */
  readonly workflows: number;
  /** Workflows that run at the same time. */
  readonly inFlight: number;
  readonly storage: 'sqlite' | 'memory';
  readonly client: Sdk;
  readonly worker: Sdk;
  /** Where the server's and the worker's CPU profiles go. */
  readonly profileDir?: string | undefined;
  readonly onProgress: (line: string) => void;
}

/** Who used how much CPU: seconds, or shares of the whole. */
export interface PerProcess {
  readonly server: number;
  readonly worker: number;
  readonly client: number;
}

export interface HelloSequenceResult {
  readonly client: Sdk;
  readonly worker: Sdk;
  readonly seconds: number;
  readonly workflowsPerSecond: number;
  readonly actionsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuSeconds: PerProcess;
  readonly cpuShare: PerProcess;
}

const SERVER = new URL('./processes/server.ts', import.meta.url);
const WORKERS = {
  ours: new URL('./processes/worker-ours.ts', import.meta.url),
  published: new URL('./processes/worker-published.ts', import.meta.url),
} as const satisfies Record<Sdk, URL>;

/** One start, three activities scheduled and three completed. */
const ACTIONS_PER_WORKFLOW = 7;
const WARM_UP_SHARE = 0.1;
const PROGRESS_MS = 2000;

/**
 * Workflows of three activities in turn: how many per second, how long each takes from its start to
 * its output in the client's hands, and which process the CPU time goes to. Server and worker run
 * in processes of their own, the client in this one.
 */
export async function helloSequence(options: HelloSequenceOptions): Promise<HelloSequenceResult> {
  const folder = openBenchFolder();
  const storage = options.storage === 'memory' ? 'memory' : `sqlite:${join(folder, 'bench.db')}`;
  try {
    return await runOn(storage, options);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function runOn(storage: string, options: HelloSequenceOptions): Promise<HelloSequenceResult> {
  const { profileDir } = options;
  const server = await ChildProcess.open({ file: SERVER, args: [storage], profileDir });
  try {
    const file = WORKERS[options.worker];
    const worker = await ChildProcess.open({ file, args: [server.endpoint], profileDir });
    const client = openClient(options.client, server.endpoint);
    try {
      await runAll(client, Math.ceil(options.workflows * WARM_UP_SHARE), options);
      return await measure({ client, server, worker }, options);
    } finally {
      await client.close();
      await worker.close();
    }
  } finally {
    await server.close();
  }
}

interface Parts {
  readonly client: BenchClient;
  readonly server: ChildProcess;
  readonly worker: ChildProcess;
}

async function measure(parts: Parts, options: HelloSequenceOptions): Promise<HelloSequenceResult> {
  const { workflows } = options;
  const before = await cpuOf(parts);
  const startedAt = performance.now();
  const latencies = await runAll(parts.client, workflows, options);
  const seconds = (performance.now() - startedAt) / 1000;
  const after = await cpuOf(parts);
  const cpu = mapProcesses((process) => after[process] - before[process]);
  const total = cpu.server + cpu.worker + cpu.client;
  return {
    client: options.client,
    worker: options.worker,
    seconds,
    workflowsPerSecond: workflows / seconds,
    actionsPerSecond: (workflows * ACTIONS_PER_WORKFLOW) / seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    cpuSeconds: cpu,
    cpuShare: mapProcesses((process) => cpu[process] / total),
  };
}

async function cpuOf({ server, worker }: Parts): Promise<PerProcess> {
  const [ofServer, ofWorker] = await Promise.all([server.cpuSeconds(), worker.cpuSeconds()]);
  return { server: ofServer, worker: ofWorker, client: cpuSeconds() };
}

function mapProcesses(value: (process: keyof PerProcess) => number): PerProcess {
  return { server: value('server'), worker: value('worker'), client: value('client') };
}

/** Runs so many workflows, never more than `inFlight` at once; returns their latencies in ms. */
async function runAll(
  client: BenchClient,
  count: number,
  { inFlight, onProgress }: HelloSequenceOptions,
): Promise<number[]> {
  const latencies: number[] = [];
  let started = 0;
  const lane = async (): Promise<void> => {
    while (started < count) {
      started += 1;
      const startedAt = performance.now();
      const output = await client.run('HelloCities');
      if (output !== EXPECTED_OUTPUT) throw new Error(`a workflow ended with ${String(output)}`);
      latencies.push(performance.now() - startedAt);
    }
  };
  const progress = setInterval(() => {
    onProgress(`${latencies.length} of ${count}`);
  }, PROGRESS_MS);
  try {
    await Promise.all(Array.from({ length: Math.min(inFlight, count) }, lane));
  } finally {
    clearInterval(progress);
  }
  return latencies;
}
