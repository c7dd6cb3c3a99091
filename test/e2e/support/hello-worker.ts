/**
 * A worker in a process of its own: `node hello-worker.ts <endpoint> [silentLimitMs]`. It greets
 * three cities in turn, in the name of the traveller whose number is the input. Travellers take
 * different times, so that at any moment some have not begun, some are on their way, some are done.
 */
import { systemClock } from '../../../src/base/clock.ts';
import { createStreamLogger } from '../../../src/telemetry/logger.ts';
import type { CoreOrchestrationContext } from '../../../src/worker/index.ts';
import { TaskHubWorker } from '../../../src/worker/index.ts';

interface Visit {
  readonly city: string;
  readonly traveller: number;
}

const CITIES = ['Tokyo', 'Seattle', 'London'];
const never = new AbortController().signal;

function* helloCities(context: CoreOrchestrationContext, traveller: number) {
  const greetings: unknown[] = [];
  for (const city of CITIES) {
    greetings.push(yield context.callActivity('SayHello', { city, traveller }));
  }
  return greetings;
}

async function sayHello({ city, traveller }: Visit): Promise<string> {
  process.stderr.write(`ran ${city} for ${traveller}\n`);
  const tookMs = (traveller % 20) * 10;
  await systemClock.sleepUntil(systemClock.now() + tookMs, { signal: never });
  return `Hello ${city} from ${traveller}!`;
}

async function main(): Promise<void> {
  const [endpoint = '', silentLimitMs = '120000'] = process.argv.slice(2);
  const worker = new TaskHubWorker({
    ...{ endpoint, taskHub: 'default', silentLimitMs: Number(silentLimitMs) },
    logger: createStreamLogger({
      level: 'debug',
      format: 'text',
      write: (line) => process.stderr.write(line),
      now: () => systemClock.now(),
    }),
  });
  worker.addNamedOrchestrator('HelloCities', helloCities);
  worker.addNamedActivity('SayHello', (_, visit: Visit) => sayHello(visit));
  await worker.connected();
  process.once('SIGTERM', () => {
    void worker.stop().then(() => process.exit(0));
  });
  process.stdout.write(`${JSON.stringify({ grpc: endpoint })}\n`);
}

void main();
