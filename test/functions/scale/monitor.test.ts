import assert from 'node:assert/strict';
import azureFunctions from '@azure/functions';
import type { HttpResponseInit } from '@azure/functions';
import { TaskHubClient } from '../../../src/client/task-hub-client.ts';
import { TaskHubError } from '../../../src/core/errors.ts';
import { ScaleMonitor } from '../../../src/functions/scale/monitor.ts';
import type { ScaleQuestion, WorkerState } from '../../../src/functions/scale/monitor.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { FakeScheduler } from '../support/fake-scheduler.ts';
import { ask } from '../support/management.ts';

function openMonitor(worker?: WorkerState) {
  const clock = new ManualClock();
  const load = { pending: 0 };
  const scheduler = new FakeScheduler({
    GetMetrics: () => ({
      metrics: {
        orchestratorWorkItems: { pending: load.pending, active: 1, oldestAgeInSeconds: 3 },
        connectedWorkers: { count: 2 },
      },
    }),
  });
  const client = TaskHubClient.open({ connection: scheduler });
  const monitor = new ScaleMonitor({
    ...{ clock, client: () => client, taskHub: () => 'hub', worker: () => worker },
    perWorker: () => ({ orchestrations: 10, activities: 5, entities: 10 }),
  });
  const answer = (question: ScaleQuestion, body = ''): Promise<HttpResponseInit> =>
    monitor.answer(
      question,
      new azureFunctions.HttpRequest({
        ...{ method: 'POST', url: 'https://app.net/' },
        body: { bytes: Buffer.from(body) },
      }),
    );
  const status = async (workerCount: number) =>
    (await answer('status', JSON.stringify({ WorkerCount: workerCount }))).jsonBody as {
      readonly vote: number;
      readonly targetWorkerCount: number;
    };
  return { clock, load, answer, status };
}

describe('the scale monitor of an app', () => {
  it("answers in the form of the host's own scale status", async () => {
    const { load, answer } = openMonitor();
    load.pending = 29;
    assert.deepEqual((await answer('status', '{"workerCount":1}')).jsonBody, {
      vote: 1,
      targetWorkerCount: 3,
      functionScaleStatuses: {},
      functionTargetScalerResults: { 'durabletask-hub': { targetWorkerCount: 3 } },
    });
  });

  it('votes for fewer workers only after a whole window of less work', async () => {
    const { clock, load, status } = openMonitor();
    load.pending = 29;
    assert.equal((await status(3)).vote, 0);
    load.pending = 0;
    for (let second = 10; second < 120; second += 10) {
      clock.advance(10_000);
      assert.equal((await status(3)).vote, 0, `after ${second} s`);
    }
    clock.advance(10_000);
    assert.deepEqual(
      await status(3).then(({ vote, targetWorkerCount }) => [vote, targetWorkerCount]),
      [-1, 1],
    );
  });

  it('tells the figures, and what this worker does', async () => {
    const { clock, answer } = openMonitor({ isConnected: true, workItemCount: 4 });
    assert.deepEqual((await answer('metrics')).jsonBody, {
      timestamp: new Date(clock.now()).toISOString(),
      taskHub: 'hub',
      orchestrations: { pending: 0, active: 1, oldestAgeInSeconds: 3, concurrency: 10 },
      activities: { pending: 0, active: 0, oldestAgeInSeconds: 0, concurrency: 5 },
      entities: { pending: 0, active: 0, oldestAgeInSeconds: 0, concurrency: 10 },
      connectedWorkers: 2,
      worker: { connected: true, activeWorkItems: 4 },
    });
  });

  it('tells Prometheus', async () => {
    const { headers, body } = await openMonitor().answer('prometheus');
    assert.match(JSON.stringify(headers), /text\/plain/);
    assert.match(
      body as string,
      /^durabletask_work_items_active\{task_hub="hub",kind="orchestration"\} 1$/m,
    );
    assert.match(body as string, /^durabletask_connected_workers\{task_hub="hub"\} 2$/m);
  });

  it('says why the app is not ready', async () => {
    const { answer } = openMonitor({ isConnected: false, workItemCount: 0 });
    const notReady = await answer('ready');
    assert.equal(notReady.status, 503);
    assert.deepEqual(notReady.jsonBody, {
      status: 'notReady',
      reason: 'the worker has no connection to the scheduler',
    });
    assert.deepEqual((await answer('live')).jsonBody, { status: 'live' });
    assert.deepEqual((await openMonitor().answer('ready')).jsonBody, { status: 'ready' });
  });

  it('refuses a status request without a number of workers', async () => {
    for (const body of ['', '{"workerCount":-1}', '{"workerCount":"2"}', 'null']) {
      await assert.rejects(openMonitor().answer('status', body), { code: 'INVALID_ARGUMENT' });
    }
  });
});

describe('scale routes of an app', () => {
  it('are found below the management route, with a key and never with a signed link', async () => {
    assert.equal((await ask({ path: 'scale/metrics' })).response.status, undefined);
    assert.equal((await ask({ path: 'scale/nothing' })).response.status, 404);
    assert.equal((await ask({ path: 'scale/metrics', isSigned: true })).response.status, 401);
    assert.equal((await ask({ path: 'health' })).response.status, undefined);
    const status = { method: 'POST', path: 'scale/status', body: '{}' };
    assert.equal((await ask(status)).response.status, 400);
  });

  it('say when a scheduler tells no figures', async () => {
    const refuses = () => {
      throw new TaskHubError('UNIMPLEMENTED', 'no figures here');
    };
    const { response } = await ask({ path: 'scale/metrics' }, { GetMetrics: refuses });
    assert.equal(response.status, 501);
    assert.match(
      response.body as string,
      /^The scheduler of task hub "\w+" does not say how much work waits .*: scale by what the plan measures/,
    );
  });
});
