/**
 * Schedulers and workers in processes of their own that are killed, cut off and drained again and again under load,
 * and their database too; then everything is counted.
 *
 *   npm run torture -- --minutes 10 --seed 1                  three schedulers on PostgreSQL, six workers
 *   npm run torture -- --minutes 10 --seed 1 --store sqlite   one scheduler, six workers
 *
 * The seed decides what is started and what is done to whom; how it interleaves is up to the machine. Exits 1 when
 * anything was lost, doubled or otherwise wrong.
 */
import { parseArgs } from 'node:util';
import type { Ledger } from '../test/torture/ledger.ts';
import { torture } from '../test/torture/torture.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    store: { type: 'string', default: 'postgres' },
    width: { type: 'string', default: '60' },
  },
});
const VIOLATIONS_SHOWN_MAX = 50;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function progress(ledger: Ledger, secondsLeft: number): void {
  const { right, started, redeliveries, tasks, violations, faultCount } = ledger;
  const line = `${secondsLeft} s left: ${faultCount} faults, ${right} of ${started} scenarios right, ${redeliveries} of ${tasks} tasks done again, ${violations.length} violations`;
  if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K${line}`);
  else if (secondsLeft % 10 === 0) print(line);
}

function table(ledger: Ledger): void {
  const { faults, started, right, operations, tasks, redeliveries, looks } = ledger;
  const rows: [string, number][] = [
    ...[...faults].sort(([a], [b]) => a.localeCompare(b)),
    ['scenarios whose start was acknowledged', started],
    ['ended with the right output', right],
    ['entries in books', operations],
    ['tasks done', tasks],
    ['done again (redeliveries)', redeliveries],
    ['looks at the whole database', looks],
    ['lost', ledger.lostCount],
    ['doubled', ledger.doubledCount],
    ['violations', ledger.violations.length],
  ];
  print('');
  for (const [name, count] of rows) print(`${String(count).padStart(8)}  ${name}`);
}

async function main(): Promise<number> {
  const store = values.store === 'sqlite' ? 'sqlite' : 'postgres';
  const ledger = await torture({
    ...{ store, seed: Number(values.seed), durationMs: Number(values.minutes) * 60_000 },
    ...{ nodes: store === 'sqlite' ? 1 : 3, workers: 6, width: Number(values.width) },
    // A single node is the one that everything happens to.
    ...{ everyMs: store === 'sqlite' ? 6000 : 3000, isHasty: false, patienceMs: 120_000 },
    onProgress: progress,
  });
  table(ledger);
  for (const violation of ledger.violations.slice(0, VIOLATIONS_SHOWN_MAX)) {
    print(`\nVIOLATION: ${violation}`);
  }
  if (ledger.violations.length === 0) return 0;
  print(`\nnpm run torture -- --store ${store} --seed ${values.seed} --minutes ${values.minutes}`);
  return 1;
}

process.exitCode = await main();
