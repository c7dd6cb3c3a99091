import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeProcess } from '../support/node-process.ts';
import { Bank } from './support/bank.ts';

const COUNT = 100;
const WORKER = new URL('./support/bank-worker.ts', import.meta.url);

describe('money under locks while processes are killed', function () {
  this.timeout(90_000);
  let folder: string;
  let scheduler: NodeProcess;
  let workers: NodeProcess[] = [];
  let bank: Bank | undefined;

  function startScheduler(grpcPort: string, httpPort: string): NodeProcess {
    const storage = `sqlite:${join(folder, 'scheduler.db')}`;
    const ports = ['--grpc-port', grpcPort, '--http-port', httpPort];
    return NodeProcess.cli(['start', '--json', '--storage', storage, ...ports]);
  }

  async function killWorker(endpoint: string): Promise<void> {
    await workers.shift()?.end('SIGKILL');
    workers.push(new NodeProcess(WORKER, [endpoint]));
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'durabletask-bank-'));
  });

  afterEach(async () => {
    await bank?.close();
    for (const worker of workers) await worker.end('SIGKILL');
    workers = [];
    await scheduler.end('SIGKILL');
    await rm(folder, { recursive: true });
  });

  it('is all there at the end, every move counted once, and no lock is held', async () => {
    scheduler = startScheduler('0', '0');
    const { grpc, http } = await scheduler.ready();
    const ports = [new URL(grpc).port, new URL(http).port] as const;
    workers = [new NodeProcess(WORKER, [grpc]), new NodeProcess(WORKER, [grpc])];
    await Promise.all(workers.map((worker) => worker.ready()));
    // The same moves in every run; what is killed when differs enough by itself.
    let seed = 1;
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    bank = new Bank(grpc, { accounts: 20, balance: 1000, random });
    await bank.open();
    await bank.start(COUNT, 3);

    await bank.someEnded(COUNT / 10);
    await killWorker(grpc);
    await bank.someEnded(COUNT / 4);
    await scheduler.end('SIGKILL');
    const endedBefore = bank.endedCount;
    scheduler = startScheduler(...ports);
    await scheduler.ready();
    await bank.someEnded(COUNT / 2);
    await Promise.all([killWorker(grpc), scheduler.end('SIGKILL')]);
    scheduler = startScheduler(...ports);
    await scheduler.ready();
    await bank.allEnded();

    assert.ok(endedBefore < COUNT, 'the scheduler was killed too late');
    await bank.assertRight();
    assert.equal(await scheduler.end('SIGTERM'), 0);
  });
});
