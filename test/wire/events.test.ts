import assert from 'node:assert/strict';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import fc from 'fast-check';
import {
  HistoryChunkSchema,
  HistoryEventSchema,
  OrchestratorRequestSchema,
  type HistoryEvent,
} from '../../src/proto/orchestrator_service_pb.ts';
import {
  decodeEvent,
  encodeEvent,
  EVENT_FIELD,
  EVENT_NUMBER,
  eventTypeOf,
  frameEvents,
  retagEvents,
  stampEvent,
  storeEvent,
  unframeEvents,
  type EventCase,
  type EventType,
} from '../../src/wire/events.ts';

const CASES = Object.keys(EVENT_NUMBER) as EventCase[];

/** Any event of any kind, with a text of any length in it. */
const anyEvent: fc.Arbitrary<HistoryEvent> = fc
  .record({
    kind: fc.constantFrom(...CASES),
    eventId: fc.oneof(fc.constant(-1), fc.nat()),
    at: fc.option(fc.nat(2 ** 41), { nil: undefined }),
    text: fc.string({ maxLength: 300 }),
  })
  .map(({ kind, eventId, at, text }) =>
    create(HistoryEventSchema, {
      eventId,
      ...(at !== undefined && { timestamp: timestampFromMs(at) }),
      eventType:
        kind === 'eventRaised'
          ? { case: kind, value: { name: text, input: text } }
          : ({ case: kind, value: {} } as EventType),
    }),
  );

describe('stored events', () => {
  it('have the number of their field in the protocol as their type', () => {
    const fields = HistoryEventSchema.fields.filter(({ oneof }) => oneof !== undefined);
    assert.deepEqual(
      Object.fromEntries(fields.map(({ localName, number }) => [localName, number])),
      EVENT_NUMBER,
    );
  });

  it('give their type away without being decoded, for every kind', () => {
    for (const kind of CASES) {
      for (const at of [undefined, 0, 1_234_567_890_123]) {
        const eventType = { case: kind, value: {} } as EventType;
        const event = encodeEvent({ eventType, ...(at !== undefined && { at }) });
        assert.equal(event.type, EVENT_NUMBER[kind]);
        assert.equal(eventTypeOf(event.bytes), EVENT_NUMBER[kind]);
        assert.equal(eventTypeOf(stampEvent(event, 1).bytes), EVENT_NUMBER[kind]);
      }
    }
  });

  it('read back as they were, received or made', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const stored = storeEvent(event);
        assert.deepEqual(decodeEvent(stored), event);
        assert.equal(eventTypeOf(stored.bytes), stored.type);
      }),
    );
  });

  it('have −1 as their number and no time unless they are given them', () => {
    const made = decodeEvent(encodeEvent({ eventType: { case: 'timerFired', value: {} } }));
    assert.deepEqual([made.eventId, made.timestamp], [-1, undefined]);
    const eventType = { case: 'timerFired' as const, value: {} };
    const other = decodeEvent(encodeEvent({ eventType, eventId: 0, at: 5 }));
    assert.deepEqual([other.eventId, other.timestamp], [0, timestampFromMs(5)]);
  });

  it('without a type are refused', () => {
    const none = { case: undefined } as unknown as EventType;
    assert.throws(() => encodeEvent({ eventType: none }), TypeError);
    assert.throws(() => storeEvent(create(HistoryEventSchema)), TypeError);
    assert.throws(() => eventTypeOf(toBinary(HistoryEventSchema, create(HistoryEventSchema))), {
      name: 'RangeError',
    });
  });
});

describe('stamping an event', () => {
  it('gives it its time and changes nothing else', () => {
    fc.assert(
      fc.property(anyEvent, fc.nat(2 ** 41), (event, at) => {
        const { timestamp, ...bare } = event;
        fc.pre(timestamp === undefined);
        const stamped = decodeEvent(stampEvent(storeEvent(event), at));
        assert.deepEqual(stamped, { ...bare, timestamp: timestampFromMs(at) });
      }),
    );
  });
});

describe('framed events', () => {
  const events = fc.array(anyEvent, { maxLength: 8 });

  it('are what the generated code would write', () => {
    fc.assert(
      fc.property(events, (all) => {
        const stored = all.map(storeEvent);
        const request = create(OrchestratorRequestSchema, { pastEvents: all });
        assert.deepEqual(
          frameEvents(stored, EVENT_FIELD.past),
          toBinary(OrchestratorRequestSchema, request),
        );
      }),
    );
  });

  it('become elements of another field by their tags alone', () => {
    fc.assert(
      fc.property(events, (all) => {
        const past = frameEvents(all.map(storeEvent), EVENT_FIELD.past);
        const before = past.slice();
        const chunk = fromBinary(HistoryChunkSchema, retagEvents(past, EVENT_FIELD.chunk));
        assert.deepEqual(chunk.events, all);
        assert.deepEqual(past, before);
      }),
    );
  });

  it('come apart again', () => {
    fc.assert(
      fc.property(events, (all) => {
        const stored = all.map(storeEvent);
        const parts = [...unframeEvents(frameEvents(stored, EVENT_FIELD.past))];
        assert.deepEqual(
          parts.map((bytes) => Uint8Array.from(bytes)),
          stored.map(({ bytes }) => Uint8Array.from(bytes)),
        );
      }),
    );
  });
});
