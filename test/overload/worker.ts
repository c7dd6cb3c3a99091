/** A worker of one task hub in a process of its own: `node worker.ts <endpoint> <task hub>`. */
import { TaskHubWorker } from '../../src/worker/index.ts';

async function main(): Promise<void> {
  const [endpoint = '', taskHub = ''] = process.argv.slice(2);
  const worker = new TaskHubWorker({ endpoint, taskHub });
  worker.addNamedOrchestrator('Work', function* (context, n: number) {
    const doubled: unknown = yield context.callActivity('Double', n);
    return doubled;
  });
  worker.addNamedActivity('Double', (_, n: number) => n * 2);
  await worker.connected();
  process.stdout.write(`${JSON.stringify({ grpc: endpoint })}\n`);
}

void main();
