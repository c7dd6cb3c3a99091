import assert from 'node:assert/strict';
import { OrchestrationStatus } from '../../src/proto/orchestrator_service_pb.ts';
import { explainWaiting, type WaitItem } from '../../src/scheduler/why-waiting.ts';
import type { WorkerInfo } from '../../src/scheduler/worker-info.ts';
import type { Outstanding, OutstandingWork, Row } from '../../src/storage/inspection.ts';
import type { TypeFilter } from '../../src/storage/store.ts';

const NOW = 1_000_000;

const ROW: Row = {
  ...{ instanceId: 'a', rid: 1, executionId: 'e', generation: 1, name: 'Order', version: '' },
  status: OrchestrationStatus.RUNNING,
  ...{ createdAt: 0, updatedAt: 0, completedAt: undefined, scheduledAt: undefined },
  ...{ parentId: undefined, tags: {}, customStatus: undefined, errorType: undefined },
  ...{ errorMessage: undefined, historyBytes: 0, revision: '' },
};

const CHARGE: OutstandingWork = {
  ...{ kind: 'activity', name: 'Charge', version: '2', eventId: 7 },
  ...{ readyAt: NOW - 10, isParked: false, token: undefined, node: 1, attempts: 0, abandons: 0 },
};

function explain(found: Partial<Outstanding>, ...workers: WorkerInfo[]): readonly WaitItem[] {
  const nothing = { isSuspended: false, unread: 0, turn: undefined, isCut: false };
  const lists = { activities: [], timers: [], children: [] };
  return explainWaiting({ row: ROW, ...nothing, ...lists, ...found }, { now: NOW, workers });
}

function worker(activities?: readonly TypeFilter[], rest: Partial<WorkerInfo> = {}): WorkerInfo {
  const none = { orchestration: 0, activity: 0, entity: 0 };
  return {
    ...{ hub: 'default', stream: 1, workerId: 'w', userAgent: undefined, connectedAt: 0 },
    ...{ inFlight: 0, isEnding: false, isSticky: false, held: [] },
    capacity: { orchestration: 1, activity: 1, entity: 1 },
    inFlightByKind: none,
    filters: { orchestration: undefined, activity: activities, entity: undefined },
    counts: { delivered: 0, completed: 0, gaveBack: 0 },
    ...rest,
  };
}

const codes = (items: readonly WaitItem[]) => items.map(({ code }) => code);
const queued = (...workers: WorkerInfo[]) => {
  const [item] = explain({ activities: [CHARGE] }, ...workers);
  return [item?.code, item?.class, ...(item?.workers ?? []).map(({ verdict }) => verdict)];
};

describe('why an instance waits', () => {
  it('names what is wrong with queued work that nobody takes', () => {
    assert.deepEqual(queued(), ['hub-has-no-worker', 'problem']);
    const other = worker([{ name: 'Refund', versions: [] }]);
    assert.deepEqual(queued(other), ['name-not-taken', 'problem', 'name']);
    const older = worker([{ name: 'Charge', versions: ['1'] }]);
    assert.deepEqual(queued(older, other), ['version-not-taken', 'problem', 'version', 'name']);
    const leaving = worker(undefined, { isEnding: true });
    assert.deepEqual(queued(leaving), ['hub-has-no-worker', 'problem', 'draining']);
  });

  it('tells workers that are full from those with room', () => {
    const full = worker(undefined, {
      inFlightByKind: { orchestration: 0, activity: 1, entity: 0 },
    });
    assert.deepEqual(queued(full), ['all-busy', 'load', 'full']);
    assert.deepEqual(queued(full, worker()), ['turn-due', 'normal', 'full', 'takes']);
  });

  it('names the worker that has the work', () => {
    const held = [{ token: 't', kind: 'activity' as const, sinceAt: 5, attempts: 0 }];
    const leased = { ...CHARGE, readyAt: undefined, token: 't' };
    const [item] = explain({ activities: [leased] }, worker(undefined, { held }));
    assert.equal(item?.code, 'with-worker');
    assert.deepEqual(item.holder, { workerId: 'w', sinceAt: 5 });
    const [elsewhere] = explain({ activities: [leased] });
    assert.equal(elsewhere?.holder, undefined);
  });

  it('says when work that was lost or given back goes out again', () => {
    const later = { ...CHARGE, readyAt: NOW + 50 };
    const [lost] = explain({ activities: [{ ...later, attempts: 1 }] });
    assert.deepEqual([lost?.code, lost?.dueAt], ['worker-lost', NOW + 50]);
    assert.deepEqual(codes(explain({ activities: [{ ...later, abandons: 2 }] })), ['given-back']);
    assert.deepEqual(codes(explain({ activities: [{ ...CHARGE, isParked: true }] })), ['poisoned']);
  });

  it('puts problems first', () => {
    const child = { ...ROW, instanceId: 'a:1' };
    const found = { timers: [{ dueAt: NOW + 5 }], children: [child], activities: [CHARGE] };
    assert.deepEqual(codes(explain(found)), ['hub-has-no-worker', 'timer', 'child']);
  });

  it('infers an external event only when there is nothing else', () => {
    const [item] = explain({});
    assert.deepEqual([item?.code, item?.isInferred], ['event', true]);
    assert.deepEqual(codes(explain({ isSuspended: true })), ['suspended']);
    const row = { ...ROW, status: OrchestrationStatus.PENDING, scheduledAt: NOW + 9 };
    assert.deepEqual(codes(explain({ row })), ['scheduled']);
    assert.deepEqual(explain({ row: { ...ROW, status: OrchestrationStatus.FAILED } }), []);
  });
});
