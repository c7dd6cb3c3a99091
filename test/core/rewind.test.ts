import assert from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import { childStarted } from '../../src/core/child-started.ts';
import { TaskHubError } from '../../src/core/errors.ts';
import { assertRewindable, rewindHistory, type RewindOptions } from '../../src/core/rewind.ts';
import {
  OrchestrationStatus,
  SubOrchestrationInstanceCreatedEventSchema,
} from '../../src/proto/orchestrator_service_pb.ts';
import { decodeEvent, encodeEvent, type StoredEvent } from '../../src/wire/events.ts';

const OPTIONS: RewindOptions = {
  executionId: 'new',
  reason: 'mended',
  now: 5000,
  parentExecutionId: undefined,
};
const turn = encodeEvent({ eventType: { case: 'orchestratorStarted', value: {} }, at: 1 });
const failed = encodeEvent({
  eventType: {
    case: 'executionCompleted',
    value: { orchestrationStatus: OrchestrationStatus.FAILED },
  },
});

function started(withParent: boolean): StoredEvent {
  const orchestrationInstance = { instanceId: 'p', executionId: 'old-parent' };
  return encodeEvent({
    eventType: {
      case: 'executionStarted',
      value: {
        name: 'O',
        orchestrationInstance: { instanceId: 'a', executionId: 'old' },
        ...(withParent && { parentInstance: { taskScheduledId: 7, orchestrationInstance } }),
      },
    },
  });
}

function child(id: number): StoredEvent {
  const value = { instanceId: `c${id}`, name: 'C' };
  return encodeEvent({
    eventType: { case: 'subOrchestrationInstanceCreated', value },
    eventId: id,
  });
}

function childDone(taskScheduledId: number): StoredEvent {
  const value = { taskScheduledId };
  return encodeEvent({ eventType: { case: 'subOrchestrationInstanceCompleted', value } });
}

function childFailed(taskScheduledId: number): StoredEvent {
  const value = { taskScheduledId };
  return encodeEvent({ eventType: { case: 'subOrchestrationInstanceFailed', value } });
}

describe('history of a rewound instance', () => {
  it('begins a new execution', () => {
    const rewound = rewindHistory([turn, started(false), failed], OPTIONS);
    assert.equal(rewound.started.orchestrationInstance?.executionId, 'new');
    const [first, second, ...rest] = rewound.history.map(decodeEvent);
    assert.equal(first?.eventType.case, 'orchestratorStarted');
    assert.ok(second?.eventType.case === 'executionStarted');
    assert.deepEqual(second.eventType.value, rewound.started);
    assert.deepEqual(rest, []);
  });

  it('knows the new execution of its parent, if the rewind came from there', () => {
    const events = [turn, started(true), failed];
    const down = rewindHistory(events, { ...OPTIONS, parentExecutionId: 'new-parent' });
    const parentOf = ({ started: { parentInstance } }: typeof down): string | undefined =>
      parentInstance?.orchestrationInstance?.executionId;
    assert.equal(parentOf(down), 'new-parent');
    assert.equal(parentOf(rewindHistory(events, OPTIONS)), 'old-parent');
    const marker = decodeEvent(down.marker).eventType;
    assert.ok(marker.case === 'executionRewound');
    assert.equal(marker.value.parentExecutionId, 'new-parent');
  });

  it('has a mark with the reason and the time', () => {
    const { timestamp, eventType } = decodeEvent(
      rewindHistory([turn, started(false), failed], OPTIONS).marker,
    );
    assert.equal(timestamp?.seconds, 5n);
    assert.ok(eventType.case === 'executionRewound');
    assert.deepEqual(
      [eventType.value.reason, eventType.value.parentExecutionId],
      ['mended', undefined],
    );
  });

  it('names the children that it still waits for', () => {
    const events = [
      ...[turn, started(false), child(1), child(2), child(3)],
      ...[turn, childDone(1)],
      ...[turn, childFailed(2), child(4)],
      ...[turn, childFailed(4), failed],
    ];
    const { openChildren } = rewindHistory(events, OPTIONS);
    assert.deepEqual(
      openChildren.map(({ taskId, created }) => [taskId, created.instanceId]),
      [
        [3, 'c3'],
        [4, 'c4'],
      ],
    );
  });

  it('takes a start that does not name its instance', () => {
    const bare = encodeEvent({ eventType: { case: 'executionStarted', value: { name: 'O' } } });
    const rewound = rewindHistory([turn, bare, failed], OPTIONS);
    assert.equal(rewound.started.orchestrationInstance, undefined);
  });

  it('cannot be made of a history that never started', () => {
    assert.throws(() => rewindHistory([turn, failed], OPTIONS), /no executionStarted/);
  });
});

describe('state of an instance to be rewound', () => {
  const refusal = (status: OrchestrationStatus): string => {
    try {
      assertRewindable('a', status);
      return 'allowed';
    } catch (error) {
      assert.ok(error instanceof TaskHubError && error.code === 'WRONG_STATE');
      return error.message;
    }
  };

  it('is FAILED', () => {
    assert.equal(refusal(OrchestrationStatus.FAILED), 'allowed');
  });

  it('is told in the refusal, with what to do', () => {
    assert.match(refusal(OrchestrationStatus.RUNNING), /not allow.*'a'.*RUNNING.*still running/);
    assert.match(refusal(OrchestrationStatus.COMPLETED), /COMPLETED.*restart it instead/);
  });
});

describe('start of a sub-orchestration', () => {
  const identity = {
    taskId: 3,
    executionId: 'e',
    parent: { instanceId: 'p', executionId: 'pe', name: 'P', version: '1' },
  };

  it('says who waits for it, and leaves out what is unset', () => {
    const asked = create(SubOrchestrationInstanceCreatedEventSchema, {
      ...{ instanceId: 'c', name: 'C', version: '2', input: 'in', tags: { a: 'b' } },
      parentTraceContext: { traceParent: 't' },
    });
    const { eventType } = decodeEvent(childStarted(asked, identity));
    assert.ok(eventType.case === 'executionStarted');
    const { name, version, input, tags, parentInstance, parentTraceContext } = eventType.value;
    assert.deepEqual([name, version, input, tags], ['C', '2', 'in', { a: 'b' }]);
    assert.equal(parentTraceContext?.traceParent, 't');
    assert.deepEqual(
      [parentInstance?.taskScheduledId, parentInstance?.name, parentInstance?.version],
      [3, 'P', '1'],
    );
    assert.equal(parentInstance?.orchestrationInstance?.executionId, 'pe');
  });

  it('has no version where there is none', () => {
    const asked = create(SubOrchestrationInstanceCreatedEventSchema, { name: 'C' });
    const parent = { ...identity.parent, version: '' };
    const { eventType } = decodeEvent(childStarted(asked, { ...identity, parent }));
    assert.ok(eventType.case === 'executionStarted');
    assert.equal(eventType.value.version, undefined);
    assert.equal(eventType.value.parentInstance?.version, undefined);
  });
});
