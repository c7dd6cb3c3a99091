/**
 * The trace context of an entity operation. The protocol's history events have no field for one, so it
 * is lost there; ours carry it in a field that the protocol does not use, which everybody else skips
 * and hands on (protobuf keeps fields that it does not know).
 */
import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  TraceContextSchema,
  type EntityOperationCalledEvent,
  type EntityOperationSignaledEvent,
  type TraceContext,
} from '../proto/orchestrator_service_pb.ts';

const FIELD = 1000;

type Operation = EntityOperationCalledEvent | EntityOperationSignaledEvent;

/** The trace context that an operation carries, if it does. */
export function operationTrace({ $unknown = [] }: Operation): TraceContext | undefined {
  const field = $unknown.find(({ no }) => no === FIELD);
  if (field === undefined) return undefined;
  return fromBinary(TraceContextSchema, new BinaryReader(field.data).bytes());
}

/** Lets an operation carry a trace context; leaves it as it is when there is none. */
export function carryTrace<T extends Operation>(
  operation: T,
  context: MessageInitShape<typeof TraceContextSchema> | undefined,
): T {
  if (context === undefined) return operation;
  const bytes = toBinary(TraceContextSchema, create(TraceContextSchema, context));
  const data = new BinaryWriter().bytes(bytes).finish();
  operation.$unknown = [{ no: FIELD, wireType: WireType.LengthDelimited, data }];
  return operation;
}
