import assert from 'node:assert/strict';
import { Client, credentials, status } from '@grpc/grpc-js';
import { TaskHubSidecarService } from '../../../src/proto/orchestrator_service_pb.ts';
import { complete, scheduleTask } from '../../support/actions.ts';
import { ended, freshId, start, stateOf } from '../support/calls.ts';
import { turnOfAny } from '../support/hand-worker.ts';
import { SchedulerUnderTest, schedulerForTests } from '../support/scheduler-under-test.ts';

const rpc = TaskHubSidecarService.method;
const asIs = (bytes: Buffer): Buffer => bytes;

describe('The transport', function () {
  this.timeout(15_000);
  const host = schedulerForTests({
    taskHubs: ['default', 'other'],
    grpcReceiveBytesMax: 8_000_000,
  });

  function callPath(path: string): Promise<number> {
    const client = new Client(host().address, credentials.createInsecure());
    return new Promise((resolve) => {
      client.makeUnaryRequest(path, asIs, asIs, Buffer.alloc(0), (error) => {
        client.close();
        resolve(error?.code ?? status.OK);
      });
    });
  }

  // [wp 1-path]
  it('serves the service under a path without a package', async () => {
    assert.equal(await callPath('/TaskHubSidecarService/Hello'), status.OK);
    assert.equal(
      await callPath('/durabletask.protos.TaskHubSidecarService/Hello'),
      status.UNIMPLEMENTED,
    );
  });

  // [wp 1-unknown-rpc, 1.2-unimplemented]
  it('answers UNIMPLEMENTED to a method that nobody has', async () => {
    assert.equal(await callPath('/TaskHubSidecarService/NoSuchMethod'), status.UNIMPLEMENTED);
    assert.equal(
      await callPath('/microsoft.durabletask.Sandbox/ConnectSandboxActivityWorker'),
      status.UNIMPLEMENTED,
    );
  });

  // [wp 1-unknown-fields]
  it('ignores fields that it does not know', async () => {
    const id = freshId();
    const name = Buffer.from('Hi');
    const request = Buffer.concat([
      Buffer.from([0x0a, id.length]),
      Buffer.from(id),
      Buffer.from([0x12, name.length]),
      name,
      Buffer.from([0xfa, 0x3f, 2, 1, 2]), // field 1023
    ]);
    await host().client.callBytes('StartInstance', request);
    assert.equal((await stateOf(host().client, id)).name, 'Hi');
  });

  // [wp 1.2-hub-not-found, 3.2-hello]
  it('refuses a hub that does not exist with the product’s text', async () => {
    const headers = { taskhub: 'nowhere' };
    const refusal = { code: status.NOT_FOUND, details: 'Task hub not found: nowhere' };
    await assert.rejects(host().client.call(rpc.hello, {}, { headers }), refusal);
    await assert.rejects(
      host().client.call(rpc.startInstance, { name: 'X' }, { headers }),
      refusal,
    );
    const stream = host().client.stream(rpc.getWorkItems, {}, { headers });
    assert.equal((await stream.ended).details, 'Task hub not found: nowhere');
  });

  // [wp 3.2-hello, 1.1-default-hub]
  it('greets clients, and takes those without a hub header to the default one', async () => {
    await host().client.call(rpc.hello, {});
    const id = await start(host().client);
    const headers = { taskhub: 'default' };
    const reply = await host().client.call(rpc.getInstance, { instanceId: id }, { headers });
    assert.equal(reply.exists, true);
  });

  // [wp 1.1-taskhub]
  it('keeps hubs apart', async () => {
    const headers = { taskhub: 'other' };
    const id = await start(host().client);
    const there = await host().client.call(rpc.getInstance, { instanceId: id }, { headers });
    assert.equal(there.exists, false);

    const mine = await host().worker();
    const theirs = await host().worker({ headers });
    await host().client.call(rpc.startInstance, { instanceId: id, name: 'There' }, { headers });
    await theirs.run(id, [complete('"there"')]);
    await mine.run(id, [complete('"here"')]);
    assert.equal((await ended(host().client, id)).output, '"here"');
    mine.cut();
    theirs.cut();
  });

  // [wp 1.1-workerid]
  it('takes workers without an id, and two with the same', async () => {
    const headers = { workerid: 'host,1,same' };
    const workers = [
      await host().worker(),
      await host().worker({ headers }),
      await host().worker({ headers }),
    ];
    const id = await start(host().client);
    const { turn } = await turnOfAny(workers, id);
    assert.equal(turn.request.instanceId, id);
    for (const worker of workers) worker.cut();
  });

  // [wp 1.2-too-large]
  it('answers RESOURCE_EXHAUSTED to a message over its limit', async () => {
    const id = freshId();
    const input = 'x'.repeat(9_000_000);
    await assert.rejects(
      host().client.call(rpc.startInstance, { instanceId: id, name: 'X', input }),
      { code: status.RESOURCE_EXHAUSTED },
    );
    const { exists } = await host().client.call(rpc.getInstance, { instanceId: id });
    assert.equal(exists, false);
  });

  // [wp 1-receive-limit]
  it('takes messages above 4 MiB', async () => {
    const worker = await host().worker();
    const id = await start(host().client);
    const turn = await worker.turn(id);
    const large = 'x'.repeat(1_000_000);
    const actions = Array.from({ length: 5 }, (_, n) => scheduleTask(n + 1, 'A', { input: large }));
    await worker.answer(turn, [...actions, complete('"large"')]);
    assert.equal((await ended(host().client, id)).output, '"large"');
    worker.cut();
  });

  // [wp 1.2-cancelled, 3.6-freed]
  it('frees a wait whose client gives up', async () => {
    const id = await start(host().client);
    const waiting = host().client.call(
      rpc.waitForInstanceCompletion,
      { instanceId: id },
      { deadline: Date.now() + 100 },
    );
    await assert.rejects(waiting, { code: status.DEADLINE_EXCEEDED });
    assert.equal((await stateOf(host().client, id)).instanceId, id);
  });

  // [wp 3.12-create, 3.12-delete]
  it('creates and deletes hubs by name', async () => {
    const headers = { taskhub: 'made' };
    const { client } = host();
    await client.call(rpc.createTaskHub, {}, { headers });
    await client.call(rpc.createTaskHub, { recreateIfExists: false }, { headers });
    await client.call(rpc.hello, {}, { headers });
    await client.call(rpc.deleteTaskHub, {}, { headers });
    await client.call(rpc.deleteTaskHub, {}, { headers });
    await assert.rejects(client.call(rpc.hello, {}, { headers }), { code: status.NOT_FOUND });
  });

  // [wp 3.12-recreate]
  it('wipes an existing hub only where that is permitted', async () => {
    const headers = { taskhub: 'other' };
    await assert.rejects(
      host().client.call(rpc.createTaskHub, { recreateIfExists: true }, { headers }),
      { code: status.FAILED_PRECONDITION, details: /--allow-hub-recreate/ },
    );
    const open = await SchedulerUnderTest.open({ allowHubRecreate: true });
    const id = await start(open.client);
    await open.client.call(rpc.createTaskHub, { recreateIfExists: true });
    const { exists } = await open.client.call(rpc.getInstance, { instanceId: id });
    assert.equal(exists, false);
    await open.close();
  });

  // [wp 1.2-unavailable, 4.2-drain]
  it('ends workers’ streams with OK and refuses new work while it closes', async () => {
    const closing = await SchedulerUnderTest.open();
    const worker = await closing.worker();
    const id = await start(closing.client);
    const turn = await worker.turn(id);
    const closed = closing.scheduler.close();
    assert.equal((await worker.stream.ended).code, status.OK);
    await assert.rejects(closing.client.call(rpc.startInstance, { name: 'X' }), {
      code: status.UNAVAILABLE,
    });
    await worker.answer(turn, [complete()]);
    await closed;
    await closing.close();
  });
});
