import { create } from '@bufbuild/protobuf';
import { EntityInstanceId } from '../core/entity-instance-id.ts';
import { entityFactory } from '../functions/entity-invocation.ts';
import type { EntityFunction } from '../functions/entity-invocation.ts';
import { EntityBatchResultSchema } from '../proto/orchestrator_service_pb.ts';
import type { OperationAction, OperationResult } from '../proto/orchestrator_service_pb.ts';
import { decodePayload, encodePayload } from '../replay/json.ts';
import { executeBatch } from '../worker/entity-executor.ts';
import { ManualClock } from './manual-clock.ts';
import { seededIds } from './random.ts';

/** One operation for the entity under test. */
export interface TestOperation {
  readonly name: string;
  readonly input?: unknown;
}

export interface RunEntityOptions {
  /** One after the other, as in a batch. */
  readonly operations: readonly TestOperation[];
  /** What the entity holds at first; without one it does not exist yet. */
  readonly state?: unknown;
  /** Default `entity`. */
  readonly name?: string | undefined;
  /** Default `key`. */
  readonly key?: string | undefined;
}

/** What an operation gave to its caller. */
export type TestOperationResult =
  | { readonly isFailed: false; readonly output: unknown }
  | { readonly isFailed: true; readonly errorType: string; readonly message: string };

/** What entities and orchestrations it asked for. */
export type EntityEffect =
  | {
      readonly kind: 'signal';
      /** `@name@key` */
      readonly entityId: string;
      readonly operation: string;
      readonly input: unknown;
    }
  | {
      readonly kind: 'start';
      readonly name: string;
      readonly instanceId: string;
      readonly input: unknown;
    };

export interface EntityRunResult {
  /** `undefined` when the entity does not exist afterwards. */
  readonly state: unknown;
  /** One for each operation, in the same order. */
  readonly results: readonly TestOperationResult[];
  readonly effects: readonly EntityEffect[];
}

/** Runs operations on an entity and says what became of them. What fails changes nothing, as in production. */
export async function runEntity<T>(
  entity: EntityFunction<T>,
  options: RunEntityOptions,
): Promise<EntityRunResult> {
  const { name = 'entity', key = 'key', operations, state } = options;
  const sources = { clock: new ManualClock(), ids: seededIds(1) };
  const factory = entityFactory(name, entity, sources.ids);
  const batch = {
    instanceId: new EntityInstanceId(name, key).toString(),
    entityState: encodePayload(state, 'The state'),
    operations: operations.map((operation) => ({
      name: operation.name,
      input: encodePayload(operation.input, `The input of operation '${operation.name}'`),
      info: undefined,
    })),
  };
  const done = create(EntityBatchResultSchema, await executeBatch(factory, batch, sources));
  return {
    state: decode(done.entityState),
    results: done.results.map(readResult),
    effects: done.actions.flatMap(readEffect),
  };
}

function readResult({ resultType }: OperationResult): TestOperationResult {
  if (resultType.case !== 'failure') {
    return { isFailed: false, output: decode(resultType.value?.result) };
  }
  const { failureDetails } = resultType.value;
  const { errorType = 'Error', errorMessage: message = '' } = failureDetails ?? {};
  return { isFailed: true, errorType, message };
}

function readEffect({ operationActionType: type }: OperationAction): EntityEffect[] {
  switch (type.case) {
    case 'sendSignal': {
      const { instanceId: entityId, name: operation, input } = type.value;
      return [{ kind: 'signal', entityId, operation, input: decode(input) }];
    }
    case 'startNewOrchestration': {
      const { name, instanceId, input } = type.value;
      return [{ kind: 'start', name, instanceId, input: decode(input) }];
    }
    default:
      return [];
  }
}

function decode(text: string | undefined): unknown {
  return decodePayload(text, 'What the entity gave');
}
