import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TaskHubClient } from '../../src/client/index.ts';
import { NodeProcess } from '../support/node-process.ts';
import { SmallDisk } from './support/small-disk.ts';
import { Travellers } from './support/travellers.ts';

const COUNT = 60;
/** The WAL alone takes up to 24 of them. */
const DISK_MB = 40;
const WORKER = new URL('./support/hello-worker.ts', import.meta.url);

describe('a scheduler whose disk fills up', function () {
  this.timeout(45_000);
  let folder: string;
  let scheduler: NodeProcess;
  let worker: NodeProcess | undefined;
  let travellers: Travellers | undefined;
  let client: TaskHubClient | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'durabletask-disk-'));
  });

  afterEach(async () => {
    await client?.close();
    await travellers?.close();
    await worker?.end('SIGKILL');
    await scheduler.end('SIGKILL');
    await rm(folder, { recursive: true });
  });

  it('refuses what it cannot store, says which file and what to do, and goes on when there is room', async () => {
    const disk = new SmallDisk(folder, DISK_MB);
    const file = join(folder, 'scheduler.db');
    const ports = ['--grpc-port', '0', '--http-port', '0'];
    const args = ['start', '--json', '--storage', `sqlite:${file}`, ...ports];
    scheduler = NodeProcess.cli(args, { within: disk.within });
    const { grpc, http } = await scheduler.ready();
    worker = new NodeProcess(WORKER, [grpc]);
    await worker.ready();
    travellers = new Travellers(grpc);
    await travellers.start(COUNT);

    await disk.fill(scheduler);

    client = TaskHubClient.open({ endpoint: grpc, taskHub: 'default' });
    const large = 'x'.repeat(500_000);
    const refused = client.scheduleNewOrchestration('HelloCities', large);
    await assert.rejects(refused, { code: 'UNAVAILABLE' });

    const room = await disk.room(scheduler);
    const live = await fetch(`${http}/health/live`);
    await disk.free(scheduler);

    await travellers.allReturned();

    assert.ok(room < large.length, `${room} bytes were free`);
    assert.equal(live.status, 200);
    assert.match(
      scheduler.output,
      new RegExp(
        `a round failed.*the disk of the database file '${file}' is full: nothing was stored; free some space, the scheduler then goes on by itself`,
      ),
    );
    await travellers.assertRight();
    while (!scheduler.output.includes('rounds are stored again')) {
      const id = await client.scheduleNewOrchestration('HelloCities', 7);
      assert.ok(await client.waitForOrchestrationCompletion(id));
    }
    assert.equal(await scheduler.end('SIGTERM'), 0);
  });
});
