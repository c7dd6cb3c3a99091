import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import type { TaskHubWorker } from '../worker/task-hub-worker.ts';
import { HTTP_ACTIVITY } from '../replay/http-call.ts';
import { activityInvoker } from './activity-invocation.ts';
import { addHttpCalls } from './http-call/built-ins.ts';
import { orchestratorStyle } from './orchestrator-style.ts';
import type { DurableRegistry } from './registry.ts';

export interface AddAppFunctionsOptions {
  readonly functions: Pick<DurableRegistry, 'orchestrators' | 'activities'>;
  /** Version of sub-orchestrations that name none. */
  readonly defaultVersion: string | undefined;
  /** Between the polls of `callHttp` where the server does not say. */
  readonly httpSleepMs?: number | undefined;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** Gives a worker durable functions, written as for durable-functions, and what they are made of. */
export function addAppFunctions(worker: TaskHubWorker, options: AddAppFunctionsOptions): void {
  const { functions, defaultVersion, httpSleepMs, clock, ids } = options;
  for (const [name, orchestrator] of functions.orchestrators) {
    const style = orchestratorStyle({ name, defaultVersion, httpSleepMs });
    worker.addNamedOrchestrator(name, orchestrator, style);
  }
  for (const [name, handler] of functions.activities) {
    worker.addActivityInvoker(name, activityInvoker(handler, ids));
  }
  // A test of an app may answer its requests itself, with an activity of that name.
  addHttpCalls(worker, { clock, isSending: !functions.activities.has(HTTP_ACTIVITY) });
}
