/**
 * A worker in a process of its own: `node calling-worker.ts <endpoint>`. Its orchestrator `Call`
 * returns the answer to the `callHttp` that its input describes.
 */
import { systemClock } from '../../../src/base/clock.ts';
import { addHttpCalls } from '../../../src/functions/http-call/built-ins.ts';
import { orchestratorStyle } from '../../../src/functions/orchestrator-style.ts';
import type { ClassicOrchestrationContext } from '../../../src/replay/classic-context.ts';
import type { CallHttpOptions } from '../../../src/replay/http-call.ts';
import type { Task } from '../../../src/replay/tasks.ts';
import { TaskHubWorker } from '../../../src/worker/index.ts';

interface Context {
  readonly df: ClassicOrchestrationContext;
}

function* call({ df }: Context): Generator<Task, unknown, unknown> {
  return yield df.callHttp(df.getInput<CallHttpOptions>());
}

async function main(): Promise<void> {
  const [endpoint = ''] = process.argv.slice(2);
  const worker = new TaskHubWorker({ endpoint, taskHub: 'default' });
  worker.addNamedOrchestrator('Call', call, {
    ...orchestratorStyle({ name: 'Call', defaultVersion: undefined, httpSleepMs: 50 }),
  });
  addHttpCalls(worker, { clock: systemClock, isSending: true });
  await worker.connected();
  process.stdout.write(`${JSON.stringify({ grpc: endpoint })}\n`);
}

void main();
