import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import { EntityInstanceId } from '../core/entity-instance-id.ts';
import type {
  EntityBatchResultSchema,
  OperationResultSchema,
  TaskFailureDetails,
} from '../proto/orchestrator_service_pb.ts';
import { decodePayload, encodePayload } from '../replay/json.ts';
import { describeFailure } from '../telemetry/spans.ts';
import type { BatchedOperation, EntityBatch } from './entity-batch.ts';
import { EntityEffects } from './entity-effects.ts';
import { startOperationSpan } from './entity-spans.ts';
import { EntityState } from './entity-state.ts';
import { encodeFailure } from './failure-details.ts';
import type { EntityFactory, ITaskEntity, TaskEntityOperation } from './task-entity.ts';

export type EntityBatchResult = MessageInitShape<typeof EntityBatchResultSchema>;
type OperationResult = MessageInitShape<typeof OperationResultSchema>;

export interface EntityExecutorOptions {
  readonly clock: Clock;
  readonly ids: IdSource;
}

/**
 * Runs the operations of a batch one after the other. Each counts whole or not at all: what throws
 * leaves state and actions as they were before it, and the next operation runs all the same.
 */
export async function executeBatch(
  factory: EntityFactory,
  batch: EntityBatch,
  options: EntityExecutorOptions,
): Promise<EntityBatchResult> {
  const id = EntityInstanceId.fromString(batch.instanceId);
  const run = new BatchRun(factory(id), { id, state: batch.entityState, ...options });
  const results: OperationResult[] = [];
  for (const operation of batch.operations) results.push(await run.execute(operation));
  return { ...run.outcome, results };
}

/** The answer to a batch that nobody can or may run: every operation fails and nothing changes. */
export function failedBatch(
  batch: EntityBatch,
  failureDetails: TaskFailureDetails,
): EntityBatchResult {
  const results = batch.operations.map((): OperationResult => ({
    resultType: { case: 'failure', value: { failureDetails } },
  }));
  return { results, ...stateOf(batch.entityState) };
}

class BatchRun {
  readonly #entity: ITaskEntity;
  readonly #state: EntityState;
  readonly #effects: EntityEffects;
  readonly #clock: Clock;

  constructor(
    entity: ITaskEntity,
    options: EntityExecutorOptions & {
      readonly id: EntityInstanceId;
      readonly state: string | undefined;
    },
  ) {
    this.#entity = entity;
    this.#state = new EntityState(options.state);
    this.#effects = new EntityEffects(options.id, options);
    this.#clock = options.clock;
  }

  get outcome(): Omit<EntityBatchResult, 'results' | '$typeName'> {
    return { actions: [...this.#effects.actions], ...stateOf(this.#state.text) };
  }

  async execute(operation: BatchedOperation): Promise<OperationResult> {
    const startTimeUtc = timestampFromMs(this.#clock.now());
    const times = () => ({ startTimeUtc, endTimeUtc: timestampFromMs(this.#clock.now()) });
    const span = startOperationSpan(this.#effects.id, operation);
    const run = () => this.#entity.run(this.#operationOf(operation));
    try {
      const output = await (span === undefined ? run() : span.run(run));
      const result = encodePayload(output, `The result of operation '${operation.name}'`);
      this.#state.commit();
      this.#effects.commit();
      span?.end();
      const value = { ...times(), ...(result === undefined ? {} : { result }) };
      return { resultType: { case: 'success', value } };
    } catch (error) {
      this.#state.rollback();
      this.#effects.rollback();
      span?.end(describeFailure(error));
      const value = { ...times(), failureDetails: encodeFailure(error) };
      return { resultType: { case: 'failure', value } };
    }
  }

  #operationOf({ name, input }: BatchedOperation): TaskEntityOperation {
    const value = decodePayload(input, `The input of operation '${name}'`);
    return {
      name,
      context: this.#effects,
      state: this.#state,
      hasInput: value !== undefined,
      // The caller says what the input is; nothing at run time can check it.
      getInput: () => value as never,
    };
  }
}

function stateOf(text: string | undefined): { entityState?: string } {
  return text === undefined ? {} : { entityState: text };
}
