import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { systemClock } from '../../src/base/clock.ts';
import { systemIds } from '../../src/base/ids.ts';
import { TaskHubClient } from '../../src/client/index.ts';
import type { Connection } from '../../src/client/connection.ts';
import { openGrpcConnection } from '../../src/client/grpc-connection.ts';
import { TaskHubWorker, whenAll } from '../../src/worker/index.ts';
import { NodeProcess } from '../support/node-process.ts';
import { PostgresSchema, sharedPostgres, stopSharedPostgres } from '../support/postgres.ts';
import { Travellers } from './support/travellers.ts';

const WORKER = new URL('./support/hello-worker.ts', import.meta.url);

function connect(endpoint: string): Connection {
  return openGrpcConnection({
    ...{ endpoint, userAgent: 'durabletask-scheduler/0 (test)', taskHub: 'default' },
    ...{ workerId: systemIds.uuid(), clock: systemClock, ids: systemIds },
  });
}

/** What a load balancer makes of one worker: its stream is at one scheduler, all that it says goes to another. */
function split(stream: Connection, answers: Connection): Connection {
  return {
    unary: (method, request, options) => answers.unary(method, request, options),
    serverStream: (method, request, options) => stream.serverStream(method, request, options),
    renew: () => {
      stream.renew();
      answers.renew();
    },
    close: async () => {
      await stream.close();
      await answers.close();
    },
  };
}

interface Told {
  readonly workers: number;
  readonly active: number;
}

/** Within ten seconds. */
async function untilTold(client: TaskHubClient, expected: Told): Promise<void> {
  const deadlineAt = systemClock.now() + 10_000;
  for (;;) {
    const { connectedWorkers, activityWorkItems } = await client.getWorkItemMetrics();
    const told = {
      workers: connectedWorkers?.count ?? 0,
      active: activityWorkItems?.active ?? 0,
    };
    if (isDeepStrictEqual(told, expected)) return;
    assert.ok(systemClock.now() < deadlineAt, JSON.stringify({ told, expected }));
    const { signal } = new AbortController();
    await systemClock.sleepUntil(systemClock.now() + 200, { signal });
  }
}

