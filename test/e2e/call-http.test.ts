import assert from 'node:assert/strict';
import { systemClock } from '../../src/base/clock.ts';
import { TaskHubClient } from '../../src/client/index.ts';
import { openScheduler } from '../../src/server/index.ts';
import type { RunningScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { LoopbackServer } from '../functions/http-call/loopback.ts';
import { NodeProcess } from '../support/node-process.ts';

const WORKER = new URL('./support/calling-worker.ts', import.meta.url);
const never = new AbortController().signal;

describe('callHttp of a worker that dies', function () {
  this.timeout(45_000);
  let scheduler: RunningScheduler;
  let server: LoopbackServer;
  let client: TaskHubClient;
  let worker: NodeProcess | undefined;

  before(async () => {
    scheduler = await openScheduler({
      ...{ storage: 'memory', taskHubs: ['default'], grpcPort: 0, httpPort: 0 },
      logger: silentLogger,
    });
    server = await LoopbackServer.open();
    client = TaskHubClient.open({ endpoint: scheduler.grpcEndpoint, taskHub: 'default' });
  });
  after(async () => {
    await worker?.end('SIGKILL');
    await client.close();
    await server.close();
    await scheduler.close();
  });

  async function startWorker(): Promise<NodeProcess> {
    const process = new NodeProcess(WORKER, [scheduler.grpcEndpoint]);
    await process.ready();
    return process;
  }

  async function polled(times: number): Promise<void> {
    const lateAt = systemClock.now() + 20_000;
    const count = (): number => server.received.filter(({ method }) => method === 'GET').length;
    while (count() < times) {
      assert.ok(systemClock.now() < lateAt, `polled ${count()} times only`);
      await systemClock.sleepUntil(systemClock.now() + 5, { signal: never });
    }
  }

  it('goes on polling in the next worker, without sending the request again', async () => {
    let isDone = false;
    server.answer(({ method }, response) => {
      if (method === 'GET' && isDone) response.writeHead(200, { 'X-Job': '7' }).end('done');
      else response.writeHead(202, { Location: '/jobs/7' }).end();
    });
    worker = await startWorker();
    const request = { method: 'POST', url: `${server.url}/jobs`, body: { a: 1 } };
    const id = await client.scheduleNewOrchestration('Call', request);

    await polled(3);
    await worker.end('SIGKILL');
    const before = server.received.length;
    worker = await startWorker();
    await polled(before + 2);
    isDone = true;
    const state = await client.waitForOrchestrationCompletion(id);

    const answer = JSON.parse(state?.serializedOutput ?? '{}') as {
      readonly statusCode: number;
      readonly content: string;
      readonly headers: Readonly<Record<string, string>>;
    };
    assert.deepEqual(
      [answer.statusCode, answer.content, answer.headers['X-Job']],
      [200, 'done', '7'],
    );
    const posts = server.received.filter(({ method }) => method === 'POST');
    assert.deepEqual(
      posts.map(({ path, body }) => [path, body]),
      [['/jobs', '{"a":1}']],
    );
  });
});
