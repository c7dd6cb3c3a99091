/** Work items, put together from stored bytes (design: no avoidable decode or encode). */
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import {
  EntityBatchRequestSchema,
  OrchestratorEntityParametersSchema,
  type OperationRequestSchema,
} from '../proto/orchestrator_service_pb.ts';
import { concat, joinFields, lengthDelimited, utf8, type Field } from './bytes.ts';
import { decodeEvent, EVENT_FIELD, frameEvents, type StoredEvent } from './events.ts';
import { stateMemoryFields, type StateMemory } from './state-memory.ts';

const WORK_ITEM = {
  entityRequest: lengthDelimited(3),
  entityRequestV2: lengthDelimited(5),
  orchestratorRequest: lengthDelimited(1),
  activityRequest: lengthDelimited(2),
  healthPing: lengthDelimited(4),
  completionToken: lengthDelimited(10),
} as const;

const ORCHESTRATOR_REQUEST = {
  instanceId: lengthDelimited(1),
  executionId: lengthDelimited(2),
  entityParameters: lengthDelimited(5),
  orchestrationTraceContext: lengthDelimited(8),
} as const;

/** Always present with a zero window: .NET reads both (wire-protocol 5.1). */
const ENTITY_PARAMETERS: Field = {
  tag: ORCHESTRATOR_REQUEST.entityParameters,
  bytes: toBinary(
    OrchestratorEntityParametersSchema,
    create(OrchestratorEntityParametersSchema, {
      entityMessageReorderWindow: { seconds: 0n, nanos: 0 },
    }),
  ),
};

/** `requiresHistoryStreaming = true`: field 6, a varint. */
const REQUIRES_HISTORY_STREAMING = new Uint8Array([0x30, 0x01]);
const NOTHING = new Uint8Array();

export interface OrchestratorWorkItem {
  readonly instanceId: string;
  readonly executionId: string;
  /** Committed history as stored: events framed as `pastEvents`. */
  readonly history: readonly Uint8Array[];
  readonly newEvents: readonly StoredEvent[];
  /** Encoded `OrchestrationTraceContext` of the last accepted response. */
  readonly traceContext: Uint8Array | undefined;
  readonly completionToken: string;
  /** The worker is to fetch the history itself (StreamInstanceHistory). */
  readonly requiresHistoryStreaming: boolean;
}

export function encodeOrchestratorWorkItem(item: OrchestratorWorkItem): Uint8Array {
  const head = joinFields([
    { tag: ORCHESTRATOR_REQUEST.instanceId, bytes: utf8(item.instanceId) },
    { tag: ORCHESTRATOR_REQUEST.executionId, bytes: stringValue(item.executionId) },
  ]);
  const tail = [ENTITY_PARAMETERS];
  if (item.traceContext) {
    tail.push({ tag: ORCHESTRATOR_REQUEST.orchestrationTraceContext, bytes: item.traceContext });
  }
  const request = concat([
    head,
    ...item.history,
    frameEvents(item.newEvents, EVENT_FIELD.new),
    joinFields(tail),
    item.requiresHistoryStreaming ? REQUIRES_HISTORY_STREAMING : NOTHING,
  ]);
  return withToken({ tag: WORK_ITEM.orchestratorRequest, bytes: request }, item.completionToken);
}

/** `request` is the stored `ActivityRequest`, complete since the turn that scheduled the activity. */
export function encodeActivityWorkItem(request: Uint8Array, completionToken: string): Uint8Array {
  return withToken({ tag: WORK_ITEM.activityRequest, bytes: request }, completionToken);
}

export interface EntityWorkItem {
  readonly instanceId: string;
  readonly executionId: string;
  /** UTF-8 text; `undefined`: the entity has no state, or it is left out. */
  readonly state: Uint8Array | undefined;
  /** For a worker that keeps states in memory. */
  readonly stateMemory?: StateMemory | undefined;
  /** `entityOperationSignaled` and `entityOperationCalled`. */
  readonly operations: readonly StoredEvent[];
  readonly completionToken: string;
}

const ENTITY_REQUEST = {
  instanceId: lengthDelimited(1),
  executionId: lengthDelimited(2),
  entityState: lengthDelimited(3),
  operationRequests: lengthDelimited(4),
} as const;

/** A batch of operations for an entity, its state before them (proto: EntityRequest). */
export function encodeEntityWorkItem(item: EntityWorkItem): Uint8Array {
  const { instanceId, executionId, state, stateMemory, operations, completionToken } = item;
  const request = concat([
    joinFields([
      { tag: ENTITY_REQUEST.instanceId, bytes: utf8(instanceId) },
      { tag: ENTITY_REQUEST.executionId, bytes: utf8(executionId) },
      ...(state ? [{ tag: ENTITY_REQUEST.entityState, bytes: stringOf(state) }] : []),
    ]),
    frameEvents(operations, ENTITY_REQUEST.operationRequests),
    stateMemory ? joinFields(stateMemoryFields(stateMemory)) : NOTHING,
  ]);
  return withToken({ tag: WORK_ITEM.entityRequestV2, bytes: request }, completionToken);
}

/** The same for workers of the first generation (proto: EntityBatchRequest): operations without their senders. */
export function encodeEntityBatchWorkItem(item: EntityWorkItem): Uint8Array {
  const { instanceId, state, operations, completionToken } = item;
  const request = create(EntityBatchRequestSchema, {
    instanceId,
    operations: operations.flatMap((event) => operationOf(event) ?? []),
    ...(state && { entityState: new TextDecoder().decode(state) }),
  });
  const bytes = toBinary(EntityBatchRequestSchema, request);
  return withToken({ tag: WORK_ITEM.entityRequest, bytes }, completionToken);
}

function operationOf(
  event: StoredEvent,
): MessageInitShape<typeof OperationRequestSchema> | undefined {
  const { eventType: type } = decodeEvent(event);
  if (type.case !== 'entityOperationCalled' && type.case !== 'entityOperationSignaled') {
    return undefined;
  }
  const { operation, requestId, input } = type.value;
  return { operation, requestId, ...(input !== undefined && { input }) };
}

/** A message that only says the stream is alive; it needs no token. */
export const HEALTH_PING: Uint8Array = joinFields([
  { tag: WORK_ITEM.healthPing, bytes: new Uint8Array() },
]);

function withToken(request: Field, completionToken: string): Uint8Array {
  return joinFields([request, { tag: WORK_ITEM.completionToken, bytes: utf8(completionToken) }]);
}

/** `google.protobuf.StringValue`: an empty text is a message without fields. */
function stringValue(text: string): Uint8Array {
  return stringOf(utf8(text));
}

function stringOf(bytes: Uint8Array): Uint8Array {
  return bytes.length === 0 ? bytes : joinFields([{ tag: lengthDelimited(1), bytes }]);
}
