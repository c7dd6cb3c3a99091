/** The worker of `@microsoft/durabletask-js`: `node worker-published.ts <endpoint>`. */
import type { OrchestrationContext } from '@microsoft/durabletask-js';
import { NoOpLogger, TaskHubGrpcWorker } from '@microsoft/durabletask-js';
import { serveParent } from '../support/child-side.ts';
import { CITIES, sayHello } from '../support/hello.ts';

const [endpoint = ''] = process.argv.slice(2);
const worker = new TaskHubGrpcWorker({
  hostAddress: new URL(endpoint).host,
  logger: new NoOpLogger(),
});
worker.addNamedOrchestrator('HelloCities', async function* (context: OrchestrationContext) {
  const greetings: unknown[] = [];
  for (const city of CITIES) greetings.push(yield context.callActivity('SayHello', city));
  return greetings;
});
worker.addNamedActivity('SayHello', (_, city: string) => sayHello(city));
await worker.start();
serveParent({ close: () => worker.stop() });
