/** `npm run bench -- <workload> [options]`: see `usage`. */
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { HelloSequenceResult, PerProcess } from './hello-sequence.ts';
import { helloSequence } from './hello-sequence.ts';
import type { Sdk } from './support/clients.ts';
import { median } from './support/percentile.ts';
import { topFunctions } from './support/top-functions.ts';

const usage = `npm run bench -- hello-sequence [options]

Workflows of three activities in turn, against a scheduler and a worker in processes of their own.

  --workflows N              workflows measured in each run (1500)
  --in-flight C              workflows at the same time (64)
  --rounds R                 runs of each worker, in turn (2)
  --storage sqlite|memory    durable on disk, or not (sqlite)
  --client ours|published    who starts and waits (ours)
  --worker ours|published|both   who works; both are run in turn and compared (both)
  --profile DIR              write CPU profiles of server and worker to DIR and print the top of them
  --json                     print the results as JSON on stdout
`;

interface Options {
  readonly workflows: number;
  readonly inFlight: number;
  readonly rounds: number;
  readonly storage: 'sqlite' | 'memory';
  readonly client: Sdk;
  readonly workers: readonly Sdk[];
  readonly profile: string | undefined;
  readonly json: boolean;
}

class UsageError extends Error {}

function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      workflows: { type: 'string', default: '1500' },
      'in-flight': { type: 'string', default: '64' },
      rounds: { type: 'string', default: '2' },
      storage: { type: 'string', default: 'sqlite' },
      client: { type: 'string', default: 'ours' },
      worker: { type: 'string', default: 'both' },
      profile: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  if (positionals.join(' ') !== 'hello-sequence') {
    throw new UsageError(`no workload '${positionals.join(' ')}'; there is hello-sequence`);
  }
  const worker = oneOf('--worker', values.worker, ['ours', 'published', 'both']);
  return {
    workflows: count('--workflows', values.workflows),
    inFlight: count('--in-flight', values['in-flight']),
    rounds: count('--rounds', values.rounds),
    storage: oneOf('--storage', values.storage, ['sqlite', 'memory']),
    client: oneOf('--client', values.client, ['ours', 'published']),
    workers: worker === 'both' ? ['ours', 'published'] : [worker],
    profile: values.profile,
    json: values.json,
  };
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError(`${name} must be a whole number above 0, got '${text}'`);
}

function oneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === text);
  if (found !== undefined) return found;
  throw new UsageError(`${name} must be one of ${allowed.join(', ')}, got '${text}'`);
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const { rounds, workers, profile, json } = options;
  const results: HelloSequenceResult[] = [];
  // In turn, so that what else the machine does hits all alike.
  for (let round = 1; round <= rounds; round++) {
    for (const worker of workers) {
      const title = `round ${round} of ${rounds}, worker ${worker}`;
      const result = await helloSequence({
        ...options,
        worker,
        profileDir: profile === undefined ? undefined : join(profile, `${worker}-${round}`),
        onProgress: (line) => process.stderr.write(`${title}: ${line}\n`),
      });
      results.push(result);
      process.stderr.write(`${title}: ${describe(result)}\n`);
    }
  }
  if (json) process.stdout.write(`${JSON.stringify(report(options, results))}\n`);
  else print(options, results);
}

function report(options: Options, results: readonly HelloSequenceResult[]): object {
  const { workflows, inFlight, rounds, storage } = options;
  const machine = { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model };
  return { workload: 'hello-sequence', workflows, inFlight, rounds, storage, machine, results };
}

function print(options: Options, results: readonly HelloSequenceResult[]): void {
  const { workflows, inFlight, storage, client, workers, rounds, profile } = options;
  const lines = [
    '',
    `hello-sequence: ${workflows} workflows, ${inFlight} in flight, storage ${storage}, client ${client}, ` +
      `median of ${rounds}, Node ${process.version}, ${cpus().length} CPUs`,
    '',
  ];
  const rates = new Map<Sdk, number>();
  for (const worker of workers) {
    const own = results.filter((result) => result.worker === worker);
    const rate = median(own.map(({ workflowsPerSecond }) => workflowsPerSecond));
    rates.set(worker, rate);
    const typical = own.find(({ workflowsPerSecond }) => workflowsPerSecond === rate);
    if (typical !== undefined) lines.push(`worker ${worker.padEnd(9)}  ${describe(typical)}`);
  }
  const ours = rates.get('ours');
  const published = rates.get('published');
  if (ours !== undefined && published !== undefined) {
    lines.push('', `ours / published: ${(ours / published).toFixed(2)}`);
  }
  if (profile !== undefined) {
    for (const worker of workers) lines.push(...profileLines(join(profile, `${worker}-1`), worker));
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

function describe(result: HelloSequenceResult): string {
  const { workflowsPerSecond, actionsPerSecond, p50Ms, p99Ms } = result;
  const share = (process: keyof PerProcess): string => {
    const percent = Math.round(result.cpuShare[process] * 100);
    return `${process} ${result.cpuSeconds[process].toFixed(1)} s (${percent} %)`;
  };
  return [
    `${workflowsPerSecond.toFixed(0)} workflows/s`,
    `${actionsPerSecond.toFixed(0)} actions/s`,
    `p50 ${p50Ms.toFixed(0)} ms`,
    `p99 ${p99Ms.toFixed(0)} ms`,
    `CPU ${share('server')}, ${share('worker')}, ${share('client')}`,
  ].join(', ');
}

function profileLines(folder: string, worker: Sdk): string[] {
  return ['server', `worker-${worker}`].flatMap((name) => [
    '',
    `${name}, own time without idle:`,
    ...topFunctions(join(folder, `${name}.cpuprofile`), 25).map(
      ({ name: each, share }) => `${(share * 100).toFixed(1).padStart(6)} %  ${each}`,
    ),
  ]);
}

try {
  await main();
} catch (error) {
  const isUsage =
    error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  if (isUsage !== true) throw error;
  process.stderr.write(`bench: ${(error as Error).message}\n\n${usage}`);
  process.exitCode = 2;
}
