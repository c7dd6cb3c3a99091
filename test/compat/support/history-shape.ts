/** Histories as short texts, so that a test can show one whole. */
import assert from 'node:assert/strict';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { HistoryEvent } from '../../../src/proto/orchestrator_service_pb.ts';

/** `taskScheduled 1`, `taskCompleted -1 ← 1`: type, event id, and the id that it answers. */
export function shape(events: readonly HistoryEvent[]): readonly string[] {
  return events.map(({ eventId, eventType }) => {
    const answered = answeredId(eventType);
    const head = `${eventType.case ?? 'nothing'} ${eventId}`;
    return answered === undefined ? head : `${head} ← ${answered}`;
  });
}

function answeredId({ case: kind, value }: HistoryEvent['eventType']): number | undefined {
  switch (kind) {
    case 'taskCompleted':
    case 'taskFailed':
    case 'subOrchestrationInstanceCompleted':
    case 'subOrchestrationInstanceFailed':
      return value.taskScheduledId;
    case 'timerFired':
      return value.timerId;
    default:
      return undefined;
  }
}

/** What holds of every history, whatever happened. */
export function assertLaws(events: readonly HistoryEvent[]): void {
  assert.ok(events.length > 0, 'an empty history');
  const kinds = events.map(({ eventType }) => eventType.case);
  assert.ok(!kinds.includes('orchestratorCompleted'));
  assert.ok(!kinds.includes(undefined));
  assert.equal(kinds.filter((kind) => kind === 'executionStarted').length, 1);
  const times = events.map(({ timestamp }) => {
    assert.ok(timestamp, 'an event without a time');
    return timestampMs(timestamp);
  });
  const turns = times.filter((_, index) => kinds[index] === 'orchestratorStarted');
  assert.deepEqual(
    turns,
    [...turns].sort((a, b) => a - b),
    'turns that go back in time',
  );
  const ids = events.map(({ eventId }) => eventId).filter((id) => id >= 0);
  assert.equal(new Set(ids).size, ids.length, 'an event id twice');
}
