/** Our worker: `node worker-ours.ts <endpoint>`. */
import type { CoreOrchestrationContext } from '../../src/worker/index.ts';
import { TaskHubWorker } from '../../src/worker/index.ts';
import { CITIES, sayHello } from '../support/hello.ts';
import { serveParent } from '../support/child-side.ts';

const [endpoint = ''] = process.argv.slice(2);
const worker = new TaskHubWorker({ endpoint, taskHub: 'default' });
worker.addNamedOrchestrator('HelloCities', function* (context: CoreOrchestrationContext) {
  const greetings: unknown[] = [];
  for (const city of CITIES) greetings.push(yield context.callActivity('SayHello', city));
  return greetings;
});
worker.addNamedActivity('SayHello', (_, city: string) => sayHello(city));
await worker.connected();
serveParent({ close: () => worker.stop() });
