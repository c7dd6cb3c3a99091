import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import type { UnknownText } from '../worker/registry.ts';
import type { TaskHubWorker } from '../worker/task-hub-worker.ts';
import { HTTP_ACTIVITY } from '../replay/http-call.ts';
import { activityInvoker } from './activity-invocation.ts';
import { entityFactory } from './entity-invocation.ts';
import { addHttpCalls } from './http-call/built-ins.ts';
import { orchestratorStyle } from './orchestrator-style.ts';
import { trackedActivity, trackedEntity } from './tracking/track-invocations.ts';
import type { Tracker } from './tracking/tracker.ts';
import { isReservedName } from './registry.ts';
import type { DurableRegistry } from './registry.ts';

export interface AddAppFunctionsOptions {
  readonly functions: Pick<DurableRegistry, 'orchestrators' | 'activities' | 'entities'>;
  /** Version of sub-orchestrations that name none. */
  readonly defaultVersion: string | undefined;
  /** Between the polls of `callHttp` where the server does not say. */
  readonly httpSleepMs?: number | undefined;
  /** Whether `context.log` of orchestrators writes while they replay, too. */
  readonly logsReplays?: boolean | undefined;
  /** Where what happens to the functions is told, if anywhere. */
  readonly tracker?: Tracker | undefined;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/**
 * Gives a worker durable functions, written as for durable-functions, and what they are made of.
 * Returns a function that adds what was registered since.
 */
export function addAppFunctions(
  worker: TaskHubWorker,
  options: AddAppFunctionsOptions,
): () => void {
  const { functions, defaultVersion, httpSleepMs, logsReplays, tracker, clock, ids } = options;
  const added = new Set<string>();
  const isNew = (key: string): boolean => added.size < added.add(key).size;
  const addMissing = (): void => {
    for (const [name, orchestrator] of functions.orchestrators) {
      if (!isNew(`orchestrator ${name}`)) continue;
      const style = orchestratorStyle({ name, defaultVersion, httpSleepMs, logsReplays, tracker });
      worker.addNamedOrchestrator(name, orchestrator, style);
    }
    for (const [name, handler] of functions.activities) {
      if (!isNew(`activity ${name}`)) continue;
      const invoke = activityInvoker(handler, ids);
      const invoker = tracker === undefined ? invoke : trackedActivity(invoke, tracker);
      worker.addActivityInvoker(name, invoker);
    }
    for (const [name, entity] of functions.entities) {
      if (!isNew(`entity ${name}`)) continue;
      const make = entityFactory(name, entity, ids);
      const maker = tracker === undefined ? make : trackedEntity(name, make, { tracker, clock });
      worker.addNamedEntity(name, maker);
    }
  };
  addMissing();
  // A test of an app may answer its requests itself, with an activity of that name.
  addHttpCalls(worker, { clock, isSending: !functions.activities.has(HTTP_ACTIVITY) });
  return addMissing;
}

/** The sentence of Durable Functions about a function that an app does not have. */
export const unknownText: UnknownText = (kind, name, known) => {
  const own = known.filter((each) => !isReservedName(each));
  const info =
    own.length === 0
      ? `No ${kind} functions are currently registered!`
      : `The following are the known ${kind} functions: '${own.join("', '")}'.`;
  return (
    `The function '${name}' doesn't exist, is disabled, or is not an ${kind} function. ` +
    `Additional info: ${info}`
  );
};
