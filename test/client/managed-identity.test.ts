import assert from 'node:assert/strict';
import { TaskHubClient } from '../../src/client/index.ts';
import { TaskHubWorker } from '../../src/worker/index.ts';
import { openScheduler, type RunningScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Certificates } from '../support/certificates.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { OidcIssuer } from '../support/oidc-issuer.ts';
import { ManagedIdentityStub } from './support/managed-identity.ts';

describe('managed identity', function () {
  this.timeout(15_000);
  let certificates: Certificates;
  let issuer: OidcIssuer;
  let scheduler: RunningScheduler;
  let identity: ManagedIdentityStub;
  let tokens: string[];
  let isExpired: boolean;

  before(async () => {
    certificates = new Certificates();
    issuer = await OidcIssuer.open();
    const { certFile, keyFile } = certificates.server;
    scheduler = await openScheduler({
      ...{ storage: 'memory', grpcPort: 0, httpPort: 0, logger: silentLogger },
      ...{ tlsCert: certFile, tlsKey: keyFile, authIssuers: [issuer.url] },
      roleAssignments: [{ role: 'contributor', assignee: 'app' }],
    });
    identity = await ManagedIdentityStub.open(async () => {
      const expiresAt = Date.now() + (isExpired ? -3_600_000 : 240_000);
      const claims = { oid: 'app', jti: String(tokens.length) };
      const token = await issuer.token({ claims, expiresAt });
      tokens.push(token);
      return { token, livesSeconds: 240 };
    }, ['user-assigned']);
  });
  after(async () => {
    identity.close();
    await scheduler.close();
    issuer.close();
    certificates.remove();
  });
  beforeEach(() => {
    tokens = [];
    isExpired = false;
    identity.asked.length = 0;
  });

  const connection = (rest = ''): string =>
    `Endpoint=${scheduler.grpcEndpoint};TaskHub=default;Authentication=ManagedIdentity;` +
    `CaFile=${certificates.caFile}${rest}`;

  it('puts a token on every call of client and worker', async () => {
    const worker = new TaskHubWorker({
      connectionString: connection(';ClientID=user-assigned'),
      logger: silentLogger,
    });
    worker.addNamedActivity('greet', (_context, name: string) => `Hello ${name}`);
    worker.addNamedOrchestrator('Hello', function* (context, name: string): Generator<
      unknown,
      unknown,
      unknown
    > {
      return yield context.callActivity('greet', name);
    });
    await worker.start();
    const client = TaskHubClient.open(connection());

    const id = await client.scheduleNewOrchestration('Hello', 'Ana');
    const state = await client.waitForOrchestrationCompletion(id);

    assert.equal(state?.serializedOutput, '"Hello Ana"');
    assert.deepEqual([...identity.asked].sort(), ['', 'user-assigned']);
    await worker.stop();
    await client.close();
  });

  it('asks for a new token before the old one expires', async () => {
    const clock = new ManualClock(Date.now());
    const client = TaskHubClient.open({ connectionString: connection(), clock });
    await client.getOrchestrationState('a');
    await client.getOrchestrationState('a');
    assert.equal(tokens.length, 1);

    clock.advance(150_000);
    await client.getOrchestrationState('a');
    // The second one is asked for in the background: calls go on with the first meanwhile.
    const until = Date.now() + 8_000;
    while (tokens.at(1) === undefined && Date.now() < until) {
      await client.getOrchestrationState('a');
    }

    assert.notEqual(tokens[0], tokens[1]);
    await client.close();
  });

  it('that does not exist is an error that names ClientID', async () => {
    const client = TaskHubClient.open(connection(';ClientID=nobody'));

    await assert.rejects(client.getOrchestrationState('a'), {
      code: 'UNAUTHENTICATED',
      message:
        /^Authentication=ManagedIdentity gave no token \(check "ClientID=nobody" of the connection string\): .*No managed identity found/,
    });
    await client.close();
  });

  it('whose token has expired is an error that says when', async () => {
    isExpired = true;
    const client = TaskHubClient.open(connection());

    await assert.rejects(client.getOrchestrationState('a'), {
      code: 'UNAUTHENTICATED',
      message: /^The token expired at \d{4}-\d\d-\d\dT[\d:.]+Z; get a new one\.$/,
    });
    await client.close();
  });

  it('does not get far with a certificate that nobody trusts', async () => {
    const client = TaskHubClient.open(connection().replace(/;CaFile=.*/, ''));

    await assert.rejects(client.getOrchestrationState('a'), {
      code: 'UNAVAILABLE',
      message:
        /^The certificate of https:\/\/127\.0\.0\.1:\d+ is not trusted \(unable to verify the first certificate\); name its CA with "CaFile"/,
    });
    await client.close();
  });
});
