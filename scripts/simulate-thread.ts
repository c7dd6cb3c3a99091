/** A thread of scripts/simulate.ts: lives the seeds it is sent, one range after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { bankOptions } from '../test/simulation/bank.ts';
import { LONG, simulate, type SimulationOptions } from '../test/simulation/simulation.ts';

export interface SeedRange {
  readonly from: number;
  readonly count: number;
}

/** What became of a range; after a failure the rest of it is left out unless `--all` was asked for. */
export interface RangeResult {
  readonly lived: number;
  readonly steps: number;
  readonly faults: number;
  readonly instances: number;
  readonly failures: readonly Failure[];
}

export interface Failure {
  readonly seed: number;
  readonly steps: number;
  readonly violation: string;
}

export interface ThreadOptions {
  /** Transfers of a bank instead of the usual scenarios. */
  readonly bank: number | undefined;
  /** Longer lives, with more in each. */
  readonly isLong: boolean;
  readonly all: boolean;
}

/** How a seed is lived, here and by hand. */
export function optionsOf(
  seed: number,
  { bank, isLong }: Pick<ThreadOptions, 'bank' | 'isLong'>,
): SimulationOptions {
  if (bank !== undefined) return bankOptions(seed, bank);
  return { seed, ...(isLong && LONG) };
}

// Where an expected refusal came from is read by nobody here: `--seed` shows it.
Error.stackTraceLimit = 0;

async function live({ from, count }: SeedRange, options: ThreadOptions): Promise<RangeResult> {
  const sum = { lived: 0, steps: 0, faults: 0, instances: 0 };
  const failures: Failure[] = [];
  for (let seed = from; seed < from + count; seed += 1) {
    const { steps, faults, instances, violation } = await simulate(optionsOf(seed, options));
    sum.lived += 1;
    sum.steps += steps;
    sum.faults += faults;
    sum.instances += instances;
    if (violation === undefined) continue;
    failures.push({ seed, steps, violation });
    if (!options.all) break;
  }
  return { ...sum, failures };
}

if (parentPort) {
  const port = parentPort;
  port.on('message', (range: SeedRange) => {
    void live(range, workerData as ThreadOptions).then((result) => {
      port.postMessage(result);
    });
  });
}