describe('schedulers on one PostgreSQL', function () {
  this.timeout(90_000);
  let schema: PostgresSchema;
  let nodes: NodeProcess[];
  let endpoints: string[];
  /** As the documentation sets them. */
  let limits = '';

  before(async () => {
    const text = await readFile(new URL('../../docs/OPERATIONS.md', import.meta.url), 'utf8');
    limits = /start --storage postgres\S+ --postgres-limits (\S+)/.exec(text)?.[1] ?? '';
    await sharedPostgres();
  });
  after(stopSharedPostgres);
  beforeEach(async () => {
    schema = await PostgresSchema.create();
    nodes = [];
    endpoints = [];
    for (let node = 0; node < 2; node += 1) await join();
  });
  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.end('SIGKILL')));
    await schema[Symbol.asyncDispose]();
  });

  async function join(): Promise<void> {
    const ports = ['--grpc-port', '0', '--http-port', '0'];
    const settings = ['--storage', schema.url, '--postgres-limits', limits];
    const node = NodeProcess.cli(['start', '--json', ...settings, ...ports]);
    nodes.push(node);
    endpoints.push((await node.ready()).grpc);
  }

  it('serve a stream at one whose every completion goes to another', async () => {
    const [a = '', b = ''] = endpoints;
    const worker = new TaskHubWorker({
      connection: split(connect(a), connect(b)),
      maxConcurrentActivities: 2,
      maxConcurrentOrchestrations: 2,
    });
    worker.addNamedOrchestrator('Sum', function* (context, upTo: number) {
      const tasks = Array.from({ length: upTo }, (_, n) => context.callActivity('Square', n));
      const squares = (yield whenAll(tasks)) as number[];
      return squares.reduce((sum, square) => sum + square, 0);
    });
    worker.addNamedActivity('Square', (_, n: number) => n * n);
    const client = TaskHubClient.open({ endpoint: a, taskHub: 'default' });
    try {
      await worker.connected();
      const id = await client.scheduleNewOrchestration('Sum', 6);
      // Six activities through two places: they become free although their scheduler is told nothing.
      const state = await client.waitForOrchestrationCompletion(id);
      assert.equal(state?.serializedOutput, '55');
    } finally {
      await worker.stop();
      await client.close();
    }
  });

  it('tell alike how many workers there are and what they have in hand', async () => {
    const [a = '', b = ''] = endpoints;
    const release = Promise.withResolvers<undefined>();
    const worker = new TaskHubWorker({
      endpoint: b,
      taskHub: 'default',
      maxConcurrentActivities: 7,
    });
    worker.addNamedOrchestrator('Hold', function* (context) {
      yield context.callActivity('Wait');
    });
    worker.addNamedActivity('Wait', () => release.promise);
    const clients = [a, b].map((endpoint) => TaskHubClient.open({ endpoint, taskHub: 'default' }));
    try {
      await worker.connected();
      const [client] = clients;
      const id = await client?.scheduleNewOrchestration('Hold');
      for (const each of clients) await untilTold(each, { workers: 1, active: 1 });
      release.resolve(undefined);
      await client?.waitForOrchestrationCompletion(id ?? '');
      await worker.stop();
      for (const each of clients) await untilTold(each, { workers: 0, active: 0 });
    } finally {
      release.resolve(undefined);
      await worker.stop();
      for (const each of clients) await each.close();
    }
  });

  it('tell a client of an end that came about anywhere', async () => {
    const [a = '', b = ''] = endpoints;
    const worker = new NodeProcess(WORKER, [b]);
    await worker.ready();
    const travellers = new Travellers(a);
    try {
      await travellers.start(20);
      await travellers.allReturned();
      await travellers.assertRight();
    } finally {
      await travellers.close();
      await worker.end('SIGKILL');
    }
  });

  it('lose nothing when one of them is drained under load, and run nothing twice', async () => {
    const [a = '', b = ''] = endpoints;
    const workers = [new NodeProcess(WORKER, [b]), new NodeProcess(WORKER, [b])];
    for (const worker of workers) await worker.ready();
    const travellers = new Travellers(b);
    const leaving = new NodeProcess(WORKER, [a]);
    await leaving.ready();
    try {
      await travellers.start(60);
      await travellers.someReturned(5);
      // Its worker holds activities: they are completed while it drains.
      const [code] = await Promise.all([nodes[0]?.end('SIGTERM'), travellers.someReturned(20)]);
      assert.equal(code, 0);
      await travellers.allReturned();
      await travellers.assertRight();
    } finally {
      await travellers.close();
      for (const worker of [...workers, leaving]) await worker.end('SIGKILL');
    }
  });

  it('run no activity again when eight workers become one under load', async () => {
    const workers = Array.from(
      { length: 8 },
      (_, n) => new NodeProcess(WORKER, [endpoints[n % 2] ?? '']),
    );
    for (const worker of workers) await worker.ready();
    const travellers = new Travellers(endpoints[0] ?? '');
    try {
      await travellers.start(80);
      for (const [left, worker] of workers.slice(1).entries()) {
        await travellers.someReturned(5 * (left + 1));
        assert.equal(await worker.end('SIGTERM'), 0);
      }
      await travellers.allReturned();
      await travellers.assertRight();
      const runs = workers.flatMap(({ output }) => [...output.matchAll(/ran (\w+) for (\d+)/g)]);
      const names = runs.map(([text]) => text);
      assert.equal(names.length, 3 * 80);
      assert.equal(new Set(names).size, names.length, 'an activity ran again');
    } finally {
      await travellers.close();
      for (const worker of workers) await worker.end('SIGKILL');
    }
  });
});
