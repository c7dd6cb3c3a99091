/**
 * Simulated lives of the scheduler, each chosen by its seed.
 *
 *   node scripts/simulate.ts --seed 42            one seed, step by step
 *   node scripts/simulate.ts --seeds 5000         many, from --from (default 1); stops at the first that fails
 *   node scripts/simulate.ts --seeds 5000 --all   as above, and goes on after a failure
 *   node scripts/simulate.ts --seeds 5000 --threads 1   on fewer threads than there are processors
 *   node scripts/simulate.ts --seed 221 --long    the lives that once failed: longer, with more in each
 *   node scripts/simulate.ts --seeds 1000 --bank 100   a bank with so many transfers under locks, and nothing else
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { createStreamLogger } from '../src/telemetry/logger.ts';
import { simulate } from '../test/simulation/simulation.ts';
import {
  optionsOf,
  type Failure,
  type RangeResult,
  type SeedRange,
  type ThreadOptions,
} from './simulate-thread.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    all: { type: 'boolean', default: false },
    bank: { type: 'string' },
    long: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});

const bank = values.bank === undefined ? undefined : Number(values.bank);

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function reportFailure({ seed, violation, steps }: Failure): void {
  print(`seed ${seed} failed at step ${steps}: ${violation}`);
  const how = bank === undefined ? (values.long ? ' --long' : '') : ` --bank ${bank}`;
  print(`  node scripts/simulate.ts --seed ${seed}${how}`);
}

async function runOne(seed: number): Promise<boolean> {
  const logger = createStreamLogger({
    level: 'warn',
    format: 'text',
    write: (line) => process.stdout.write(`        ${line}`),
    now: () => 0,
  });
  const result = await simulate({
    ...optionsOf(seed, { bank, isLong: values.long }),
    ...(!values.quiet && { onStep: print, logger }),
  });
  if (result.violation === undefined)
    print(`seed ${seed} held: ${result.steps} steps, ${result.faults} faults`);
  else {
    for (const line of result.disk) print(line);
    reportFailure({ ...result, violation: result.violation });
  }
  return result.violation === undefined;
}

/** Lives leave little behind: with room for the young, the collector has less to do. */
const YOUNG_MEGABYTES = 96;

/** Small enough that all threads end at about the same time. */
const RANGE = 20;

interface Sum {
  lived: number;
  steps: number;
  faults: number;
  instances: number;
  failed: number;
}

/** Hands out the seeds to a thread for each processor, in order. */
async function runMany(from: number, count: number): Promise<boolean> {
  const startedAt = performance.now();
  const sum: Sum = { lived: 0, steps: 0, faults: 0, instances: 0, failed: 0 };
  let next = from;
  const take = (): SeedRange | undefined => {
    if (next >= from + count || (sum.failed > 0 && !values.all)) return undefined;
    const range = { from: next, count: Math.min(RANGE, from + count - next) };
    next += range.count;
    return range;
  };
  const threads = Math.min(Number(values.threads), Math.ceil(count / RANGE));
  await Promise.all(Array.from({ length: threads }, () => runThread(take, sum, count)));
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  print(
    `${sum.lived} seeds from ${from}: ${sum.failed} failed, ${sum.instances} scenarios, ${sum.steps} steps, ${sum.faults} faults, ${seconds} s on ${threads} threads`,
  );
  return sum.failed === 0;
}

async function runThread(
  take: () => SeedRange | undefined,
  sum: Sum,
  count: number,
): Promise<void> {
  const workerData: ThreadOptions = { bank, isLong: values.long, all: values.all };
  const thread = new Worker(new URL('simulate-thread.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
  });
  for (let range = take(); range; range = take()) {
    thread.postMessage(range);
    const [result] = (await once(thread, 'message')) as [RangeResult];
    add(sum, result, count);
  }
  await thread.terminate();
}

function add(sum: Sum, result: RangeResult, count: number): void {
  const before = sum.lived;
  sum.lived += result.lived;
  sum.steps += result.steps;
  sum.faults += result.faults;
  sum.instances += result.instances;
  sum.failed += result.failures.length;
  for (const failure of result.failures) reportFailure(failure);
  if (Math.floor(before / 500) < Math.floor(sum.lived / 500)) {
    print(`${sum.lived} of ${count} seeds, ${sum.failed} failed`);
  }
}

const isGood =
  values.seed === undefined
    ? await runMany(Number(values.from), Number(values.seeds))
    : await runOne(Number(values.seed));
process.exitCode = isGood ? 0 : 1;
