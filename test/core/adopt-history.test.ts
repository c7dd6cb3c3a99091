import assert from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import { adoptHistory } from '../../src/core/rewind.ts';
import { HistoryEventSchema, type HistoryEvent } from '../../src/proto/orchestrator_service_pb.ts';
import { EVENT_NUMBER, type EventType } from '../../src/wire/events.ts';

describe('A history that a worker puts in place of ours', () => {
  const event = (eventId: number, eventType: EventType): HistoryEvent =>
    create(HistoryEventSchema, { eventId, eventType });
  const started = (executionId: string): HistoryEvent =>
    event(-1, {
      case: 'executionStarted',
      value: { name: 'O', orchestrationInstance: { instanceId: 'i', executionId } },
    });

  it('gives its execution, its marks and the children that it waits for', () => {
    const adopted = adoptHistory([
      event(-1, { case: 'orchestratorStarted', value: {} }),
      started('abc'),
      event(1, { case: 'subOrchestrationInstanceCreated', value: { instanceId: 'c1' } }),
      event(2, { case: 'subOrchestrationInstanceCreated', value: { instanceId: 'c2' } }),
      event(-1, { case: 'subOrchestrationInstanceCompleted', value: { taskScheduledId: 1 } }),
      event(-1, { case: 'executionRewound', value: {} }),
      event(-1, { case: 'executionCompleted', value: {} }),
      create(HistoryEventSchema, { eventId: -1 }),
    ]);
    assert.ok(adopted);
    assert.equal(adopted.executionId, 'abc');
    assert.equal(adopted.history.length, 5);
    assert.deepEqual(
      adopted.markers.map(({ type }) => type),
      [EVENT_NUMBER.executionRewound],
    );
    assert.deepEqual(
      adopted.openChildren.map(({ taskId }) => taskId),
      [2],
    );
  });

  it('may leave its execution id to us', () => {
    assert.equal(adoptHistory([started('')])?.executionId, undefined);
    const bare = event(-1, { case: 'executionStarted', value: { name: 'O' } });
    assert.equal(adoptHistory([bare])?.executionId, undefined);
  });

  it('is none without executionStarted', () => {
    assert.equal(adoptHistory([]), undefined);
  });
});
