/**
 * Schedulers and workers in processes of their own, killed again and again under load; then everything is counted.
 *
 *   npm run torture -- --minutes 10 --seed 1                  three schedulers on PostgreSQL, six workers
 *   npm run torture -- --minutes 10 --seed 1 --store sqlite   one scheduler, six workers
 *
 * The seed decides what is started and what is done to whom; how it interleaves is up to the machine.
 */
import { parseArgs } from 'node:util';
import type { Ledger } from '../test/torture/ledger.ts';
import { torture } from '../test/torture/torture.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    store: { type: 'string', default: 'postgres' },
  },
});

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function line(ledger: Ledger): string {
  const faults = [...ledger.faults].map(([name, count]) => `${count} ${name}`).join(', ');
  return `${ledger.right} of ${ledger.started} right, ${ledger.redeliveries} of ${ledger.tasks} tasks done again, ${ledger.violations.length} violations; ${faults}`;
}

const store = values.store === 'sqlite' ? 'sqlite' : 'postgres';
const ledger = await torture({
  ...{ store, seed: Number(values.seed), durationMs: Number(values.minutes) * 60_000 },
  ...{ nodes: store === 'sqlite' ? 1 : 3, workers: 6, width: 30 },
  ...{ everyMs: 3000, isHasty: false, patienceMs: 120_000 },
  onProgress: (now, secondsLeft) => {
    print(`${secondsLeft} s left: ${line(now)}`);
  },
});
print(line(ledger));
for (const violation of ledger.violations) print(`VIOLATION: ${violation}`);
process.exitCode = ledger.violations.length === 0 ? 0 : 1;
