/**
 * Proof at full size, too long for `npm test`: a history of 50 MB, and a fan-in of 1,000 results of 1 MB.
 * `node scripts/large-messages.ts [count] [size]` runs one of your own.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gatherLargeResults } from '../test/support/large-messages.ts';
import { NodeProcess } from '../test/support/node-process.ts';

const [count, size] = process.argv.slice(2).map(Number);
const runs =
  count === undefined || size === undefined
    ? [
        { count: 56, size: 900_000 },
        { count: 1000, size: 1_000_000 },
      ]
    : [{ count, size }];

for (const run of runs) {
  const folder = await mkdtemp(join(tmpdir(), 'durabletask-large-'));
  const storage = `sqlite:${join(folder, 'scheduler.db')}`;
  const ports = ['--grpc-port', '0', '--http-port', '0'];
  const scheduler = NodeProcess.cli(['start', '--json', '--storage', storage, ...ports]);
  const { grpc } = await scheduler.ready();
  const startedAt = Date.now();
  const result = await gatherLargeResults({
    ...run,
    endpoint: grpc,
    onProgress: (done) => process.stderr.write(`  ${done} of ${run.count} results\n`),
  });
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(
    `${run.count} results of ${run.size} bytes: ${(result.historyBytes / 1e6).toFixed(1)} MB in ${result.historyEvents} events, ` +
      `${seconds} s, scheduler's memory at most ${peakMegabytes(scheduler.pid)} MB\n`,
  );
  await scheduler.end('SIGTERM');
  await rm(folder, { recursive: true });
}

/** Peak resident memory, where the system tells (Linux). */
function peakMegabytes(pid: number | undefined): string {
  try {
    const status = readFileSync(`/proc/${pid ?? 0}/status`, 'utf8');
    const kilobytes = /^VmHWM:\s+(\d+)/m.exec(status)?.[1];
    return (Number(kilobytes) / 1000).toFixed(0);
  } catch {
    return '?';
  }
}
