/**
 * A worker in a process of its own: `node worker.ts <endpoint> <seed>`. It says on stdout what it begins, so that
 * whoever started it can count what was done again.
 */
import { systemClock } from '../../src/base/clock.ts';
import { createStreamLogger } from '../../src/telemetry/logger.ts';
import { Random } from '../../src/testing/random.ts';
import { TaskHubWorker } from '../../src/worker/index.ts';
import { registerBank } from '../simulation/bank-programs.ts';
import { registerPrograms } from './programs.ts';

const never = new AbortController().signal;

async function main(): Promise<void> {
  const [endpoint = '', seed = '1'] = process.argv.slice(2);
  const random = new Random(Number(seed));
  const worker = new TaskHubWorker({
    ...{ endpoint, taskHub: 'default' },
    logger: createStreamLogger({
      level: 'warn',
      format: 'text',
      write: (line) => process.stderr.write(line),
      now: () => systemClock.now(),
    }),
  });
  registerPrograms(worker, {
    ran: (key) => process.stdout.write(`ran ${key}\n`),
    work: async () => {
      const tookMs = random.chance(0.1) ? random.int(100, 1000) : random.int(0, 50);
      await systemClock.sleepUntil(systemClock.now() + tookMs, { signal: never });
    },
  });
  registerBank(worker);
  process.once('SIGTERM', () => {
    void worker.stop().then(() => process.exit(0));
  });
  await worker.start();
  // Not connected yet: its scheduler may be away, and it comes when that does.
  process.stdout.write(`${JSON.stringify({ grpc: endpoint })}\n`);
}

void main();
