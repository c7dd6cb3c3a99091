import type { Attributes } from '@opentelemetry/api';
import type { EntityInstanceId } from '../core/entity-instance-id.ts';
import { ATTRIBUTE, entitySpanName } from '../telemetry/span-names.ts';
import type { LiveSpan } from '../telemetry/spans.ts';
import { SpanKind, startSpan } from '../telemetry/spans.ts';
import { readTraceParent } from '../telemetry/trace-context.ts';
import type { BatchedOperation } from './entity-batch.ts';

/** What the spans of an operation say of it, whoever makes them. */
export function operationAttributes(entityId: string, operation: string): Attributes {
  return {
    [ATTRIBUTE.type]: 'entity',
    [ATTRIBUTE.operation]: operation,
    [ATTRIBUTE.entityId]: entityId,
  };
}

/** The span of one run of an operation, below the one that it was sent from. */
export function startOperationSpan(
  id: EntityInstanceId,
  { name, trace }: BatchedOperation,
): LiveSpan | undefined {
  return startSpan({
    name: entitySpanName('entity', id.name),
    kind: SpanKind.SERVER,
    parent: readTraceParent(trace?.traceParent, trace?.traceState),
    attributes: operationAttributes(id.toString(), name),
  });
}
