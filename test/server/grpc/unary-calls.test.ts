import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { create } from '@bufbuild/protobuf';
import { ERROR_CODES, TaskHubError } from '../../../src/core/errors.ts';
import {
  OrchestrationStateSchema,
  TaskHubSidecarService,
} from '../../../src/proto/orchestrator_service_pb.ts';
import { GRPC_STATUS, INTERNAL_TEXT } from '../../../src/server/grpc/status.ts';
import { openGrpcFixture, type GrpcFixture } from '../support/grpc-fixture.ts';

const rpc = TaskHubSidecarService.method;

describe('unary call', () => {
  let fixture: GrpcFixture;
  const open = async (...options: Parameters<typeof openGrpcFixture>): Promise<GrpcFixture> => {
    fixture = await openGrpcFixture(...options);
    return fixture;
  };
  afterEach(() => fixture.close());

  it('hands the decoded request and its hub to the engine and encodes the reply', async () => {
    const { client, engine } = await open();
    engine.hubs.add('hub2');

    const reply = await client.call(
      rpc.startInstance,
      { instanceId: 'a', name: 'Hello', input: '"Tokyo"' },
      { headers: { taskhub: 'hub2' } },
    );

    assert.equal(reply.instanceId, 'a');
    const [name, hub, request] = engine.calls[0] ?? [];
    assert.deepEqual([name, hub], ['startInstance', 'hub2']);
    assert.deepEqual({ ...(request as object) }, { ...(request as object), input: '"Tokyo"' });
  });

  it('means the hub default when no header names one', async () => {
    const { client, engine } = await open();

    await client.call(rpc.raiseEvent, { instanceId: 'a', name: 'go' });

    assert.equal(engine.calls[0]?.[1], 'default');
  });

  it('answers an unknown hub with the text that clients look for, on Hello too', async () => {
    const { client } = await open();

    await assert.rejects(client.call(rpc.hello, {}, { headers: { taskhub: 'nope' } }), {
      code: status.NOT_FOUND,
      details: 'Task hub not found: nope',
    });
  });

  it('answers each expected failure with its own status and text', async () => {
    let code: (typeof ERROR_CODES)[number] = 'INVALID_ARGUMENT';
    const { client } = await open({
      methods: { terminate: () => Promise.reject(new TaskHubError(code, `about ${code} 100 %`)) },
    });

    for (code of ERROR_CODES) {
      await assert.rejects(client.call(rpc.terminateInstance, { instanceId: 'a' }), {
        code: GRPC_STATUS[code],
        details: `about ${code} 100 %`,
      });
    }
  });

  it('never answers an expected failure with a status that .NET repeats a completion for', () => {
    const repeated = new Set<number>([status.INTERNAL, status.UNKNOWN, status.DEADLINE_EXCEEDED]);

    for (const code of ERROR_CODES) assert.ok(!repeated.has(GRPC_STATUS[code]), code);
  });

  it('logs an unexpected failure and tells the caller nothing of it', async () => {
    const secret = new RangeError('password is hunter2');
    const { client, log } = await open({
      methods: {
        suspend: () => {
          throw secret;
        },
      },
    });

    await assert.rejects(client.call(rpc.suspendInstance, { instanceId: 'a' }), {
      code: status.INTERNAL,
      details: INTERNAL_TEXT,
    });
    assert.deepEqual(
      log.lines.map(({ fields }) => [fields['method'], fields['error']]),
      [['SuspendInstance', secret]],
    );
  });

  it('sends error texts that no header can hold as far as they can be sent', async () => {
    const { client } = await open({
      methods: {
        resume: (_hub, { reason = '' }) =>
          Promise.reject(
            new TaskHubError('WRONG_STATE', `\ud83d ünïcode\n${reason.repeat(9_000)}`),
          ),
      },
    });

    await assert.rejects(client.call(rpc.resumeInstance, { instanceId: 'a', reason: 'é' }), {
      code: status.FAILED_PRECONDITION,
      details: /^\ufffd ünïcode\né{1900,1990}…$/,
    });
    await client.call(rpc.hello, {});
  });

  it('refuses bytes that are no message, and goes on', async () => {
    const { client } = await open();

    const [garbage, cutOff, notUtf8] = ['ffffff', '0a05616263', '0a02c328'];
    for (const hex of [garbage, cutOff, notUtf8]) {
      const bytes = Buffer.from(hex, 'hex');
      await assert.rejects(client.callBytes('StartInstance', bytes), {
        code: status.INVALID_ARGUMENT,
        details: /not a valid CreateInstanceRequest message/,
      });
    }
    await client.call(rpc.hello, {});
  });

  it('refuses a request over the receive limit', async () => {
    const { client } = await open({ receiveBytesMax: 1_000 });

    await assert.rejects(
      client.call(rpc.raiseEvent, { instanceId: 'a', name: 'n', input: 'x'.repeat(2_000) }),
      { code: status.RESOURCE_EXHAUSTED },
    );
  });

  it('says that an entity does not exist without an error', async () => {
    const { client } = await open();

    const reply = await client.call(rpc.getEntity, { instanceId: '@a@b' });

    assert.deepEqual([reply.exists, reply.entity], [false, undefined]);
  });

  it('says that an instance does not exist without an error', async () => {
    const { client } = await open();

    const reply = await client.call(rpc.getInstance, { instanceId: 'a' });

    assert.deepEqual([reply.exists, reply.orchestrationState], [false, undefined]);
  });

  it('returns the state of an instance and passes on whether payloads are wanted', async () => {
    const asked: boolean[] = [];
    const { client } = await open({
      methods: {
        getInstance: async (_hub, instanceId, { payloads }) => {
          asked.push(payloads);
          return create(OrchestrationStateSchema, { instanceId });
        },
      },
    });

    const reply = await client.call(rpc.getInstance, {
      instanceId: 'a',
      getInputsAndOutputs: true,
    });

    assert.equal(reply.exists, true);
    assert.equal(reply.orchestrationState?.instanceId, 'a');
    assert.deepEqual(asked, [true]);
  });

  it('completes and abandons work by its token', async () => {
    const { client, engine } = await open();

    await client.call(rpc.completeActivityTask, { completionToken: 't1' });
    await client.call(rpc.completeOrchestratorTask, { completionToken: 't2' });
    await client.call(rpc.abandonTaskActivityWorkItem, { completionToken: 't3' });
    await client.call(rpc.abandonTaskOrchestratorWorkItem, { completionToken: 't4' });
    await client.call(rpc.abandonTaskEntityWorkItem, { completionToken: 't5' });

    assert.deepEqual(
      engine.calls.map(([name]) => name),
      ['completeActivity', 'completeOrchestration', 'abandon', 'abandon', 'abandon'],
    );
    assert.deepEqual(engine.calls.slice(2), [
      ['abandon', 'default', 'activity', 't3'],
      ['abandon', 'default', 'orchestration', 't4'],
      ['abandon', 'default', 'entity', 't5'],
    ]);
  });

  it('tells a waiting handler when the caller’s deadline has passed', async () => {
    const aborted = Promise.withResolvers<string>();
    const { client } = await open({
      methods: {
        waitForInstance: (_hub, _id, { until, signal }) => {
          signal.addEventListener('abort', () => {
            aborted.resolve(until);
          });
          return new Promise(() => undefined);
        },
      },
    });

    await assert.rejects(
      client.call(rpc.waitForInstanceStart, { instanceId: 'a' }, { deadline: Date.now() + 50 }),
      { code: status.DEADLINE_EXCEEDED },
    );

    assert.equal(await aborted.promise, 'started');
  });

  it('refuses new work while draining, but takes completions and answers waits', async () => {
    const done = Promise.withResolvers<undefined>();
    const { client, server, engine } = await open({
      methods: { waitForInstance: () => done.promise },
    });
    const waiting = client.call(rpc.waitForInstanceCompletion, { instanceId: 'a' });
    await client.call(rpc.hello, {});

    server.beginDrain();

    await assert.rejects(client.call(rpc.startInstance, { name: 'n' }), {
      code: status.UNAVAILABLE,
      details: 'The scheduler is shutting down; try again later.',
    });
    await client.call(rpc.completeActivityTask, { completionToken: 't' });
    assert.equal(engine.calls.length, 1);
    done.resolve(undefined);
    assert.equal((await waiting).exists, false);
  });
});

