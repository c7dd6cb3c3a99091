/** The scale and health routes of an app, as a controller beside it sees them: over HTTP, before a host that asks for keys. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { TaskHubClient } from '../../src/client/index.ts';
import { openScheduler, type RunningScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { systemClock } from '../../src/base/clock.ts';
import { AppUnderTest } from './support/app-under-test.ts';
import { KeyedFront } from './support/keyed-front.ts';

/** An app whose activities take long, two at once in each worker. */
const HUB = 'slow';
const KEY = 'the key of the host';
const ROUTES = [
  ['GET', 'scale/metrics'],
  ['POST', 'scale/status'],
  ['GET', 'scale/prometheus'],
  ['GET', 'health/live'],
  ['GET', 'health/ready'],
] as const;
const STARTED = 5;
const PER_WORKER = 2;

/** Of the host's `admin/host/scale/status`. */
interface ScaleStatus {
  readonly vote: number;
  readonly targetWorkerCount: number;
  readonly functionScaleStatuses: Readonly<Record<string, { readonly vote: number }>>;
  readonly functionTargetScalerResults: Readonly<
    Record<string, { readonly targetWorkerCount: number }>
  >;
}

type ScaleMetrics = Readonly<Record<'orchestrations' | 'activities' | 'entities', KindMetrics>> & {
  readonly timestamp: string;
  readonly taskHub: string;
  readonly connectedWorkers: number;
  readonly worker: unknown;
};

interface KindMetrics {
  readonly pending: number;
  readonly active: number;
  readonly oldestAgeInSeconds: number;
  readonly concurrency: number;
}

/** For at most ten seconds. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadlineAt = systemClock.now() + 10_000;
  const { signal } = new AbortController();
  while (!(await condition())) {
    assert.ok(systemClock.now() < deadlineAt, condition.toString());
    await systemClock.sleepUntil(systemClock.now() + 50, { signal });
  }
}

describe('scale routes of an app on a host', function () {
  this.timeout(30_000);
  const app = new AppUnderTest();
  let scheduler: RunningScheduler;
  let front: KeyedFront;
  let client: TaskHubClient;

  before(async () => {
    scheduler = await openScheduler({
      ...{ storage: 'memory', taskHubs: [HUB], grpcPort: 0, httpPort: 0 },
      logger: silentLogger,
    });
    await app.open(HUB, scheduler);
    front = await KeyedFront.open(app.url, KEY);
    client = TaskHubClient.open({ endpoint: scheduler.grpcEndpoint, taskHub: HUB });
  });
  after(async () => {
    await client.close();
    front.close();
    await app.close();
    await scheduler.close();
  });

  const ask = (method: string, route: string, init: RequestInit = {}) =>
    fetch(`${front.url}/api/durabletask/${route}`, {
      method,
      headers: { 'x-functions-key': KEY },
      ...init,
    });
  const metrics = async () => (await (await ask('GET', 'scale/metrics')).json()) as ScaleMetrics;
  const status = async (workerCount: number) => {
    const answer = await ask('POST', 'scale/status', { body: JSON.stringify({ workerCount }) });
    assert.equal(answer.status, 200);
    return (await answer.json()) as ScaleStatus;
  };

  it('answer nobody without the key', async () => {
    for (const [method, route] of ROUTES) {
      const answers = [
        await ask(method, route, { headers: { 'x-functions-key': '' } }),
        await ask(method, route, { headers: { 'x-functions-key': 'another' } }),
      ];
      assert.deepEqual(
        answers.map((answer) => answer.status),
        [401, 401],
        route,
      );
    }
  });

  it('say that the app is alive, and ready once its worker is connected', async () => {
    const health = async (of: string) => (await ask('GET', `health/${of}`)).json();
    assert.deepEqual(await health('live'), { status: 'live' });
    await until(async () => isDeepStrictEqual(await health('ready'), { status: 'ready' }));
  });

  it('vote neither way while nothing waits: fewer only after a whole window of that', async () => {
    assert.deepEqual(await status(0), {
      ...{ vote: 0, targetWorkerCount: 0, functionScaleStatuses: {} },
      functionTargetScalerResults: { [`durabletask-${HUB}`]: { targetWorkerCount: 0 } },
    });
    assert.equal((await status(5)).vote, 0);
  });

  it("vote for more when work waits, with the JSON of the host's own scale status", async () => {
    await Promise.all(
      Array.from({ length: STARTED }, () => client.scheduleNewOrchestration('job')),
    );
    await until(async () => (await metrics()).activities.pending === STARTED - PER_WORKER);
    assert.deepEqual(await status(1), {
      ...{ vote: 1, targetWorkerCount: 3, functionScaleStatuses: {} },
      functionTargetScalerResults: { [`durabletask-${HUB}`]: { targetWorkerCount: 3 } },
    });
    assert.deepEqual([(await status(3)).vote, (await status(4)).vote], [0, 0]);
  });

  it('tell the figures as JSON and to Prometheus', async () => {
    const { timestamp, taskHub, activities, connectedWorkers, worker, ...rest } = await metrics();
    assert.ok(Date.parse(timestamp) > 0);
    assert.deepEqual(Object.keys(rest), ['orchestrations', 'entities']);
    assert.deepEqual(
      { taskHub, activities, connectedWorkers, worker },
      {
        taskHub: HUB,
        activities: {
          ...{ pending: STARTED - PER_WORKER, active: PER_WORKER, concurrency: PER_WORKER },
          oldestAgeInSeconds: activities.oldestAgeInSeconds,
        },
        connectedWorkers: 1,
        worker: { connected: true, activeWorkItems: PER_WORKER },
      },
    );
    const prometheus = await ask('GET', 'scale/prometheus');
    assert.match(prometheus.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    assert.match(
      await prometheus.text(),
      /^durabletask_work_items_pending\{task_hub="slow",kind="activity"\} 3$/m,
    );
  });

  it('say why the app is not ready once the scheduler is gone', async () => {
    await scheduler.close();
    await until(async () => (await ask('GET', 'health/ready')).status === 503);
    assert.deepEqual(await (await ask('GET', 'health/ready')).json(), {
      status: 'notReady',
      reason: 'the worker has no connection to the scheduler',
    });
    assert.equal((await ask('GET', 'health/live')).status, 200);
  });
});
