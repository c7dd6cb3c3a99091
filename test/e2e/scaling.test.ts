/** Load rises: a controller that knows only our figures starts workers, and stops them when the backlog is gone. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { TaskHubClient } from '../../src/client/index.ts';
import { openScheduler, type RunningScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { TaskHubWorker, type CoreOrchestrationContext } from '../../src/worker/index.ts';
import { RawClient } from '../server/support/raw-client.ts';
import {
  endpointController,
  kedaController,
  type Controller,
} from './support/scale-controllers.ts';

const INSTANCES = 80;
const PER_WORKER = 4;
const MAX_WORKERS = 4;
const ACTIVITY_MS = 250;
const POLL_MS = 100;

describe('workers that a controller starts and stops', function () {
  this.timeout(60_000);
  let scheduler: RunningScheduler;
  let client: TaskHubClient;
  let workers: TaskHubWorker[];

  beforeEach(async () => {
    workers = [];
    scheduler = await openScheduler({
      ...{ storage: 'memory', grpcPort: 0, httpPort: 0, logger: silentLogger },
    });
    client = TaskHubClient.open({ endpoint: scheduler.grpcEndpoint, taskHub: 'default' });
  });
  afterEach(async () => {
    await resize(0);
    await client.close();
    await scheduler.close();
  });

  async function resize(count: number): Promise<void> {
    while (workers.length < count) {
      const worker = new TaskHubWorker({
        ...{ endpoint: scheduler.grpcEndpoint, taskHub: 'default' },
        ...{ maxConcurrentActivities: PER_WORKER, maxConcurrentOrchestrations: PER_WORKER },
      });
      worker.addNamedActivity('Work', () => delay(ACTIVITY_MS));
      worker.addNamedOrchestrator('Job', function* (context: CoreOrchestrationContext) {
        yield context.callActivity('Work');
      });
      workers.push(worker);
      await worker.start();
    }
    await Promise.all(workers.splice(count).map((worker) => worker.stop()));
  }

  /** Numbers of workers from the minimum back to it, after all that was started has ended. */
  async function follow(controller: Controller, min: number): Promise<readonly number[]> {
    await resize(min);
    const seen = [min];
    const ids = await Promise.all(
      Array.from({ length: INSTANCES }, () => client.scheduleNewOrchestration('Job')),
    );
    const progress = { isDrained: false };
    const drained = Promise.all(
      ids.map((id) => client.waitForOrchestrationCompletion(id, false, 40)),
    ).then(() => {
      progress.isDrained = true;
    });
    const deadline = performance.now() + 45_000;
    while (!progress.isDrained || workers.length > min) {
      assert.ok(
        performance.now() < deadline,
        `workers: ${seen.join(' ')}, drained: ${progress.isDrained}`,
      );
      await resize(await controller(workers.length));
      if (workers.length !== seen.at(-1)) seen.push(workers.length);
      await delay(POLL_MS);
    }
    await drained;
    return seen;
  }

  function assertOneHill(seen: readonly number[], min: number): void {
    const steps = seen.slice(1).map((count, index) => Math.sign(count - (seen[index] ?? 0)));
    const turns = steps.filter((step, index) => index > 0 && step !== steps[index - 1]).length;
    assert.equal(Math.max(...seen), MAX_WORKERS, seen.join(' '));
    assert.equal(seen.at(-1), min);
    assert.equal(turns, 1, `up once and down once: ${seen.join(' ')}`);
  }

  it('follow the load and return to the minimum by our scale endpoint', async () => {
    const query = `min=1&max=${MAX_WORKERS}&windowSeconds=2`;
    assertOneHill(await follow(endpointController(scheduler.httpEndpoint, query), 1), 1);
  });

  it("follow the load and return to none by KEDA's protocol", async () => {
    const raw = new RawClient(Number(new URL(scheduler.grpcEndpoint).port));
    try {
      const controller = kedaController(raw, {
        ...{ maxReplicas: MAX_WORKERS, maxConcurrentWorkItems: PER_WORKER, windowMs: 2000 },
      });
      assertOneHill(await follow(controller, 0), 0);
    } finally {
      raw.close();
    }
  });
});
