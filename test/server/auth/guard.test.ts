import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import type { RoleAssignment } from '../../../src/core/roles.ts';
import { TaskHubSidecarService } from '../../../src/proto/orchestrator_service_pb.ts';
import { SignIn } from '../../../src/server/auth/sign-in.ts';
import { Guard } from '../../../src/server/auth/guard.ts';
import { RoleBook } from '../../../src/server/auth/role-book.ts';
import { TokenVerifier } from '../../../src/server/auth/token-verifier.ts';
import { systemIds } from '../../../src/base/ids.ts';
import { BulkJobs } from '../../../src/server/http/api/bulk-jobs.ts';
import { completeServerConfig } from '../../../src/config/load-server-config.ts';
import { createHttpApp } from '../../../src/server/http/http-app.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { EngineDouble } from '../../support/engine-double.ts';
import { eventually } from '../../support/eventually.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { AUDIENCE, OidcIssuer } from '../../support/oidc-issuer.ts';
import { noRoleAssignments } from '../support/role-assignments.ts';
import { openGrpcFixture } from '../support/grpc-fixture.ts';

const rpc = TaskHubSidecarService.method;

describe('guard', () => {
  let issuer: OidcIssuer;
  let clock: ManualClock;
  let roles: RoleBook;
  let guard: Guard;
  before(async () => {
    issuer = await OidcIssuer.open();
  });
  after(() => {
    issuer.close();
  });
  beforeEach(() => {
    clock = new ManualClock(Date.now());
    roles = new RoleBook([assignment({})]);
    const verifier = new TokenVerifier({
      ...{ issuers: [issuer.url], audiences: [AUDIENCE], clockSkewMs: 0 },
      ...{ clock, logger: silentLogger },
    });
    guard = new Guard({ verifier, roles });
  });

  function assignment(changes: Partial<RoleAssignment>): RoleAssignment {
    const base = { role: 'worker', assigneeType: 'principal', assignee: 'w', taskHub: 'default' };
    return { ...base, issuer: issuer.url, ...changes } as RoleAssignment;
  }
  const bearer = async (claims: Record<string, unknown>, expiresAt = clock.now() + 600_000) =>
    `Bearer ${await issuer.token({ claims, expiresAt })}`;

  it('tells principals of different issuers apart', async () => {
    roles.replace([assignment({ issuer: 'https://other.example' })]);
    const caller = await guard.authenticate(await bearer({ sub: 'w' }));

    assert.equal(guard.permits(caller, 'work', 'default'), false);
  });

  it('gives the scheduler to nobody who has a hub', async () => {
    roles.replace([assignment({ role: 'contributor' })]);
    const caller = await guard.authenticate(await bearer({ sub: 'w' }));

    assert.equal(guard.permits(caller, 'write', 'default'), true);
    assert.equal(guard.permits(caller, 'write', 'other'), false);
    assert.equal(guard.permits(caller, 'manage', 'default'), false);
    roles.replace([assignment({ role: 'contributor', taskHub: undefined })]);
    assert.equal(guard.permits(caller, 'manage', undefined), true);
    roles.replace([assignment({ role: 'reader', taskHub: 'default' })]);
    assert.equal(guard.permits(caller, 'inspect', 'default'), false);
    roles.replace([assignment({ role: 'reader', taskHub: undefined })]);
    assert.equal(guard.permits(caller, 'inspect', 'default'), true);
    assert.equal(guard.permits(caller, 'read', 'other'), true);
  });

  it('says that groups were left out of the token when it refuses', async () => {
    const caller = await guard.authenticate(
      await bearer({ sub: 'x', upn: 'x@y', hasgroups: true }),
    );

    assert.throws(() => guard.require(caller, 'manage', undefined), {
      code: 'PERMISSION_DENIED',
      message:
        /^x@y \(x\) lacks the role Durable Task Data Contributor on the scheduler\. Its groups are too many/,
    });
  });

  it('ends a work item stream with OK when its token expires', async () => {
    const fixture = await openGrpcFixture({ clock, guard });
    const expiresAt = (Math.floor(clock.now() / 1_000) + 10) * 1_000;
    const headers = { authorization: await bearer({ sub: 'w' }, expiresAt) };
    const stream = fixture.client.stream(rpc.getWorkItems, {}, { headers });
    await stream.next();
    await fixture.engine.firstStream();
    await untilSleeping(clock, expiresAt);

    clock.advance(10_000);

    assert.equal((await stream.ended).code, status.OK);
    await assert.rejects(fixture.client.call(rpc.hello, {}, { headers }), {
      code: status.UNAUTHENTICATED,
    });
    await fixture.close();
  });

  it('ends a work item stream whose caller has lost the role', async () => {
    const fixture = await openGrpcFixture({ clock, guard });
    const headers = { authorization: await bearer({ sub: 'w' }) };
    const stream = fixture.client.stream(rpc.getWorkItems, {}, { headers });
    await stream.next();
    await fixture.engine.firstStream();
    roles.replace([]);
    await untilSleeping(clock, clock.now() + 30_000);

    clock.advance(30_000);

    assert.equal((await stream.ended).code, status.PERMISSION_DENIED);
    await fixture.close();
  });

  it('lets only those who may write hear that a task hub is over its rate', async () => {
    const fixture = await openGrpcFixture({ clock, guard });
    fixture.engine.doorRefusal = 'too loud';
    roles.replace([
      assignment({ role: 'contributor' }),
      assignment({ role: 'reader', assignee: 'r' }),
    ]);
    const start = async (headers: Record<string, string>) =>
      fixture.client.call(rpc.startInstance, { instanceId: 'a', name: 'A' }, { headers });
    const writer = { authorization: await bearer({ sub: 'w' }) };
    const reader = { authorization: await bearer({ sub: 'r' }) };

    await start(writer);
    await assert.rejects(start(writer), { code: status.RESOURCE_EXHAUSTED, details: 'too loud' });
    await assert.rejects(start({}), { code: status.UNAUTHENTICATED });
    for (let n = 0; n < 2; n += 1) {
      await assert.rejects(start(reader), { code: status.PERMISSION_DENIED });
    }
    await fixture.close();
  });

  it('stands before every HTTP route but those that tell nothing', async () => {
    const engine = new EngineDouble();
    const rules = { allowedHosts: [], allowAddresses: false, scheme: 'http' } as const;
    const app = createHttpApp({
      engine,
      guard,
      roles: noRoleAssignments(),
      signIn: new SignIn(completeServerConfig({}, []), clock),
      rules,
      logger: silentLogger,
      isReady: () => true,
      ...{ clock, draining: new AbortController().signal, grpcEndpoint: 'http://localhost:1' },
      bulkJobs: new BulkJobs({ engine, clock, ids: systemIds }),
      dashboardFiles: () => undefined,
      config: { config: completeServerConfig({}, []), sources: {} },
    });
    const get = async (path: string, authorization?: string): Promise<Response> =>
      app.request(path, {
        headers: { host: 'localhost', ...(authorization !== undefined && { authorization }) },
      });
    const worker = await bearer({ sub: 'w' });

    assert.equal((await get('/health/live')).status, 200);
    assert.doesNotMatch(await (await get('/')).text(), /<li>default/);
    const unknown = await get('/api/v1/taskhubs/ping');
    assert.equal(unknown.status, 401);
    assert.equal(unknown.headers.get('www-authenticate'), 'Bearer');
    assert.equal((await get('/api/v1/taskhubs/ping', worker)).status, 200);
    assert.equal((await get('/api/v1/taskhubs/parked', worker)).status, 403);
    roles.replace([assignment({ role: 'reader', taskHub: 'default' })]);
    for (const path of ['/retention', '/config', '/log-level']) {
      const refused = await get(`/api/v1${path}`, worker);
      assert.equal(refused.status, 403, path);
      assert.match(await refused.text(), /Data Reader on the scheduler/);
    }
    roles.replace([assignment({ role: 'worker' })]);
    const denied = await get('/api/v1/hubs/default/orchestrations', worker);
    assert.equal(denied.status, 403);
    assert.equal(denied.headers.get('content-type'), 'application/problem+json');
  });
});

async function untilSleeping(clock: ManualClock, atMs: number): Promise<void> {
  await eventually(() => clock.sleepers.includes(atMs), 'the stream waits for what comes next');
}
