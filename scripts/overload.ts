/**
 * Offers ten times more than a scheduler can do and counts what becomes of it. Exits 1 when a promise was broken.
 *
 *   npm run overload                            two minutes, SQLite, the loud hub limited to twice its capacity
 *   npm run overload -- --store postgres        on a PostgreSQL that it starts
 *   npm run overload -- --seconds 30 --limit 0  without a rate limit: what the queues themselves refuse
 */
import { parseArgs } from 'node:util';
import { brokenPromises } from '../test/overload/promises.ts';
import { overload, type Progress } from '../test/overload/overload.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    times: { type: 'string', default: '10' },
    limit: { type: 'string', default: '2' },
    store: { type: 'string', default: 'sqlite' },
  },
});

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function refusals(refused: Readonly<Record<string, number>>): string {
  return Object.entries(refused)
    .map(([code, count]) => `${count} ${code}`)
    .join(', ');
}

let shownAt = 0;
function show({ load, megabytes }: Progress): void {
  if (performance.now() < shownAt + 5000) return;
  shownAt = performance.now();
  const { offered, withheld, accepted, refused } = load;
  print(
    `${offered} offered, ${withheld} withheld, ${accepted} accepted, refused: ${refusals(refused)}; ${megabytes} MB`,
  );
}

print('measuring what it can do …');
const limit = Number(values.limit);
const durationMs = Number(values.seconds) * 1000;
const figures = await overload({
  ...{ store: values.store === 'postgres' ? 'postgres' : 'sqlite', durationMs, measureMs: 10_000 },
  ...{ times: Number(values.times), limit: limit > 0 ? limit : undefined },
  ...{ capacity: undefined, patienceMs: 30 * 60_000, onProgress: show },
});
const { load, megabytes, quiet } = figures;
print(`capacity: ${Math.round(figures.capacity)} orchestrations/s`);
print(
  `offered ${load.offered} (${Math.round((load.offered * 1000) / durationMs)}/s), withheld ${load.withheld}`,
);
print(`accepted ${load.accepted}, refused: ${refusals(load.refused)}`);
print(
  `accepted and not ended right: ${figures.lost}; the last ended ${Math.round(figures.drainMs / 1000)} s after the load`,
);
print(
  `memory of the scheduler: ${megabytes.before} MB before, at most ${megabytes.first} and ${megabytes.second} MB in the halves`,
);
for (const [name, { count, median, p95 }] of Object.entries(quiet)) {
  print(`quiet hub ${name}: median ${median} ms, 95 % within ${p95} ms (${count} orchestrations)`);
}
const broken = brokenPromises(figures, { isShort: false });
for (const promise of broken) print(`BROKEN: ${promise}`);
process.exitCode = broken.length > 0 ? 1 : 0;
