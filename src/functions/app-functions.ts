import type { IdSource } from '../base/ids.ts';
import type { TaskHubWorker } from '../worker/task-hub-worker.ts';
import { activityInvoker } from './activity-invocation.ts';
import { orchestratorStyle } from './orchestrator-style.ts';
import type { DurableRegistry } from './registry.ts';

export interface AddAppFunctionsOptions {
  readonly functions: Pick<DurableRegistry, 'orchestrators' | 'activities'>;
  /** Version of sub-orchestrations that name none. */
  readonly defaultVersion: string | undefined;
  readonly ids: IdSource;
}

/** Gives a worker durable functions, written as for durable-functions, to run. */
export function addAppFunctions(worker: TaskHubWorker, options: AddAppFunctionsOptions): void {
  const { functions, defaultVersion, ids } = options;
  for (const [name, orchestrator] of functions.orchestrators) {
    const style = orchestratorStyle({ name, defaultVersion });
    worker.addNamedOrchestrator(name, orchestrator, style);
  }
  for (const [name, handler] of functions.activities) {
    worker.addActivityInvoker(name, activityInvoker(handler, ids));
  }
}
