import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { TaskHubClient } from '../../src/client/index.ts';
import { openScheduler, type RunningScheduler } from '../../src/server/index.ts';
import { readTlsFiles } from '../../src/server/tls.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Certificates } from '../support/certificates.ts';

const options = { storage: 'memory', grpcPort: 0, httpPort: 0, logger: silentLogger } as const;

describe('TLS', function () {
  this.timeout(10_000);
  let files: Certificates;
  let scheduler: RunningScheduler | undefined;
  beforeEach(() => {
    files = new Certificates();
  });
  afterEach(async () => {
    await scheduler?.close();
    scheduler = undefined;
    files.remove();
  });

  async function open(tlsClientCa?: string): Promise<RunningScheduler> {
    const { certFile: tlsCert, keyFile: tlsKey } = files.server;
    scheduler = await openScheduler({ ...options, tlsCert, tlsKey, tlsClientCa });
    return scheduler;
  }
  async function callGrpc(endpoint: string, rest: string): Promise<void> {
    const client = TaskHubClient.open(
      `Endpoint=${endpoint};TaskHub=default;Authentication=None;CaFile=${files.caFile}${rest}`,
    );
    try {
      await client.getOrchestrationState('a');
    } finally {
      await client.close();
    }
  }
  function getStatus(url: string, pair?: { certFile: string; keyFile: string }): Promise<number> {
    const mine = pair && { cert: readFileSync(pair.certFile), key: readFileSync(pair.keyFile) };
    return new Promise((resolve, reject) => {
      get(url, { ca: readFileSync(files.caFile), agent: false, ...mine }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      }).once('error', reject);
    });
  }

  it('is spoken on both ports, and said in their endpoints', async () => {
    const { grpcEndpoint, httpEndpoint } = await open();

    assert.match(grpcEndpoint, /^https:\/\/127\.0\.0\.1:/);
    await callGrpc(grpcEndpoint, '');
    assert.equal(await getStatus(`${httpEndpoint}/health/ready`), 200);
    assert.equal(await getStatus(`${httpEndpoint}/`), 200);
  });

  it('lets in nobody without a certificate of the CA when it is mutual', async () => {
    const { grpcEndpoint, httpEndpoint } = await open(files.caFile);
    const { certFile, keyFile } = files.client;

    await callGrpc(grpcEndpoint, `;ClientCertFile=${certFile};ClientKeyFile=${keyFile}`);
    assert.equal(await getStatus(`${httpEndpoint}/health/live`, files.client), 200);
    await assert.rejects(callGrpc(grpcEndpoint, ''), { code: 'UNAVAILABLE' });
    await assert.rejects(getStatus(`${httpEndpoint}/health/live`));
  });

  it('tells a client that the certificate of the scheduler has expired', async () => {
    const { certFile, keyFile } = files.issue('old', { endsAt: Date.now() - 60_000 });
    scheduler = await openScheduler({ ...options, tlsCert: certFile, tlsKey: keyFile });

    await assert.rejects(callGrpc(scheduler.grpcEndpoint, ''), {
      message: /is not trusted \(certificate has expired\)/,
    });
  });

  it('says which file is wrong, and nothing of what is in it', () => {
    const { certFile, keyFile } = files.server;
    const noPem = join(files.folder, 'no.pem');
    writeFileSync(noPem, 'secret');
    const other = files.client.keyFile;

    for (const [tlsCert, tlsKey, tlsClientCa, text] of [
      ['/nowhere', keyFile, undefined, /^tlsCert \/nowhere cannot be read \(ENOENT\)/],
      [noPem, keyFile, undefined, /^tlsCert .*no\.pem holds no certificate in PEM form\.$/],
      [certFile, noPem, undefined, /^tlsKey .*no\.pem holds no private key in PEM form/],
      [certFile, other, undefined, /^tlsKey .* is not the key of the certificate in /],
      [certFile, keyFile, noPem, /^tlsClientCa .*no\.pem holds no certificate in PEM form\.$/],
    ] as const) {
      assert.throws(() => readTlsFiles({ tlsCert, tlsKey, tlsClientCa }), {
        code: 'INVALID_ARGUMENT',
        message: text,
      });
    }
  });
});
