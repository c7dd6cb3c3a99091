/**
 * Simulated lives of the scheduler, each chosen by its seed.
 *
 *   node scripts/simulate.ts --seed 42            one seed, step by step
 *   node scripts/simulate.ts --seeds 5000         many, from --from (default 1); stops at the first that fails
 *   node scripts/simulate.ts --seeds 5000 --all   as above, and goes on after a failure
 *   node scripts/simulate.ts --seeds 1000 --bank 100   a bank with so many transfers under locks, and nothing else
 */
import { parseArgs } from 'node:util';
import { createStreamLogger } from '../src/telemetry/logger.ts';
import { bankOptions } from '../test/simulation/bank.ts';
import {
  simulate,
  type SimulationOptions,
  type SimulationResult,
} from '../test/simulation/simulation.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    all: { type: 'boolean', default: false },
    bank: { type: 'string' },
    quiet: { type: 'boolean', default: false },
  },
});

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function optionsOf(seed: number): SimulationOptions {
  return values.bank === undefined ? { seed } : bankOptions(seed, Number(values.bank));
}

function reportFailure({ seed, violation, steps }: SimulationResult): void {
  print(`seed ${seed} failed at step ${steps}: ${violation ?? ''}`);
  const bank = values.bank === undefined ? '' : ` --bank ${values.bank}`;
  print(`  node scripts/simulate.ts --seed ${seed}${bank}`);
}

async function runOne(seed: number): Promise<boolean> {
  const logger = createStreamLogger({
    level: 'warn',
    format: 'text',
    write: (line) => process.stdout.write(`        ${line}`),
    now: () => 0,
  });
  const result = await simulate({
    ...optionsOf(seed),
    ...(!values.quiet && { onStep: print, logger }),
  });
  if (result.violation === undefined)
    print(`seed ${seed} held: ${result.steps} steps, ${result.faults} faults`);
  else {
    for (const line of result.disk) print(line);
    reportFailure(result);
  }
  return result.violation === undefined;
}

async function runMany(from: number, count: number): Promise<boolean> {
  const startedAt = performance.now();
  const sum = { steps: 0, faults: 0, instances: 0, failed: 0 };
  for (let seed = from; seed < from + count; seed += 1) {
    const result = await simulate(optionsOf(seed));
    sum.steps += result.steps;
    sum.faults += result.faults;
    sum.instances += result.instances;
    if (result.violation !== undefined) {
      sum.failed += 1;
      reportFailure(result);
      if (!values.all) break;
    }
    const done = seed - from + 1;
    if (done % 500 === 0) print(`${done} of ${count} seeds, ${sum.failed} failed`);
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  print(
    `${count} seeds from ${from}: ${sum.failed} failed, ${sum.instances} scenarios, ${sum.steps} steps, ${sum.faults} faults, ${seconds} s`,
  );
  return sum.failed === 0;
}

const isGood =
  values.seed === undefined
    ? await runMany(Number(values.from), Number(values.seeds))
    : await runOne(Number(values.seed));
process.exitCode = isGood ? 0 : 1;
