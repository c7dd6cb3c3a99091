import type {
  EntityBatchRequest,
  EntityRequest,
  HistoryEvent,
  OperationInfo,
} from '../proto/orchestrator_service_pb.ts';
import { create } from '@bufbuild/protobuf';
import { OperationInfoSchema } from '../proto/orchestrator_service_pb.ts';

/** Operations for one entity, in whichever generation of the protocol they came. */
export interface EntityBatch {
  readonly instanceId: string;
  /** JSON text; `undefined` is no state. */
  readonly entityState: string | undefined;
  readonly operations: readonly BatchedOperation[];
}

export interface BatchedOperation {
  readonly name: string;
  /** JSON text; unset and empty are no input. */
  readonly input: string | undefined;
  /** Whom the result is for, in the words of the second generation; the first does not say. */
  readonly info: OperationInfo | undefined;
}

/** The first generation: operations as such. */
export function batchOfFirst(request: EntityBatchRequest): EntityBatch {
  const { instanceId, entityState } = request;
  const operations = request.operations.map(({ operation, input }) => ({
    name: operation,
    input,
    info: undefined,
  }));
  return { instanceId, entityState, operations };
}

/** The second generation: operations as history events; what is no operation is left out. */
export function batchOfSecond(request: EntityRequest): EntityBatch {
  const { instanceId, entityState } = request;
  return { instanceId, entityState, operations: request.operationRequests.flatMap(readEvent) };
}

function readEvent({ eventType }: HistoryEvent): BatchedOperation[] {
  switch (eventType.case) {
    case 'entityOperationSignaled': {
      const { operation: name, input, requestId } = eventType.value;
      return [{ name, input, info: create(OperationInfoSchema, { requestId }) }];
    }
    case 'entityOperationCalled': {
      const { operation: name, input, requestId } = eventType.value;
      const { parentInstanceId: instanceId = '', parentExecutionId } = eventType.value;
      const responseDestination = {
        instanceId,
        ...(parentExecutionId === undefined ? {} : { executionId: parentExecutionId }),
      };
      return [
        { name, input, info: create(OperationInfoSchema, { requestId, responseDestination }) },
      ];
    }
    default:
      return [];
  }
}
