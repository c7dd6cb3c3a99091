/** The commands of docs/OPERATIONS.md on security, run as they stand there. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Certificates } from '../support/certificates.ts';
import { OidcIssuer } from '../support/oidc-issuer.ts';
import { CliProcess, endCliProcesses } from './support/cli-process.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/OPERATIONS.md'), 'utf8');
const section = page.slice(page.indexOf('\n## Security'), page.indexOf('\n## Limits'));
const commands = [...section.matchAll(/^npx durabletask (.+)$/gm)].map(([, text = '']) => text);

describe('docs/OPERATIONS.md, security', function () {
  this.timeout(40_000);
  let cwd: string;
  let issuer: OidcIssuer;
  let certificates: Certificates;
  before(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'durabletask-operations-'));
    issuer = await OidcIssuer.open();
    certificates = new Certificates();
    copyFileSync(certificates.server.certFile, join(cwd, 'server.crt'));
    copyFileSync(certificates.server.keyFile, join(cwd, 'server.key'));
    const [, config = ''] = /```json\n([^]*?)```/.exec(section) ?? [];
    const adapted = config
      .replace('https://login.microsoftonline.com/<tenant id>/v2.0', issuer.url)
      .replace('<your object id>', 'me');
    assert.ok(adapted.includes(issuer.url) && adapted.includes('"me"'));
    writeFileSync(join(cwd, 'durabletask.config.json'), adapted);
  });
  afterEach(endCliProcesses);
  after(() => {
    issuer.close();
    certificates.remove();
    rmSync(cwd, { recursive: true });
  });

  const startOf = (text: string, config: string): CliProcess => {
    const free = ['--json', '--grpc-port', '0', '--http-port', '0', '--storage', 'memory'];
    return new CliProcess([...text.split(' '), ...free], {
      cwd,
      env: { DURABLETASK_CONFIG: config },
    });
  };

  it('has commands that start a scheduler and manage its roles', async () => {
    const [tlsOnly = '', guarded = '', ...roles] = commands;
    writeFileSync(join(cwd, 'empty.json'), '{}');
    const first = startOf(tlsOnly, 'empty.json');
    assert.match((await first.ready()).grpc, /^https:/);
    assert.equal(await first.stop('SIGTERM'), 0);

    const scheduler = startOf(guarded, 'durabletask.config.json');
    const { http } = await scheduler.ready();
    const env = {
      DURABLETASK_HTTP_ENDPOINT: http,
      DURABLETASK_CA_FILE: certificates.caFile,
      DURABLETASK_TOKEN: await issuer.token({ claims: { sub: 'me' } }),
    };
    let id = '';
    assert.equal(roles.length, 4);
    for (const command of roles) {
      const cli = new CliProcess(command.replace('<id>', id).split(' '), { cwd, env });
      assert.equal(await cli.exited, 0, `${command}\n${cli.stderr.join('\n')}`);
      id = /\(([0-9a-f-]{36})\)/.exec(cli.stdout.join('\n'))?.[1] ?? id;
    }
    assert.equal(await scheduler.stop('SIGTERM'), 0);
  });
});
