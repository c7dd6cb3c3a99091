import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { NodeProcess } from '../support/node-process.ts';
import { LoopbackProxy } from '../support/proxy.ts';
import { Travellers } from './support/travellers.ts';

const COUNT = 100;
const WORKER = new URL('./support/hello-worker.ts', import.meta.url);
const never = new AbortController().signal;

describe('a scheduler and a worker in processes of their own', function () {
  this.timeout(45_000);
  let folder: string;
  let scheduler: NodeProcess;
  let endpoint: string;
  let proxy: LoopbackProxy;
  let worker: NodeProcess | undefined;
  let travellers: Travellers;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'durabletask-two-'));
    const storage = `sqlite:${join(folder, 'scheduler.db')}`;
    const ports = ['--grpc-port', '0', '--http-port', '0'];
    scheduler = NodeProcess.cli(['start', '--json', '--storage', storage, ...ports]);
    endpoint = (await scheduler.ready()).grpc;
    proxy = await LoopbackProxy.open(endpoint);
    travellers = new Travellers(endpoint);
  });

  afterEach(async () => {
    await travellers.close();
    await worker?.end('SIGKILL');
    await proxy.close();
    await scheduler.end('SIGKILL');
    await rm(folder, { recursive: true });
  });

  /** A worker that reaches the scheduler only through the proxy. */
  async function startWorker(...args: readonly string[]): Promise<NodeProcess> {
    worker = new NodeProcess(WORKER, [proxy.url, ...args]);
    await worker.ready();
    return worker;
  }

  async function until(isSo: () => boolean, what: string): Promise<void> {
    const lateAt = systemClock.now() + 20_000;
    while (!isSo()) {
      assert.ok(systemClock.now() < lateAt, `${what} took too long:\n${worker?.output ?? ''}`);
      await systemClock.sleepUntil(systemClock.now() + 5, { signal: never });
    }
  }

  it('complete everything and stop when they are told to', async () => {
    const running = await startWorker();
    await travellers.start(COUNT);

    await travellers.allReturned();

    await travellers.assertRight();
    assert.equal(await running.end('SIGTERM'), 0);
    assert.equal(await scheduler.end('SIGTERM'), 0);
  });

  it('complete everything although their connection is lost, and lost again for longer', async () => {
    await startWorker();
    await travellers.start(COUNT);

    await travellers.someReturned(10);
    const { acceptedCount } = proxy;
    proxy.cut();
    await until(() => proxy.acceptedCount > acceptedCount, 'reconnecting');
    await travellers.someReturned(20);
    proxy.refuse(true);
    proxy.cut();
    await until(() => proxy.refusedCount >= 3, 'trying to reconnect');
    assert.ok(travellers.returnedCount < COUNT, 'the connection was lost too late');
    proxy.refuse(false);
    await travellers.allReturned();

    await travellers.assertRight();
  });

  it('complete everything when the connection dies without a word', async () => {
    await startWorker('1500');
    await travellers.start(COUNT);
    await travellers.someReturned(10);

    const { acceptedCount } = proxy;
    proxy.freeze();
    // The worker gives the silent connection up by itself; the network ends it much later.
    await until(() => proxy.acceptedCount > acceptedCount, 'noticing the silence');
    assert.ok(travellers.returnedCount < COUNT, 'the connection died too late');
    proxy.cutFrozen();
    await travellers.allReturned();

    await travellers.assertRight();
  });
});
