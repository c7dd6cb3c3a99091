/** One of many workers: `node worker-scaled.ts <endpoint> <activities at once> <ms that each takes>`. */
import { setTimeout as delay } from 'node:timers/promises';
import type { CoreOrchestrationContext } from '../../src/worker/index.ts';
import { TaskHubWorker } from '../../src/worker/index.ts';
import { serveParent } from '../support/child-side.ts';

const [endpoint = '', atOnce = '', activityMs = ''] = process.argv.slice(2);
const worker = new TaskHubWorker({
  ...{ endpoint, taskHub: 'default' },
  ...{ maxConcurrentActivities: Number(atOnce), maxConcurrentOrchestrations: 50 },
});
worker.addNamedOrchestrator('Job', function* (context: CoreOrchestrationContext) {
  yield context.callActivity('Work');
});
worker.addNamedActivity('Work', () => delay(Number(activityMs)));
await worker.connected();
serveParent({ close: () => worker.stop() });
