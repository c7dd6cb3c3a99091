import type {
  EntityBatchRequest,
  EntityRequest,
  HistoryEvent,
  OperationInfo,
  TraceContext,
} from '../proto/orchestrator_service_pb.ts';
import { create } from '@bufbuild/protobuf';
import { operationTrace } from '../wire/entity-trace.ts';
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
  /** The span that it was sent from. */
  readonly trace?: TraceContext | undefined;
}

/** The first generation: operations as such. */
export function batchOfFirst(request: EntityBatchRequest): EntityBatch {
  const { instanceId, entityState } = request;
  const operations = request.operations.map(({ operation, input, traceContext }) => ({
    name: operation,
    input,
    info: undefined,
    trace: traceContext,
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
      const info = create(OperationInfoSchema, { requestId });
      return [{ name, input, info, trace: operationTrace(eventType.value) }];
    }
    case 'entityOperationCalled': {
      const { operation: name, input, requestId } = eventType.value;
      const { parentInstanceId: instanceId = '', parentExecutionId } = eventType.value;
      const responseDestination = {
        instanceId,
        ...(parentExecutionId === undefined ? {} : { executionId: parentExecutionId }),
      };
      const info = create(OperationInfoSchema, { requestId, responseDestination });
      return [{ name, input, info, trace: operationTrace(eventType.value) }];
    }
    default:
      return [];
  }
}
