import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import {
  OrchestrationStatus,
  TaskHubSidecarService,
} from '../../src/proto/orchestrator_service_pb.ts';
import { openScheduler, type RunningScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { RawClient } from './support/raw-client.ts';

const rpc = TaskHubSidecarService.method;
const options = { storage: 'memory', grpcPort: 0, httpPort: 0, logger: silentLogger } as const;

describe('embedded scheduler', () => {
  let scheduler: RunningScheduler | undefined;
  const clients: RawClient[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await scheduler?.close();
    scheduler = undefined;
  });

  const connect = ({ grpcEndpoint }: RunningScheduler): RawClient => {
    const client = new RawClient(Number(new URL(grpcEndpoint).port));
    clients.push(client);
    return client;
  };

  it('serves the hubs that it was told to, and those made later', async () => {
    scheduler = await openScheduler({ ...options, taskHubs: ['a', 'b'] });
    assert.deepEqual([...scheduler.taskHubs].sort(), ['a', 'b']);

    await connect(scheduler).call(rpc.createTaskHub, {}, { headers: { taskhub: 'c' } });

    assert.deepEqual([...scheduler.taskHubs].sort(), ['a', 'b', 'c']);
  });

  it('runs an orchestration that a client starts and a worker answers', async () => {
    scheduler = await openScheduler(options);
    const client = connect(scheduler);
    const worker = client.stream(rpc.getWorkItems, {});
    assert.equal((await worker.next())?.request.case, 'healthPing');

    await client.call(rpc.startInstance, { instanceId: 'one', name: 'Hello' });
    const item = await worker.next();
    await client.call(rpc.completeOrchestratorTask, {
      instanceId: 'one',
      completionToken: item?.completionToken ?? '',
      actions: [completion('"done"')],
    });
    const { orchestrationState } = await client.call(rpc.waitForInstanceCompletion, {
      instanceId: 'one',
      getInputsAndOutputs: true,
    });

    assert.equal(orchestrationState?.orchestrationStatus, OrchestrationStatus.COMPLETED);
    assert.equal(orchestrationState.output, '"done"');
  });

  it('takes the completion of work in hand while it closes, and keeps it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'durabletask-close-'));
    const storage = `sqlite:${join(folder, 'scheduler.db')}`;
    scheduler = await openScheduler({ ...options, storage });
    const client = connect(scheduler);
    const worker = client.stream(rpc.getWorkItems, {});
    await client.call(rpc.startInstance, { instanceId: 'one', name: 'Hello' });
    await worker.next();
    const item = await worker.next();

    const closing = scheduler.close();
    assert.equal(await worker.next(), undefined);
    assert.equal((await worker.ended).code, status.OK);
    await assert.rejects(client.call(rpc.startInstance, { name: 'Hello' }), {
      code: status.UNAVAILABLE,
    });
    await client.call(rpc.completeOrchestratorTask, {
      instanceId: 'one',
      completionToken: item?.completionToken ?? '',
      actions: [completion('"kept"')],
    });
    await closing;

    scheduler = await openScheduler({ ...options, storage });
    const reply = await connect(scheduler).call(rpc.getInstance, {
      instanceId: 'one',
      getInputsAndOutputs: true,
    });
    assert.equal(reply.orchestrationState?.output, '"kept"');
    await scheduler.close();
    rmSync(folder, { recursive: true });
  });

  it('may be closed twice, and by the end of a block', async () => {
    scheduler = await openScheduler(options);

    await Promise.all([scheduler.close(), scheduler.close()]);
    await scheduler[Symbol.asyncDispose]();

    await assert.rejects(fetch(scheduler.httpEndpoint));
  });

  it('closes its store when a port cannot be had', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'durabletask-halfway-'));
    const storage = `sqlite:${join(folder, 'scheduler.db')}`;
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;

    await assert.rejects(openScheduler({ ...options, storage, httpPort: port }), {
      code: 'UNAVAILABLE',
      message: new RegExp(`^Port ${port} on 127.0.0.1 is in use`),
    });

    scheduler = await openScheduler({ ...options, storage });
    await scheduler.close();
    server.close();
    rmSync(folder, { recursive: true });
  });

  it('refuses wrong options, all of them at once', async () => {
    await assert.rejects(
      openScheduler({ ...options, grpcPort: -1, host: '0.0.0.0', ...{ taskHub: 'typo' } }),
      {
        code: 'INVALID_ARGUMENT',
        message:
          /'taskHub' is not an option \(did you mean 'taskHubs'\?\)[^]*grpcPort must[^]*host 0\.0\.0\.0 would/,
      },
    );
  });
});

function completion(result: string) {
  const value = { orchestrationStatus: OrchestrationStatus.COMPLETED, result };
  return { id: 1, orchestratorActionType: { case: 'completeOrchestration', value } } as const;
}
