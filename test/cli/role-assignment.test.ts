import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Certificates } from '../support/certificates.ts';
import { OidcIssuer } from '../support/oidc-issuer.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { CliProcess, endCliProcesses } from './support/cli-process.ts';

describe('durabletask role-assignment', function () {
  this.timeout(30_000);
  let cwd: string;
  let issuer: OidcIssuer;
  let certificates: Certificates;
  beforeEach(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'durabletask-roles-'));
    issuer = await OidcIssuer.open();
    certificates = new Certificates();
  });
  afterEach(async () => {
    await endCliProcesses();
    issuer.close();
    certificates.remove();
    rmSync(cwd, { recursive: true });
  });

  const start = (args: readonly string[]): CliProcess =>
    new CliProcess(
      ['start', '--json', '--grpc-port', '0', '--http-port', '0', '--storage', 'memory', ...args],
      { cwd },
    );
  /** In this process: what needs no scheduler needs no process either. */
  async function tryOut(args: readonly string[]) {
    const stderr: string[] = [];
    const code = await runCli(['role-assignment', ...args], {
      ...{ env: {}, cwd, stdout: () => undefined, stop: new AbortController().signal },
      stderr: (line) => stderr.push(line),
    });
    return { code, stderr: stderr.join('\n') };
  }
  async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const cli = new CliProcess(['role-assignment', ...args], { cwd, env });
    const code = await cli.exited;
    return { code, stdout: cli.stdout, stderr: cli.stderr.join('\n') };
  }

  it('gives, lists and takes away roles of a scheduler with TLS that listens beyond loopback', async () => {
    const { certFile, keyFile } = certificates.server;
    writeFileSync(
      join(cwd, 'durabletask.config.json'),
      JSON.stringify({
        ...{ host: '0.0.0.0', tlsCert: certFile, tlsKey: keyFile, authIssuers: [issuer.url] },
        roleAssignments: [{ role: 'contributor', assignee: 'admin' }],
      }),
    );
    const scheduler = start([]);
    const { http } = await scheduler.ready();
    assert.match(http, /^https:/);
    const env = {
      DURABLETASK_HTTP_ENDPOINT: http,
      DURABLETASK_CA_FILE: certificates.caFile,
      DURABLETASK_TOKEN: await issuer.token({ claims: { sub: 'admin' } }),
    };

    const created = await run(
      ['create', '--role', 'worker', '--assignee', 'app', '--task-hub-name', 'default', '--json'],
      env,
    );
    const { id, roleName } = JSON.parse(created.stdout[0] ?? '') as {
      id: string;
      roleName: string;
    };
    const listed = await run(['list', '--assignee', 'app', '--json'], env);
    const shown = await run(['list'], env);
    const deleted = await run(['delete', '--id', id], env);
    const again = await run(['delete', '--id', id], env);

    assert.equal(roleName, 'Durable Task Worker');
    assert.deepEqual(
      listed.stdout.map((line) => (JSON.parse(line) as { id: string }).id),
      [id],
    );
    assert.match(
      shown.stdout.join('\n'),
      /config-1 +Durable Task Data Contributor +principal +admin/,
    );
    assert.deepEqual([deleted.code, deleted.stdout], [0, [`Deleted ${id}.`]]);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /^durabletask: Role assignment not found: /);
    const stranger = await run(['list'], { ...env, DURABLETASK_TOKEN: '' });
    assert.equal(stranger.code, 1);
    assert.match(stranger.stderr, /send a bearer token/);
    const untrusting = await run(['list'], { ...env, DURABLETASK_CA_FILE: '' });
    assert.equal(untrusting.code, 1);
    assert.match(untrusting.stderr, /The certificate of .* is not trusted .*--ca-file/);
    assert.equal(await scheduler.stop('SIGTERM'), 0);
    assert.ok(!scheduler.stderr.join('\n').includes(env.DURABLETASK_TOKEN));
  });

  it('says in one sentence what is wrong, and 2 when it is the usage', async () => {
    const none = await tryOut(['list', '--http-endpoint', 'http://127.0.0.1:1']);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /^durabletask: No scheduler answers at http:\/\/127\.0\.0\.1:1 /);

    for (const [args, text] of [
      [['list', '--http-endpoint', 'localhost'], /--http-endpoint must be/],
      [['list', '--authentication', 'AzureCLy'], /did you mean 'AzureCli'/],
      [['list', '--ca-file', '/nowhere'], /--ca-file \/nowhere cannot be read/],
      [['create', '--role', 'reader'], /--assignee/],
    ] as const) {
      const { code, stderr } = await tryOut(args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, text);
    }
  });

  it('needs TLS and authentication to listen beyond loopback', async () => {
    const { certFile, keyFile } = certificates.server;
    const cli = start(['--host', '0.0.0.0', '--tls-cert', certFile, '--tls-key', keyFile]);

    assert.equal(await cli.exited, 2);
    assert.match(cli.stderr.join('\n'), /would let other machines in, without authentication/);
  });
});
