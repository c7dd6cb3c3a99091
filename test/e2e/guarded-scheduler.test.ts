/** A Functions app and `durabletask start` with TLS and token checking, as in production. */
import assert from 'node:assert/strict';
import { TaskHubClient } from '../../src/client/index.ts';
import { ManagedIdentityStub } from '../client/support/managed-identity.ts';
import { Certificates } from '../support/certificates.ts';
import { NodeProcess } from '../support/node-process.ts';
import { OidcIssuer } from '../support/oidc-issuer.ts';
import { AppUnderTest, hasStatus, post, until } from './support/app-under-test.ts';
import { HttpApi } from './support/http-api-rows.ts';

const HUB = 'commonjs';
const ROLES = [
  { role: 'contributor', assignee: 'app' },
  { role: 'worker', assignee: 'worker-only' },
];

describe('an app whose scheduler checks tokens', function () {
  this.timeout(40_000);
  let certificates: Certificates;
  let issuer: OidcIssuer;
  let identity: ManagedIdentityStub;
  let scheduler: NodeProcess;
  let endpoint: string;
  let app: AppUnderTest;

  before(async () => {
    certificates = new Certificates();
    issuer = await OidcIssuer.open();
    identity = await ManagedIdentityStub.open(
      async (clientId) => ({
        token: await issuer.token({ claims: { oid: clientId === '' ? 'app' : clientId } }),
        livesSeconds: 3_600,
      }),
      ['worker-only'],
    );
    const { certFile, keyFile } = certificates.server;
    scheduler = NodeProcess.cli([
      ...['start', '--json', '--storage', 'memory', '--task-hubs', HUB],
      ...['--grpc-port', '0', '--http-port', '0', '--tls-cert', certFile, '--tls-key', keyFile],
      ...['--auth-issuers', issuer.url, '--role-assignments', JSON.stringify(ROLES)],
    ]);
    endpoint = (await scheduler.ready()).grpc;
  });
  after(async () => {
    await scheduler.end('SIGTERM');
    identity.close();
    issuer.close();
    certificates.remove();
  });
  beforeEach(() => {
    identity.asked.length = 0;
    app = new AppUnderTest();
  });
  afterEach(() => app.close());

  function secure(): string {
    return `Endpoint=${endpoint};CaFile=${certificates.caFile}`;
  }

  function openApp(rest = ''): Promise<void> {
    const connection = `${secure()};Authentication=ManagedIdentity${rest}`;
    const env = { DURABLE_TASK_SCHEDULER_CONNECTION_STRING: connection };
    return app.open(HUB, { grpcEndpoint: endpoint }, { env });
  }

  /** A caller outside the app, with a token of its own or none. */
  function outside(oid?: string): TaskHubClient {
    const connectionString = `${secure()};TaskHub=${HUB};Authentication=None`;
    if (oid === undefined) return TaskHubClient.open(connectionString);
    const getToken = async () => ({
      token: await issuer.token({ claims: { oid } }),
      expiresOnTimestamp: Date.now() + 3_600_000,
    });
    return TaskHubClient.open({ connectionString, credential: { getToken } });
  }

  it('carries the token of its managed identity on every call of client and worker', async () => {
    const nobody = outside();
    await assert.rejects(nobody.getOrchestrationState('a'), { code: 'UNAUTHENTICATED' });
    await nobody.close();
    await openApp();

    const links = await app.start('orchestrators/waitsForApproval');
    await until(links, ({ customStatus }) => customStatus === 'waiting');
    const code = await post(links.sendEventPostUri.replace('{eventName}', 'Approval'), true);
    const { output } = await until(links, hasStatus('Completed'));
    const cities = await fetch(`${app.url}/api/wait/helloCities`);

    assert.deepEqual([code, output], [202, { approved: true }]);
    assert.deepEqual(await cities.json(), ['Hello Tokyo!', 'Hello Seattle!', 'Hello London!']);
    assert.ok(identity.asked.length >= 1);
    assert.deepEqual(new Set(identity.asked), new Set(['']));
  });

  it('may do what the roles of that identity allow, and no more', async () => {
    await openApp(';ClientID=worker-only');
    const api = new HttpApi(`${app.url}/api/durabletask`);
    const starter = outside('app');

    const refused = await api.post('orchestrators/helloCities');
    const id = await starter.scheduleNewOrchestration('helloCities');
    const state = await starter.waitForOrchestrationCompletion(id);
    await starter.close();

    assert.equal(refused.status, 502);
    assert.match(
      String(refused.body),
      /^worker-only lacks the role Durable Task Data Contributor on task hub 'commonjs'/,
    );
    assert.match(state?.serializedOutput ?? '', /Hello London!/);
    assert.deepEqual(new Set(identity.asked), new Set(['worker-only']));
  });
});
