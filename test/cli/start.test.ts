import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  NoOpLogger,
  TaskHubGrpcClient,
  TaskHubGrpcWorker,
  type ActivityContext,
  type OrchestrationContext,
} from '@microsoft/durabletask-js';
import { CliProcess, endCliProcesses } from './support/cli-process.ts';

const FREE_PORTS = ['--grpc-port', '0', '--http-port', '0'];
const MEMORY = ['--storage', 'memory', ...FREE_PORTS];

describe('durabletask start', function () {
  this.timeout(20_000);
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'durabletask-start-'));
  });
  afterEach(async () => {
    await endCliProcesses();
    rmSync(cwd, { recursive: true });
  });

  const start = (args: readonly string[], env: Readonly<Record<string, string>> = {}): CliProcess =>
    new CliProcess(['start', ...args], { cwd, env });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`says with its first line that all is ready, and on ${signal} drains and exits 0`, async () => {
      const cli = start(['--json', ...MEMORY]);

      const ready = await cli.ready();

      assert.deepEqual(Object.keys(ready), ['event', 'grpc', 'http', 'taskHubs']);
      assert.deepEqual([ready.event, ready.taskHubs], ['ready', ['default']]);
      assert.equal((await fetch(`${ready.http}/health/ready`)).status, 200);
      assert.equal(await cli.stop(signal), 0);
    });
  }

  it('tells people where everything is', async () => {
    const cli = start(MEMORY);

    await cli.line((line) => line.includes('Press Ctrl+C'));

    const text = cli.stdout.join('\n');
    assert.match(text, /gRPC +http:\/\/127\.0\.0\.1:\d+\n/);
    assert.match(text, /Storage +memory \(gone when the scheduler stops\)/);
    assert.match(text, /Endpoint=http:\/\/127\.0\.0\.1:\d+;TaskHub=default;Authentication=None/);
  });

  it('runs orchestrations of the published client and worker', async () => {
    const { grpc } = await start(['--json', ...MEMORY]).ready();
    const hostAddress = new URL(grpc).host;
    const logger = new NoOpLogger();
    const worker = new TaskHubGrpcWorker({ hostAddress, logger });
    worker.addNamedActivity('greet', (_: ActivityContext, name: string) => `Hello ${name}!`);
    worker.addNamedOrchestrator('hello', async function* (context: OrchestrationContext) {
      const first: unknown = yield context.callActivity('greet', 'Tokyo');
      const second: unknown = yield context.callActivity('greet', 'London');
      return [first, second];
    });
    const client = new TaskHubGrpcClient({ hostAddress, logger });
    await worker.start();

    const id = await client.scheduleNewOrchestration('hello');
    const state = await client.waitForOrchestrationCompletion(id, true, 10);

    assert.equal(state?.serializedOutput, '["Hello Tokyo!","Hello London!"]');
    await worker.stop();
    await client.stop();
  });

  it('keeps hubs in its file, serves them all again, and needs no clean-up after a kill', async () => {
    const first = start(['--json', ...FREE_PORTS, '--task-hubs', 'a, b']);
    assert.deepEqual([...(await first.ready()).taskHubs].sort(), ['a', 'b']);
    await first.stop('SIGKILL');

    const second = start(['--json', ...FREE_PORTS]);

    assert.deepEqual([...(await second.ready()).taskHubs].sort(), ['a', 'b', 'default']);
  });

  it('leaves a file that another scheduler owns alone: exits 1 and names it', async () => {
    await start(['--json', ...FREE_PORTS]).ready();

    const second = start(['--json', ...FREE_PORTS]);

    assert.equal(await second.exited, 1);
    assert.equal(second.stderr.length, 1);
    assert.match(second.stderr[0] ?? '', /scheduler\.db/);
    assert.deepEqual(second.stdout, []);
  });

  it('exits 1 with one sentence when a port is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;

    const cli = start(['--storage', 'memory', '--grpc-port', String(port), '--http-port', '0']);

    assert.equal(await cli.exited, 1);
    assert.deepEqual(cli.stderr, [
      `durabletask: Port ${port} on 127.0.0.1 is in use; stop what uses it, or choose another with --grpc-port (0 picks a free one).`,
    ]);
    server.close();
  });

  it('exits 2 beyond loopback unless that is permitted', async () => {
    const refused = start(['--json', ...MEMORY, '--host', '0.0.0.0']);
    assert.equal(await refused.exited, 2);
    assert.match(refused.stderr.join('\n'), /^durabletask: --host 0\.0\.0\.0 would let/);

    const permitted = start(['--json', ...MEMORY, '--host', '0.0.0.0'], {
      DURABLETASK_ALLOW_INSECURE: 'true',
    });
    const { http } = await permitted.ready();
    assert.equal((await fetch(`${http}/health/live`)).status, 200);
  });

  it('exits 2 on wrong usage and says what is wrong', async () => {
    const unknown = start(['--grpc-prt', '1']);
    const wrong = start(['--json'], { DURABLETASK_GRPC_PORT: 'many' });

    assert.equal(await unknown.exited, 2);
    assert.match(unknown.stderr.join('\n'), /--grpc-prt/);
    assert.equal(await wrong.exited, 2);
    assert.match(wrong.stderr.join('\n'), /DURABLETASK_GRPC_PORT must be a whole number/);
  });
});
