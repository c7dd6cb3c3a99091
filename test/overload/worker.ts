/** A worker of one task hub in a process of its own: `node worker.ts <endpoint> <task hub>`. */
import { giveWay } from './give-way.ts';
import { TaskHubWorker } from '../../src/worker/index.ts';

/** Activities one after the other; what they return adds up to twice the input. */
const STEPS = 4;

async function main(): Promise<void> {
  giveWay();
  const [endpoint = '', taskHub = ''] = process.argv.slice(2);
  const worker = new TaskHubWorker({ endpoint, taskHub });
  worker.addNamedOrchestrator('Work', function* (context, n: number): Generator<
    unknown,
    number,
    number
  > {
    let sum = 0;
    for (let step = 0; step < STEPS; step += 1) sum += yield context.callActivity('Part', n);
    return sum;
  });
  worker.addNamedActivity('Part', (_, n: number) => (2 * n) / STEPS);
  await worker.connected();
  process.stdout.write(`${JSON.stringify({ grpc: endpoint })}\n`);
}

void main();
