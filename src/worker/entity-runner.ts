import { create } from '@bufbuild/protobuf';
import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import { EntityInstanceId } from '../core/entity-instance-id.ts';
import type { EntityBatchRequest, EntityRequest } from '../proto/orchestrator_service_pb.ts';
import {
  EntityBatchResultSchema,
  TaskHubSidecarService,
} from '../proto/orchestrator_service_pb.ts';
import { logEvent } from '../telemetry/log-events.ts';
import type { Logger } from '../telemetry/logger.ts';
import { declareStateKept, stateMemoryOf } from '../wire/state-memory.ts';
import { batchOfFirst, batchOfSecond } from './entity-batch.ts';
import type { EntityBatch } from './entity-batch.ts';
import { executeBatch, failedBatch } from './entity-executor.ts';
import type { EntityBatchResult } from './entity-executor.ts';
import { encodeFailure, permanentFailure } from './failure-details.ts';
import type { Registry } from './registry.ts';
import type { StateCache } from './state-cache.ts';
import type { LeasedWorkItem, WorkItemCompleter } from './work-item-completer.ts';
import type { WorkReport } from './work-report.ts';

const rpc = TaskHubSidecarService.method;

export interface EntityRunnerOptions {
  readonly registry: Registry;
  readonly states: StateCache;
  readonly completer: WorkItemCompleter;
  /** Aborts when the worker stops waiting for entities. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
}

/** Runs batches of entity operations and hands their results back. */
export class EntityRunner {
  readonly #options: EntityRunnerOptions;

  constructor(options: EntityRunnerOptions) {
    this.#options = options;
  }

  async runFirst(request: EntityBatchRequest, item: LeasedWorkItem): Promise<WorkReport> {
    return this.#run(batchOfFirst(request), item);
  }

  async runSecond(request: EntityRequest, item: LeasedWorkItem): Promise<WorkReport> {
    const batch = batchOfSecond(request);
    if (batch.operations.length < request.operationRequests.length) {
      logEvent(this.#options.logger, 'entityMessagesIgnored', {
        instanceId: batch.instanceId,
      });
    }
    const { states, completer } = this.#options;
    const { next, leftOut } = stateMemoryOf(request) ?? {};
    if (leftOut === undefined) return this.#run(batch, item, next);
    const entityState = states.get(batch.instanceId, leftOut);
    if (entityState !== undefined) return this.#run({ ...batch, entityState }, item, next);
    // It will be sent again, with its state.
    const message = { completionToken: item.completionToken, requiresState: true };
    const isAccepted = await completer.complete(item, { method: rpc.completeEntityTask, message });
    const name = nameOf(batch.instanceId) ?? '';
    return { name, outcome: isAccepted ? 'gaveBack' : 'refused' };
  }

  /**
   * Returns without a completion once the signal has aborted. `stateName`: what the scheduler calls the state that the
   * batch leaves; without it no state is kept.
   */
  async #run(batch: EntityBatch, item: LeasedWorkItem, stateName?: string): Promise<WorkReport> {
    const { states, completer, signal } = this.#options;
    const { instanceId } = batch;
    const name = nameOf(instanceId) ?? '';
    const result = await this.#execute(batch);
    if (signal.aborted) return { name, outcome: 'gaveBack' };
    const { completionToken } = item;
    const complete = (outcome: EntityBatchResult): EntityBatchResult => ({
      ...outcome,
      completionToken,
      operationInfos: batch.operations
        .slice(0, outcome.results?.length ?? 0)
        .flatMap(({ info }) => (info === undefined ? [] : [info])),
    });
    const message = create(EntityBatchResultSchema, complete(result));
    // Kept before there is an answer: the next batch may arrive ahead of it.
    const isKept = stateName !== undefined && states.put(instanceId, stateName, result.entityState);
    const forget = (): void => {
      if (isKept) states.drop(instanceId, stateName);
    };
    const isAccepted = await completer.complete(item, {
      method: rpc.completeEntityTask,
      message: isKept ? declareStateKept(message) : message,
      smaller: () => {
        // Under the same name the state of before is committed.
        forget();
        return complete(failedBatch(batch, tooLarge(instanceId)));
      },
    });
    if (!isAccepted) {
      forget();
      return { name, outcome: 'refused' };
    }
    return { name, outcome: result.failureDetails === undefined ? 'completed' : 'failed' };
  }

  async #execute(batch: EntityBatch): Promise<EntityBatchResult> {
    const { registry, clock, ids, logger } = this.#options;
    const { instanceId } = batch;
    const name = nameOf(instanceId);
    const registration = name === undefined ? undefined : registry.findEntity(name);
    if (registration === undefined) {
      logEvent(logger, 'entityNotRegistered', { instanceId });
      const text =
        name === undefined
          ? `Invalid entity instance id format: '${instanceId}'`
          : registry.unknownText('entity', name);
      return failedBatch(batch, permanentFailure('EntityTaskNotFound', text));
    }
    try {
      return await executeBatch(registration.factory, batch, { clock, ids });
    } catch (error) {
      // What makes the entity threw: no operation was run. The scheduler decides how often to repeat it.
      logEvent(logger, 'entityNotMade', { instanceId, error });
      return { failureDetails: encodeFailure(error) };
    }
  }
}

function nameOf(instanceId: string): string | undefined {
  try {
    return EntityInstanceId.fromString(instanceId).name;
  } catch {
    // Said to the caller as a failure of each operation.
    return undefined;
  }
}

function tooLarge(instanceId: string) {
  return permanentFailure(
    'ResultTooLargeError',
    `The scheduler does not take so much from one batch of operations of entity '${instanceId}'. Keep ` +
      'less in its state, or a reference to data that is stored elsewhere.',
  );
}
