import assert from 'node:assert/strict';
import { create, fromBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { DEFAULT_PAYLOAD_LIMITS } from '../../src/core/limits.ts';
import {
  CreateInstanceRequestSchema,
  OrchestrationIdReusePolicySchema,
  OrchestrationStatus,
  OrchestrationTraceContextSchema,
  OrchestratorResponseSchema,
  RaiseEventRequestSchema,
  SuspendRequestSchema,
  TerminateRequestSchema,
  type ExecutionStartedEvent,
} from '../../src/proto/orchestrator_service_pb.ts';
import {
  pauseCommit,
  raiseEventCommit,
  restartCommit,
  startCommit,
  terminateCommit,
  turnCommit,
} from '../../src/scheduler/requests.ts';
import { decodeEvent, type StoredEvent } from '../../src/wire/events.ts';

const HUB = 'hub';
const limits = {
  ...DEFAULT_PAYLOAD_LIMITS,
  orchestrationInput: 10,
  eventData: 10,
  orchestrationOutput: 10,
};
const env = { newId: () => 'new-id', limits };
const INVALID = { code: 'INVALID_ARGUMENT' };

function startedOf(event: StoredEvent): ExecutionStartedEvent {
  const { eventType } = decodeEvent(event);
  assert.ok(eventType.case === 'executionStarted');
  return eventType.value;
}

describe('request to start an instance', () => {
  it('carries everything that the client gave', () => {
    const policy = create(OrchestrationIdReusePolicySchema, {
      replaceableStatus: [OrchestrationStatus.FAILED],
    });
    const request = create(CreateInstanceRequestSchema, {
      ...{ instanceId: 'a', name: 'O', version: '2', input: '"in"', tags: { k: 'v' } },
      ...{ executionId: 'mine', orchestrationIdReusePolicy: policy },
      scheduledStartTimestamp: timestampFromMs(5000),
      parentTraceContext: { traceParent: 'trace' },
    });
    const { started, ...commit } = startCommit(HUB, request, env);
    assert.deepEqual(commit, {
      ...{ kind: 'start', hub: HUB, instanceId: 'a', executionId: 'mine', name: 'O', version: '2' },
      ...{ tags: { k: 'v' }, scheduledAt: 5000, policy },
    });
    const event = startedOf(started);
    assert.deepEqual(
      [event.name, event.version, event.input, event.tags],
      ['O', '2', '"in"', { k: 'v' }],
    );
    assert.equal(event.parentTraceContext?.traceParent, 'trace');
    assert.equal(event.scheduledStartTimestamp?.seconds, 5n);
    assert.deepEqual(
      [event.orchestrationInstance?.instanceId, event.orchestrationInstance?.executionId],
      ['a', 'mine'],
    );
  });

  it('gets ids where the client gives none, and starts now at time 0', () => {
    const request = create(CreateInstanceRequestSchema, {
      ...{ name: 'O', executionId: '', scheduledStartTimestamp: timestampFromMs(0) },
    });
    const { instanceId, executionId, scheduledAt, started } = startCommit(HUB, request, env);
    assert.deepEqual([instanceId, executionId, scheduledAt], ['new-id', 'new-id', undefined]);
    const event = startedOf(started);
    const unset = [
      event.version,
      event.input,
      event.scheduledStartTimestamp,
      event.parentTraceContext,
    ];
    assert.deepEqual(unset, [undefined, undefined, undefined, undefined]);
  });

  it('is refused for a bad id, name, input or policy', () => {
    const start = (init: object): unknown =>
      startCommit(HUB, create(CreateInstanceRequestSchema, { name: 'O', ...init }), env);
    assert.throws(() => start({ instanceId: '@entity@key' }), INVALID);
    assert.throws(() => start({ name: '' }), INVALID);
    assert.throws(() => start({ input: 'x'.repeat(11) }), INVALID);
    assert.throws(() => start({ tags: { long: 'x'.repeat(2000) } }), INVALID);
    const orchestrationIdReusePolicy = { replaceableStatus: [OrchestrationStatus.RUNNING] };
    assert.throws(() => start({ orchestrationIdReusePolicy }), INVALID);
  });
});

describe('request to restart an instance', () => {
  it('starts the same again, at once and without a parent', () => {
    const record = { name: 'O', version: '2', input: '"in"', tags: { k: 'v' }, status: 1 } as const;
    const commit = restartCommit(HUB, record, { instanceId: 'b', executionId: 'e' });
    assert.deepEqual(
      [commit.kind, commit.instanceId, commit.scheduledAt],
      ['restart', 'b', undefined],
    );
    const event = startedOf(commit.started);
    assert.deepEqual(
      [event.name, event.version, event.input, event.tags],
      ['O', '2', '"in"', { k: 'v' }],
    );
    assert.equal(event.parentInstance, undefined);
    assert.equal(event.orchestrationInstance?.executionId, 'e');
    const bare = { ...record, version: '', input: undefined };
    const other = startedOf(
      restartCommit(HUB, bare, { instanceId: 'b', executionId: 'e' }).started,
    );
    assert.deepEqual([other.version, other.input], [undefined, undefined]);
  });
});

describe('request for a live instance', () => {
  it('becomes the event that the orchestrator sees', () => {
    const raised = create(RaiseEventRequestSchema, { instanceId: 'a', name: 'go', input: '1' });
    const { eventType } = decodeEvent(raiseEventCommit(HUB, raised, limits).event);
    assert.ok(eventType.case === 'eventRaised');
    assert.deepEqual([eventType.value.name, eventType.value.input], ['go', '1']);
    const end = create(TerminateRequestSchema, { instanceId: 'a', output: '2', recursive: true });
    const terminated = decodeEvent(terminateCommit(HUB, end, limits).event).eventType;
    assert.ok(terminated.case === 'executionTerminated');
    assert.deepEqual([terminated.value.input, terminated.value.recurse], ['2', true]);
    const pause = create(SuspendRequestSchema, { instanceId: 'a', reason: 'why' });
    for (const name of ['executionSuspended', 'executionResumed'] as const) {
      const paused = decodeEvent(pauseCommit(HUB, name, pause, limits).event).eventType;
      assert.ok(paused.case === name);
      assert.equal(paused.value.input, 'why');
    }
  });

  it('is refused for an empty id or name, or too much data', () => {
    const raise = (init: object): unknown =>
      raiseEventCommit(
        HUB,
        create(RaiseEventRequestSchema, { instanceId: 'a', name: 'go', ...init }),
        limits,
      );
    assert.throws(() => raise({ instanceId: '' }), INVALID);
    assert.throws(() => raise({ name: '' }), INVALID);
    assert.throws(() => raise({ input: 'x'.repeat(11) }), INVALID);
    const end = create(TerminateRequestSchema, { instanceId: 'a', output: 'x'.repeat(11) });
    assert.throws(() => terminateCommit(HUB, end, limits), INVALID);
    const pause = create(SuspendRequestSchema, { instanceId: 'a', reason: 'x'.repeat(11) });
    assert.throws(() => pauseCommit(HUB, 'executionSuspended', pause, limits), INVALID);
  });
});

describe('completion of a turn', () => {
  it('keeps the trace context as bytes', () => {
    const trace = create(OrchestrationTraceContextSchema, { spanID: 'span' });
    const response = create(OrchestratorResponseSchema, {
      ...{
        completionToken: 't',
        customStatus: '"s"',
        numEventsProcessed: 3,
        requiresHistory: true,
      },
      orchestrationTraceContext: trace,
    });
    const commit = turnCommit(HUB, response);
    assert.deepEqual([commit.token, commit.customStatus, commit.eventsProcessed], ['t', '"s"', 3]);
    assert.equal(commit.requiresHistory, true);
    assert.ok(commit.traceContext);
    assert.equal(fromBinary(OrchestrationTraceContextSchema, commit.traceContext).spanID, 'span');
    const bare = turnCommit(HUB, create(OrchestratorResponseSchema, { completionToken: 't' }));
    assert.deepEqual([bare.traceContext, bare.eventsProcessed], [undefined, undefined]);
  });
});
