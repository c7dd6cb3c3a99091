import assert from 'node:assert/strict';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import {
  ActivityRequestSchema,
  OrchestrationTraceContextSchema,
  OrchestratorRequestSchema,
  WorkItemSchema,
} from '../../src/proto/orchestrator_service_pb.ts';
import {
  decodeEvent,
  encodeEvent,
  EVENT_FIELD,
  EVENT_NUMBER,
  frameEvents,
  type StoredEvent,
} from '../../src/wire/events.ts';
import {
  encodeActivityWorkItem,
  encodeOrchestratorWorkItem,
  HEALTH_PING,
} from '../../src/wire/work-items.ts';

const text = fc.string({ unit: 'binary', maxLength: 200 }).map((one) => one.toWellFormed());

const event: fc.Arbitrary<StoredEvent> = fc
  .tuple(text, fc.nat(2 ** 41))
  .map(([name, at]) => encodeEvent({ eventType: { case: 'eventRaised', value: { name } }, at }));

const workItem = fc.record({
  instanceId: text,
  executionId: text,
  turns: fc.array(fc.array(event, { maxLength: 3 }), { maxLength: 3 }),
  newEvents: fc.array(event, { maxLength: 4 }),
  spanID: fc.option(text, { nil: undefined }),
  completionToken: text,
  requiresHistoryStreaming: fc.boolean(),
});

describe('an orchestration work item', () => {
  it('put together from stored bytes is what the generated code would build', () => {
    fc.assert(
      fc.property(workItem, ({ turns, spanID, ...rest }) => {
        const context =
          spanID === undefined ? undefined : create(OrchestrationTraceContextSchema, { spanID });
        const bytes = encodeOrchestratorWorkItem({
          ...rest,
          history: turns.map((events) => frameEvents(events, EVENT_FIELD.past)),
          traceContext: context && toBinary(OrchestrationTraceContextSchema, context),
        });
        const request = create(OrchestratorRequestSchema, {
          instanceId: rest.instanceId,
          executionId: rest.executionId,
          pastEvents: turns.flat().map(decodeEvent),
          newEvents: rest.newEvents.map(decodeEvent),
          requiresHistoryStreaming: rest.requiresHistoryStreaming,
          entityParameters: { entityMessageReorderWindow: { seconds: 0n, nanos: 0 } },
          ...(context && { orchestrationTraceContext: context }),
        });
        const expected = create(WorkItemSchema, {
          completionToken: rest.completionToken,
          request: { case: 'orchestratorRequest', value: request },
        });
        assert.deepEqual(fromBinary(WorkItemSchema, bytes), expected);
      }),
    );
  });

  it('carries fields that this scheduler does not know through to the worker', () => {
    // Field 99 of HistoryEvent, a varint: written by a newer worker, stored as it came.
    const known = encodeEvent({ eventType: { case: 'timerFired', value: { timerId: 1 } } });
    const unknown = Uint8Array.of(0x98, 0x06, 0x07);
    const bytes = Uint8Array.of(...known.bytes, ...unknown);
    const encoded = encodeOrchestratorWorkItem({
      instanceId: 'a',
      executionId: 'e',
      history: [],
      newEvents: [{ type: EVENT_NUMBER.timerFired, bytes }],
      traceContext: undefined,
      completionToken: 't',
      requiresHistoryStreaming: false,
    });
    const { request } = fromBinary(WorkItemSchema, encoded);
    assert.ok(request.case === 'orchestratorRequest');
    assert.equal(request.value.newEvents[0]?.$unknown?.[0]?.no, 99);
  });
});

describe('an activity work item', () => {
  it('is the stored request with its token', () => {
    fc.assert(
      fc.property(text, text, fc.nat(), (name, completionToken, taskId) => {
        const value = create(ActivityRequestSchema, { name, taskId });
        const bytes = encodeActivityWorkItem(
          toBinary(ActivityRequestSchema, value),
          completionToken,
        );
        const request = { case: 'activityRequest' as const, value };
        assert.deepEqual(
          fromBinary(WorkItemSchema, bytes),
          create(WorkItemSchema, { completionToken, request }),
        );
      }),
    );
  });
});

describe('the health ping', () => {
  it('is a work item of that kind, without a token', () => {
    const { request, completionToken } = fromBinary(WorkItemSchema, HEALTH_PING);
    assert.deepEqual([request.case, completionToken], ['healthPing', '']);
  });
});
