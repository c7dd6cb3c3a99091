import assert from 'node:assert/strict';
import type { Clock } from '../../src/base/clock.ts';
import { systemClock } from '../../src/base/clock.ts';
import { TaskHubClient } from '../../src/client/index.ts';
import type { PurgeInstancesRequest } from '../../src/proto/orchestrator_service_pb.ts';
import { ScriptedScheduler } from '../worker/support/scripted-scheduler.ts';

describe('TaskHubClient.purgeOrchestration by criteria', () => {
  let scheduler: ScriptedScheduler;
  let client: TaskHubClient;
  let now = 0;

  beforeEach(async () => {
    scheduler = await ScriptedScheduler.open();
    // Deadlines of calls are points in real time.
    now = systemClock.now();
    const clock: Clock = { now: () => now, sleepUntil: () => Promise.resolve() };
    client = TaskHubClient.open({ endpoint: scheduler.endpoint, taskHub: 'h', clock });
  });
  afterEach(async () => {
    await client.close();
    scheduler.close();
  });

  /** Answers call by call; each takes as long as it was allowed to. */
  function answer(...replies: readonly (readonly [deleted: number, isComplete?: boolean])[]): void {
    const left = [...replies];
    scheduler.on('purgeInstances', (request) => {
      now += sliceMs(request);
      const [deletedInstanceCount = 0, isComplete] = left.shift() ?? [];
      return { deletedInstanceCount, ...(isComplete !== undefined && { isComplete }) };
    });
  }

  function sliceMs({ request }: PurgeInstancesRequest): number {
    assert.equal(request.case, 'purgeInstanceFilter');
    const { seconds = 0n, nanos = 0 } = request.value.timeout ?? {};
    return Number(seconds) * 1000 + nanos / 1_000_000;
  }

  it('asks again until the scheduler has deleted everything', async () => {
    answer([5, false], [3, false], [1, true]);

    const { deletedInstanceCount, isComplete } = await client.purgeOrchestration({});

    assert.deepEqual([deletedInstanceCount, isComplete], [9, true]);
    assert.deepEqual(scheduler.requests('purgeInstances').map(sliceMs), [10_000, 10_000, 10_000]);
  });

  it('ends with its time, and says that there is more', async () => {
    answer([5, false], [3, false], [1, false]);

    const result = await client.purgeOrchestration({ timeoutMs: 12_000 });

    assert.deepEqual([result.deletedInstanceCount, result.isComplete], [8, false]);
    assert.deepEqual(scheduler.requests('purgeInstances').map(sliceMs), [10_000, 2_000]);
  });

  it('does not go on asking a scheduler that makes no progress', async () => {
    answer([0, false]);

    assert.equal((await client.purgeOrchestration({})).isComplete, false);
    assert.equal(scheduler.requests('purgeInstances').length, 1);
  });

  it('takes an answer that does not say so as complete', async () => {
    answer([2]);

    assert.equal((await client.purgeOrchestration({})).isComplete, true);
  });

  it('refuses a time that is none, naming it', async () => {
    await assert.rejects(client.purgeOrchestration({ timeoutMs: -1 }), {
      code: 'INVALID_ARGUMENT',
      message: 'timeoutMs must be a finite number >= 0, got -1',
    });
  });
});
