import type { TraceParentOptions } from '../client/client-options.ts';
import type { EntityMetadata } from '../client/entity-query.ts';
import { namingTakenIds } from './already-exists.ts';
import type { AsyncPageable } from '../client/page.ts';
import type { TaskHubClient } from '../client/task-hub-client.ts';

type Args<Name extends keyof TaskHubClient> = TaskHubClient[Name] extends (
  ...args: infer Arguments
) => unknown
  ? Arguments
  : never;
type Result<Name extends keyof TaskHubClient> = TaskHubClient[Name] extends (
  ...args: never
) => infer Returned
  ? Returned
  : never;

/**
 * The client's methods under the names that durable-functions 4 gives them: those of the task hub client,
 * with its arguments, results and errors. The names of 3.x, with their texts, stand beside them.
 */
export class TaskHubMethods {
  readonly #hub: TaskHubClient;
  readonly #trace: TraceParentOptions;

  /** `trace`: what the client's requests belong to. */
  constructor(client: TaskHubClient, trace: TraceParentOptions) {
    this.#hub = client;
    this.#trace = trace;
  }

  scheduleNewOrchestration(
    ...[orchestrator, input, idOrOptions, startAt]: Args<'scheduleNewOrchestration'>
  ): Result<'scheduleNewOrchestration'> {
    const options =
      typeof idOrOptions === 'object' ? idOrOptions : { instanceId: idOrOptions, startAt };
    const traced = { ...this.#trace, ...options };
    return namingTakenIds(this.#hub.scheduleNewOrchestration(orchestrator, input, traced));
  }

  getOrchestrationState(...args: Args<'getOrchestrationState'>): Result<'getOrchestrationState'> {
    return this.#hub.getOrchestrationState(...args);
  }

  waitForOrchestrationStart(
    ...args: Args<'waitForOrchestrationStart'>
  ): Result<'waitForOrchestrationStart'> {
    return this.#hub.waitForOrchestrationStart(...args);
  }

  waitForOrchestrationCompletion(
    ...args: Args<'waitForOrchestrationCompletion'>
  ): Result<'waitForOrchestrationCompletion'> {
    return this.#hub.waitForOrchestrationCompletion(...args);
  }

  raiseOrchestrationEvent(
    ...[instanceId, eventName, data, options]: Args<'raiseOrchestrationEvent'>
  ): Result<'raiseOrchestrationEvent'> {
    const traced = { ...this.#trace, ...options };
    return this.#hub.raiseOrchestrationEvent(instanceId, eventName, data, traced);
  }

  terminateOrchestration(
    ...args: Args<'terminateOrchestration'>
  ): Result<'terminateOrchestration'> {
    return this.#hub.terminateOrchestration(...args);
  }

  suspendOrchestration(...args: Args<'suspendOrchestration'>): Result<'suspendOrchestration'> {
    return this.#hub.suspendOrchestration(...args);
  }

  resumeOrchestration(...args: Args<'resumeOrchestration'>): Result<'resumeOrchestration'> {
    return this.#hub.resumeOrchestration(...args);
  }

  rewindInstance(...args: Args<'rewindInstance'>): Result<'rewindInstance'> {
    return this.#hub.rewindInstance(...args);
  }

  restartOrchestration(...args: Args<'restartOrchestration'>): Result<'restartOrchestration'> {
    return this.#hub.restartOrchestration(...args);
  }

  purgeOrchestration(...args: Args<'purgeOrchestration'>): Result<'purgeOrchestration'> {
    return this.#hub.purgeOrchestration(...args);
  }

  getAllInstances(...args: Args<'getAllInstances'>): Result<'getAllInstances'> {
    return this.#hub.getAllInstances(...args);
  }

  listInstanceIds(...args: Args<'listInstanceIds'>): Result<'listInstanceIds'> {
    return this.#hub.listInstanceIds(...args);
  }

  getOrchestrationHistory(
    ...args: Args<'getOrchestrationHistory'>
  ): Result<'getOrchestrationHistory'> {
    return this.#hub.getOrchestrationHistory(...args);
  }

  getEntity<T = unknown>(...args: Args<'getEntity'>): Promise<EntityMetadata<T> | undefined> {
    return this.#hub.getEntity<T>(...args);
  }

  getEntities<T = unknown>(...args: Args<'getEntities'>): AsyncPageable<EntityMetadata<T>> {
    return this.#hub.getEntities<T>(...args);
  }

  cleanEntityStorage(...args: Args<'cleanEntityStorage'>): Result<'cleanEntityStorage'> {
    return this.#hub.cleanEntityStorage(...args);
  }
}
