import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CliProcess, endCliProcesses, type ReadyEvent } from './support/cli-process.ts';

const appsDir = fileURLToPath(new URL('../fixtures/apps', import.meta.url));
const HELLO = join(appsDir, 'durable-hello');
const MEMORY = ['--json', '--storage', 'memory', '--grpc-port', '0', '--http-port', '0'];
const DEADLINE_MS = 10_000;

interface StartedInstance {
  readonly id: string;
  readonly statusQueryGetUri: string;
}

async function startHello({ functions = '' }: ReadyEvent): Promise<StartedInstance> {
  const answer = await fetch(`${functions}/fn/start`, { method: 'POST' });
  assert.equal(answer.status, 202);
  return (await answer.json()) as StartedInstance;
}

async function outputAt(statusUrl: string): Promise<unknown> {
  const deadlineAt = Date.now() + DEADLINE_MS;
  for (;;) {
    const answer = await fetch(statusUrl);
    const state = (await answer.json()) as {
      readonly runtimeStatus: string;
      readonly output: unknown;
    };
    if (state.runtimeStatus === 'Completed') return state.output;
    assert.ok(Date.now() < deadlineAt, `still ${state.runtimeStatus}`);
    await nextTurn();
  }
}

describe('durabletask dev', function () {
  this.timeout(20_000);
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'durabletask-dev-'));
  });
  afterEach(async () => {
    await endCliProcesses();
    rmSync(cwd, { recursive: true });
  });

  const dev = (args: readonly string[]): CliProcess =>
    new CliProcess(['dev', '--functions-port', '0', ...args], {
      cwd,
      env: { HELLO_HUB: 'hello-hub' },
    });

  it('runs an unmodified durable-functions app against its own scheduler and hub', async () => {
    const cli = dev([HELLO, ...MEMORY]);
    const ready = await cli.ready();

    const { id, statusQueryGetUri } = await startHello(ready);

    assert.deepEqual(Object.keys(ready), ['event', 'grpc', 'http', 'functions', 'taskHubs']);
    assert.deepEqual([...ready.taskHubs].sort(), ['default', 'hello-hub']);
    assert.equal(await outputAt(statusQueryGetUri), 'Hello Oslo!');
    // Links in old scripts use the path of the Functions host's own webhooks.
    const webhook = `${ready.functions ?? ''}/runtime/webhooks/durabletask/instances/${id}`;
    assert.equal(await outputAt(webhook), 'Hello Oslo!');
    const connection = await (await fetch(`${ready.functions ?? ''}/fn/Connection`)).text();
    assert.equal(connection, `Endpoint=${ready.grpc};TaskHub=hello-hub;Authentication=None`);
    assert.equal(await cli.stop('SIGTERM'), 0);
    assert.equal(cli.stdout.length, 1, 'only the ready line is on stdout');
  });

  it('attaches to a running scheduler with --connection and makes the hub there', async () => {
    const scheduler = new CliProcess(['start', ...MEMORY], { cwd });
    const { grpc, http } = await scheduler.ready();

    // The app's host.json names the hub, so that of the connection string does not count.
    const connection = `Endpoint=${grpc};TaskHub=other;Authentication=None`;
    const attached = dev([HELLO, '--json', '--connection', connection]);
    const ready = await attached.ready();
    const { statusQueryGetUri } = await startHello(ready);

    assert.deepEqual(Object.keys(ready), ['event', 'grpc', 'functions', 'taskHubs']);
    assert.deepEqual([ready.grpc, ready.taskHubs], [grpc, ['hello-hub']]);
    assert.equal(await outputAt(statusQueryGetUri), 'Hello Oslo!');
    const ping = await fetch(`${http}/api/v1/taskhubs/ping`, {
      headers: { 'x-taskhub': 'hello-hub' },
    });
    assert.equal(ping.status, 200);
    assert.equal(await attached.stop('SIGINT'), 0);
    assert.equal((await fetch(`${http}/health/ready`)).status, 200);
  });

  it('exits 1 with a sentence when nothing answers at --connection', async () => {
    const cli = dev([HELLO, '--connection', 'Endpoint=http://127.0.0.1:1;Authentication=None']);

    assert.equal(await cli.exited, 1);
    assert.match(
      cli.stderr.at(-1) ?? '',
      /^durabletask: No scheduler answers at http:\/\/127\.0\.0\.1:1;/,
    );
  });

  it('exits 2 on a connection string that cannot be read', async () => {
    const cli = dev([HELLO, '--connection', 'Endpoint=http://127.0.0.1:1']);

    assert.equal(await cli.exited, 2);
    assert.match(cli.stderr.join('\n'), /^durabletask: --connection: .*"Authentication"/);
  });

  it('exits 1 when the app cannot be loaded, and leaves no scheduler behind', async () => {
    const cli = dev([join(appsDir, 'throws-at-load'), ...MEMORY]);

    assert.equal(await cli.exited, 1);
    assert.match(cli.stderr.at(-1) ?? '', /^durabletask: /);
    assert.deepEqual(cli.stdout, []);
  });

  it('leaves durable-functions to itself with --no-register, and the host says what it lacks', async () => {
    const cli = dev([HELLO, ...MEMORY, '--no-register']);

    await cli.ready();

    assert.match(cli.stderr.join('\n'), /'Hello' function is in error: .*'orchestrationTrigger'/);
  });

  it('exits 2 for a folder that is no function app', async () => {
    const cli = dev(['.', ...MEMORY]);

    assert.equal(await cli.exited, 2);
    assert.match(cli.stderr.join('\n'), /has no host\.json, so it is no function app/);
  });
});
