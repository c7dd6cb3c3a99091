import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { systemClock } from '../../src/base/clock.ts';
import { TaskHubSidecarService } from '../../src/proto/orchestrator_service_pb.ts';
import { openDoors, type Doors, type DoorsConfig } from '../../src/server/doors.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { completeServerConfig } from '../../src/config/load-server-config.ts';
import { EngineDouble } from '../support/engine-double.ts';
import { SignIn } from '../../src/server/auth/sign-in.ts';
import { noRoleAssignments } from './support/role-assignments.ts';
import { RawClient } from './support/raw-client.ts';

const config: DoorsConfig = {
  host: '127.0.0.1',
  grpcPort: 0,
  httpPort: 0,
  allowedHosts: [],
  allowHubRecreate: false,
  grpcReceiveBytesMax: 4_194_304,
};

function open(changes: Partial<DoorsConfig> = {}): Promise<Doors> {
  return openDoors({
    engine: new EngineDouble(),
    security: {
      guard: undefined,
      roles: noRoleAssignments(),
      signIn: new SignIn(completeServerConfig({}, []), systemClock),
    },
    config: { ...config, ...changes },
    shown: { config: completeServerConfig({}, []), sources: {} },
    clock: systemClock,
    logger: silentLogger,
  });
}

async function occupy(): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, server };
}

describe('doors', () => {
  it('serve gRPC and HTTP on the ports that their endpoints name', async () => {
    const doors = await open();
    const client = new RawClient(Number(new URL(doors.grpcEndpoint).port));

    await client.call(TaskHubSidecarService.method.hello, {});
    const answer = await fetch(`${doors.httpEndpoint}/health/ready`);

    assert.equal(answer.status, 200);
    assert.deepEqual(await answer.json(), { status: 'ready' });
    client.close();
    await doors.close({ graceMs: 1_000 });
  });

  it('are not ready any more once they drain', async () => {
    const doors = await open();

    doors.beginDrain();

    assert.equal((await fetch(`${doors.httpEndpoint}/health/ready`)).status, 503);
    await doors.close({ graceMs: 1_000 });
  });

  for (const [key, flag] of [
    ['grpcPort', '--grpc-port'],
    ['httpPort', '--http-port'],
  ] as const) {
    it(`say in one sentence that the port of ${flag} is in use, and leave nothing open`, async () => {
      const { port, server } = await occupy();

      await assert.rejects(open({ [key]: port }), {
        code: 'UNAVAILABLE',
        message: `Port ${port} on 127.0.0.1 is in use; stop what uses it, or choose another with ${flag} (0 picks a free one).`,
      });

      server.close();
    });
  }

  it('say that an address is not of this machine', async () => {
    await assert.rejects(open({ host: '192.0.2.1', grpcPort: 65_123 }), {
      message: '192.0.2.1 is not an address of this machine; choose another with --host.',
    });
  });

  it('refuse a Host header that a web page could have sent', async () => {
    const doors = await open();
    const { port } = new URL(doors.httpEndpoint);

    const { connect } = await import('node:net');
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
    const [head] = (await once(socket, 'data')) as [Buffer];

    assert.match(head.toString(), /^HTTP\/1\.1 403 /);
    socket.destroy();
    await doors.close({ graceMs: 1_000 });
  });
});
