import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import { status } from '@grpc/grpc-js';
import { systemClock } from '../../src/base/clock.ts';
import { systemIds } from '../../src/base/ids.ts';
import type { Connection } from '../../src/client/connection.ts';
import type { GrpcConnectionOptions } from '../../src/client/grpc-connection.ts';
import { openGrpcConnection } from '../../src/client/grpc-connection.ts';
import { TaskHubSidecarService } from '../../src/proto/orchestrator_service_pb.ts';
import { ScriptedScheduler, StatusError } from '../worker/support/scripted-scheduler.ts';

const rpc = TaskHubSidecarService.method;
const PING = { request: { case: 'healthPing', value: {} } } as const;

describe('gRPC connection', () => {
  let scheduler: ScriptedScheduler;
  let connection: Connection;

  beforeEach(async () => {
    scheduler = await ScriptedScheduler.open();
    connection = open();
  });
  afterEach(async () => {
    await connection.close();
    scheduler.close();
  });

  function open(options: Partial<GrpcConnectionOptions> = {}): Connection {
    return openGrpcConnection({
      endpoint: scheduler.endpoint,
      taskHub: 'h',
      userAgent: 'test',
      clock: systemClock,
      ids: systemIds,
      ...options,
    });
  }

  it('sends the token of the moment with each call', async () => {
    let count = 0;
    const getToken = (): Promise<string> => Promise.resolve(`token${(count += 1)}`);
    const authenticated = open({ tokenProvider: { getToken } });
    await authenticated.unary(rpc.hello, {});
    await authenticated.unary(rpc.hello, {});
    await authenticated.close();

    assert.deepEqual(
      scheduler.calls.map(({ headers }) => headers['authorization']),
      ['Bearer token1', 'Bearer token2'],
    );
  });

  it('reports a token that cannot be had as the cause of the failed call', async () => {
    const cause = new Error('no identity');
    const getToken = (): Promise<string> => Promise.reject(cause);
    const authenticated = open({ tokenProvider: { getToken } });

    await assert.rejects(authenticated.unary(rpc.hello, {}), { code: 'UNAVAILABLE', cause });
    await authenticated.close();
  });

  it('cancels a stream whose reader leaves', async () => {
    const reading = (async () => {
      for await (const item of connection.serverStream(rpc.getWorkItems, {})) return item;
      return undefined;
    })();
    const stream = await scheduler.stream();

    stream.send(PING);
    await reading;

    await scheduler.until(() => stream.isCancelled());
  });

  it('ends a stream with the reason of its signal', async () => {
    const controller = new AbortController();
    const options = { signal: controller.signal };
    const items = connection.serverStream(rpc.getWorkItems, {}, options)[Symbol.asyncIterator]();
    const first = items.next();
    (await scheduler.stream()).send(PING);
    await first;
    const second = items.next();

    controller.abort(new Error('enough'));

    await assert.rejects(second, { message: 'enough' });
  });

  it('does not begin a call whose signal has aborted', async () => {
    const signal = AbortSignal.abort(new Error('too late'));

    await assert.rejects(connection.unary(rpc.hello, {}, { signal }), { message: 'too late' });
    await assert.rejects(
      Array.fromAsync(connection.serverStream(rpc.getWorkItems, {}, { signal })),
      { message: 'too late' },
    );
    assert.equal(scheduler.calls.length, 0);
  });

  it('serves many calls with one signal without a warning, and forgets them', async () => {
    const { signal } = new AbortController();
    const warnings: unknown[] = [];
    const onWarning = (warning: unknown): void => void warnings.push(warning);
    process.on('warning', onWarning);

    await Promise.all(
      Array.from({ length: 50 }, () => connection.unary(rpc.hello, {}, { signal })),
    );

    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    assert.deepEqual(warnings, []);
  });

  it('uses a new socket after it was renewed', async () => {
    await connection.unary(rpc.hello, {});
    const before = scheduler.calls.at(-1)?.peer;

    connection.renew();
    await connection.unary(rpc.hello, {});

    assert.notEqual(scheduler.calls.at(-1)?.peer, before);
  });

  describe('a call that must not be handled twice', () => {
    const notTwice = { isRepeatable: false };
    const raise = { instanceId: 'i', name: 'go' };

    it('is not sent again when its answer is lost', async () => {
      scheduler.on('raiseEvent', () => {
        scheduler.crash();
        return scheduler.listen().then(() => ({}));
      });

      await assert.rejects(connection.unary(rpc.raiseEvent, raise, notTwice), {
        code: 'UNAVAILABLE',
      });

      assert.equal(scheduler.requests('raiseEvent').length, 1);
    });

    it('is sent again when the scheduler says that it could not take it', async () => {
      scheduler.on('raiseEvent', () => {
        const isAway = scheduler.requests('raiseEvent').length < 3;
        if (isAway) throw new StatusError(status.UNAVAILABLE, 'draining');
        return {};
      });

      await connection.unary(rpc.raiseEvent, raise, notTwice);

      assert.equal(scheduler.requests('raiseEvent').length, 3);
    });

    it('is sent again when there was nobody to send it to', async () => {
      scheduler.crash();
      const raised = connection.unary(rpc.raiseEvent, raise, notTwice);
      await connection.unary(rpc.hello, {}, { timeoutMs: 100 }).catch(() => undefined);
      await scheduler.listen();

      await raised;

      assert.equal(scheduler.requests('raiseEvent').length, 1);
    });
  });

  it('speaks TLS to an https endpoint', async () => {
    const server = createServer().listen(0, 'localhost');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const secure = open({ endpoint: `https://localhost:${port}` });
    const calling = secure.unary(rpc.hello, {}, { timeoutMs: 1_000 });
    const [socket] = (await once(server, 'connection')) as [Socket];

    const [hello] = (await once(socket, 'data')) as [Buffer];

    // 0x16: a TLS handshake record; plain HTTP/2 would begin with "PRI".
    assert.equal(hello[0], 0x16);
    socket.destroy();
    server.close();
    await secure.close();
    await assert.rejects(calling);
  });
});
