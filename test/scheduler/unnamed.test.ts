import assert from 'node:assert/strict';
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import {
  ActivityRequestSchema,
  GetWorkItemsRequestSchema,
} from '../../src/proto/orchestrator_service_pb.ts';
import { DEFAULT_SCHEDULER_SETTINGS } from '../../src/scheduler/settings.ts';
import { Workers } from '../../src/scheduler/workers.ts';
import type { Claimed } from '../../src/storage/store.ts';
import { ManualClock } from '../support/manual-clock.ts';

interface Announced {
  readonly workerId?: string;
  readonly userAgent?: string;
  readonly request?: MessageInitShape<typeof GetWorkItemsRequestSchema>;
}

/** One connected worker that holds an orchestration `turn` and an activity `task` of instance `a`. */
function openWorkers({ workerId, userAgent, request }: Announced = {}): Workers {
  const workers = new Workers({
    clock: new ManualClock(),
    settings: DEFAULT_SCHEDULER_SETTINGS,
    onRoom: () => undefined,
    release: () => undefined,
  });
  workers.connect({
    hub: 'h',
    workerId,
    userAgent,
    isSticky: false,
    request: create(GetWorkItemsRequestSchema, request ?? {}),
    sink: {
      push: () => undefined,
      isBlocked: false,
      onDrain: () => undefined,
      end: () => undefined,
    },
  });
  const shared = { taker: 1, hub: 'h', attempts: 0 };
  const activity = create(ActivityRequestSchema, {
    taskId: 3,
    orchestrationInstance: { instanceId: 'a' },
  });
  const claimed: Claimed[] = [
    {
      ...shared,
      kind: 'orchestration',
      token: 'turn',
      key: 'turn',
      instanceId: 'a',
      executionId: 'e',
      history: [],
      historyMode: 'inline',
      memory: { before: undefined, after: 'turn' },
      newEvents: [],
      traceContext: undefined,
    },
    {
      ...shared,
      kind: 'activity',
      token: 'task',
      key: 'task',
      request: toBinary(ActivityRequestSchema, activity),
    },
  ];
  workers.handOut(claimed);
  return workers;
}

const turn = { kind: 'orchestration', instanceId: 'a' } as const;
const task = { kind: 'activity', instanceId: 'a', taskId: 3 } as const;

describe('completions without a token', () => {
  it('belong to the item of that subject which a worker without tokens holds', () => {
    const workers = openWorkers();
    assert.equal(workers.tokenOf('h', turn), 'turn');
    assert.equal(workers.tokenOf('h', task), 'task');
  });

  it('belong to nothing in another hub, of another instance or task, or once settled', () => {
    const workers = openWorkers();
    assert.equal(workers.tokenOf('other', turn), undefined);
    assert.equal(workers.tokenOf('h', { ...turn, instanceId: 'b' }), undefined);
    assert.equal(workers.tokenOf('h', { ...task, taskId: 4 }), undefined);
    workers.settle('turn', 'completed');
    assert.equal(workers.tokenOf('h', turn), undefined);
  });

  it('belong to nothing that a worker of today holds', () => {
    const announced: readonly Announced[] = [
      { workerId: 'host,1,guid' },
      { userAgent: 'durabletask-java/1.9.0 (DurableTaskWorker)' },
      { request: { maxConcurrentActivityWorkItems: 5 } },
    ];
    for (const worker of announced) {
      assert.equal(openWorkers(worker).tokenOf('h', task), undefined);
    }
  });
});
