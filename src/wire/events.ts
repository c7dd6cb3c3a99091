/**
 * History events as stored bytes. An event is encoded once, when it is received or made; from then on it is copied,
 * framed as an element of a repeated field, and never decoded on the way to a worker.
 */
import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { HistoryEventSchema, type HistoryEvent } from '../proto/orchestrator_service_pb.ts';
import { concat, joinFields, lengthDelimited, readVarint } from './bytes.ts';

export type EventCase = NonNullable<HistoryEvent['eventType']['case']>;

/** The number of an event's field in `HistoryEvent.eventType`: its type, in storage and on the wire. */
export const EVENT_NUMBER = {
  executionStarted: 3,
  executionCompleted: 4,
  executionTerminated: 5,
  taskScheduled: 6,
  taskCompleted: 7,
  taskFailed: 8,
  subOrchestrationInstanceCreated: 9,
  subOrchestrationInstanceCompleted: 10,
  subOrchestrationInstanceFailed: 11,
  timerCreated: 12,
  timerFired: 13,
  orchestratorStarted: 14,
  orchestratorCompleted: 15,
  eventSent: 16,
  eventRaised: 17,
  genericEvent: 18,
  historyState: 19,
  continueAsNew: 20,
  executionSuspended: 21,
  executionResumed: 22,
  entityOperationSignaled: 23,
  entityOperationCalled: 24,
  entityOperationCompleted: 25,
  entityOperationFailed: 26,
  entityLockRequested: 27,
  entityLockGranted: 28,
  entityUnlockSent: 29,
  executionRewound: 30,
} as const satisfies Record<EventCase, number>;

/** An event as it is stored: its type and its encoded `HistoryEvent`. */
export interface StoredEvent {
  readonly type: number;
  readonly bytes: Uint8Array;
}

export type EventType = Exclude<
  NonNullable<MessageInitShape<typeof HistoryEventSchema>['eventType']>,
  { case: undefined }
>;

export interface NewEvent {
  readonly eventType: EventType;
  /** The action id for scheduling events; −1 (the default) for all others. */
  readonly eventId?: number;
  /** Epoch ms; left out where the time is only known at delivery (`stampEvent`). */
  readonly at?: number;
}

export function encodeEvent({ eventType, eventId = -1, at }: NewEvent): StoredEvent {
  const event = create(HistoryEventSchema, {
    eventId,
    eventType,
    ...(at !== undefined && { timestamp: timestampFromMs(at) }),
  });
  const kind = event.eventType.case;
  if (kind === undefined) throw new TypeError('a history event needs a type');
  return { type: EVENT_NUMBER[kind], bytes: toBinary(HistoryEventSchema, event) };
}

export function decodeEvent(event: StoredEvent): HistoryEvent {
  return fromBinary(HistoryEventSchema, event.bytes);
}

/** Stores an event that came decoded (a carried-over event, a rewritten history) with its own type. */
export function storeEvent(event: HistoryEvent): StoredEvent {
  const kind = event.eventType.case;
  if (kind === undefined) throw new TypeError('a history event needs a type');
  return { type: EVENT_NUMBER[kind], bytes: toBinary(HistoryEventSchema, event) };
}

/** Gives an event that was encoded without a time its time: protobuf fields may come in any order. */
export function stampEvent(event: StoredEvent, at: number): StoredEvent {
  return { type: event.type, bytes: concat([event.bytes, timestampField(at)]) };
}

function timestampField(at: number): Uint8Array {
  return toBinary(
    HistoryEventSchema,
    create(HistoryEventSchema, { timestamp: timestampFromMs(at) }),
  );
}

/** Field of `OrchestratorRequest` or `HistoryChunk` that an event becomes an element of. */
export const EVENT_FIELD = {
  past: lengthDelimited(3),
  new: lengthDelimited(4),
  chunk: lengthDelimited(1),
} as const;

/** Events framed as elements of the repeated field `tag`, ready to be copied into a message. */
export function frameEvents(events: readonly StoredEvent[], tag: number): Uint8Array {
  return joinFields(events.map(({ bytes }) => ({ tag, bytes })));
}

/** A copy of framed events with another tag. All our event tags are one byte long. */
export function retagEvents(framed: Uint8Array, tag: number): Uint8Array {
  const copy = framed.slice();
  for (let at = 0; at < copy.length;) {
    copy[at] = tag;
    const { value, next } = readVarint(copy, at + 1);
    at = next + value;
  }
  return copy;
}

/** The single encoded events in a run of framed ones. */
export function* unframeEvents(framed: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < framed.length;) {
    const { value, next } = readVarint(framed, at + 1);
    yield framed.subarray(next, next + value);
    at = next + value;
  }
}

/** The type of an encoded event, read from its tags alone. */
export function eventTypeOf(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length;) {
    const tag = readVarint(bytes, at);
    const number = tag.value >>> 3;
    if (number > 2) return number;
    const value = readVarint(bytes, tag.next);
    at = (tag.value & 7) === 2 ? value.next + value.value : value.next;
  }
  throw new RangeError('a stored event without a type');
}
