import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { Certificates } from '../support/certificates.ts';
import { EntraStub } from './support/entra.ts';

const SCRIPT = join(import.meta.dirname, 'support', 'get-token.ts');
const TENANT = '11111111-2222-3333-4444-555555555555';

interface Outcome {
  readonly token?: string;
  readonly error?: string;
  readonly isLoadedEarly: boolean;
  readonly isIdentityLoaded: boolean;
}

describe('Authentication', function () {
  this.timeout(20_000);
  let certificates: Certificates;
  let entra: EntraStub;
  before(async () => {
    certificates = new Certificates();
    entra = await EntraStub.open(certificates);
  });
  after(() => {
    entra.close();
    certificates.remove();
  });
  beforeEach(() => {
    entra.requests.length = 0;
  });

  /** In a process of its own: what is loaded, and what the environment says, is of the process. */
  async function getToken(rest: string, env: Record<string, string> = {}): Promise<Outcome> {
    const text = `Endpoint=https://h;TaskHub=h;Authentication=${rest}`;
    const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, text], {
      env: {
        PATH: process.env['PATH'] ?? '',
        NODE_EXTRA_CA_CERTS: certificates.caFile,
        HTTPS_PROXY: entra.proxyUrl,
        HOME: certificates.folder,
        ...env,
      },
    });
    return JSON.parse(stdout) as Outcome;
  }

  /** A program on the PATH that prints a text. */
  function program(name: string, output: object): Record<string, string> {
    const text = `#!/bin/sh\ncat <<'END'\n${JSON.stringify(output)}\nEND\n`;
    writeFileSync(join(certificates.folder, name), text, { mode: 0o755 });
    return { PATH: [certificates.folder, process.env['PATH'] ?? ''].join(delimiter) };
  }

  function federatedToken(): string {
    const path = join(certificates.folder, 'federated.txt');
    writeFileSync(path, 'federated');
    return path;
  }

  it('None loads no identity library', async () => {
    assert.deepEqual(await getToken('None'), {
      token: 'none',
      ...{ isLoadedEarly: false, isIdentityLoaded: false },
    });
  });

  it('AzureCli takes the token of the command az, loading the library when it is needed', async () => {
    const expiresOn = Math.floor(Date.now() / 1_000) + 3_600;
    const path = program('az', {
      accessToken: 'of-az',
      expires_on: expiresOn,
      tokenType: 'Bearer',
    });

    assert.deepEqual(await getToken('AzureCLI', path), {
      token: 'of-az',
      ...{ isLoadedEarly: false, isIdentityLoaded: true },
    });
  });

  it('AzurePowerShell takes the token of the command pwsh', async () => {
    const path = program('pwsh', { Token: 'of-pwsh', ExpiresOn: new Date(Date.now() + 3_600_000) });

    assert.equal((await getToken('AzurePowerShell', path)).token, 'of-pwsh');
  });

  it('WorkloadIdentity trades the token of the file for one of the client', async () => {
    const file = federatedToken();
    const rest = `WorkloadIdentity;ClientID=app1;TenantId=${TENANT};TokenFilePath=${file}`;

    assert.equal((await getToken(rest)).token, 'of-app1');
    const [request] = entra.requests;
    assert.equal(request?.['tenant'], TENANT);
    assert.equal(request['client_assertion'], 'federated');
    assert.equal(request['scope'], 'https://durabletask.io/.default');
  });

  it('WorkloadIdentity names the key that is missing or wrong', async () => {
    assert.match(
      (await getToken('WorkloadIdentity')).error ?? '',
      /gave no token \(check "ClientID" of/,
    );
    const rest = `WorkloadIdentity;ClientID=a;TenantId=${TENANT};TokenFilePath=/nowhere`;
    assert.match((await getToken(rest)).error ?? '', /check "TokenFilePath=\/nowhere" of/);
  });

  it('Environment takes the secret of the environment', async () => {
    const env = { AZURE_TENANT_ID: TENANT, AZURE_CLIENT_ID: 'app2', AZURE_CLIENT_SECRET: 's' };

    assert.equal((await getToken('Environment', env)).token, 'of-app2');
    assert.equal(entra.requests[0]?.['client_secret'], 's');
    assert.match(
      (await getToken('Environment')).error ?? '',
      /Authentication=Environment gave no token: EnvironmentCredential is unavailable/,
    );
  });

  it('DefaultAzure finds what there is', async () => {
    const env = { AZURE_TENANT_ID: TENANT, AZURE_CLIENT_ID: 'app3', AZURE_CLIENT_SECRET: 's' };

    assert.equal((await getToken('DefaultAzure', env)).token, 'of-app3');
  });

  it('VisualStudioCode says what it needs', async () => {
    assert.match((await getToken('VisualStudioCode')).error ?? '', /@azure\/identity-vscode/);
  });
});