describe('task hub call', () => {
  let fixture: GrpcFixture;
  afterEach(() => fixture.close());

  it('creates and deletes the hub that the header names, whether it exists or not', async () => {
    fixture = await openGrpcFixture();
    const headers = { taskhub: 'fresh' };

    await fixture.client.call(rpc.createTaskHub, { recreateIfExists: true }, { headers });
    await fixture.client.call(rpc.deleteTaskHub, {}, { headers });
    await fixture.client.call(rpc.deleteTaskHub, {}, { headers });

    assert.deepEqual(fixture.engine.calls, [
      ['createTaskHub', 'fresh', { recreate: true }],
      ['deleteTaskHub', 'fresh'],
      ['deleteTaskHub', 'fresh'],
    ]);
  });

  it('wipes an existing hub only when the scheduler was started to permit that', async () => {
    fixture = await openGrpcFixture();

    await assert.rejects(fixture.client.call(rpc.createTaskHub, { recreateIfExists: true }), {
      code: status.FAILED_PRECONDITION,
      details: /--allow-hub-recreate/,
    });
    await fixture.close();

    fixture = await openGrpcFixture({ allowHubRecreate: true });
    await fixture.client.call(rpc.createTaskHub, { recreateIfExists: true });
    assert.deepEqual(fixture.engine.calls, [['createTaskHub', 'default', { recreate: true }]]);
  });
});
