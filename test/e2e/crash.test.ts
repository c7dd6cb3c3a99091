import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeProcess } from '../support/node-process.ts';
import { Travellers } from './support/travellers.ts';

const COUNT = 200;
const WORKER = new URL('./support/hello-worker.ts', import.meta.url);

describe('a scheduler killed while orchestrations run', function () {
  this.timeout(45_000);
  let folder: string;
  let scheduler: NodeProcess;
  let worker: NodeProcess | undefined;
  let travellers: Travellers | undefined;

  function start(grpcPort: string, httpPort: string): NodeProcess {
    const storage = `sqlite:${join(folder, 'scheduler.db')}`;
    const ports = ['--grpc-port', grpcPort, '--http-port', httpPort];
    return NodeProcess.cli(['start', '--json', '--storage', storage, ...ports]);
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'durabletask-crash-'));
  });

  afterEach(async () => {
    await travellers?.close();
    await worker?.end('SIGKILL');
    await scheduler.end('SIGKILL');
    await rm(folder, { recursive: true });
  });

  it('completes every one of them, each result once, when it is started again', async () => {
    scheduler = start('0', '0');
    const { grpc, http } = await scheduler.ready();
    worker = new NodeProcess(WORKER, [grpc]);
    await worker.ready();
    travellers = new Travellers(grpc);
    await travellers.start(COUNT);

    await travellers.someReturned(COUNT / 4);
    await scheduler.end('SIGKILL');
    const returnedBefore = travellers.returnedCount;
    scheduler = start(new URL(grpc).port, new URL(http).port);
    const again = await scheduler.ready();
    await travellers.allReturned();

    assert.ok(returnedBefore < COUNT, 'the scheduler was killed too late');
    assert.equal(again.grpc, grpc);
    await travellers.assertRight();
    assert.equal(await scheduler.end('SIGTERM'), 0);
  });
});
