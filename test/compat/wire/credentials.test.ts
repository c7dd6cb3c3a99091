import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { TaskHubSidecarService } from '../../../src/proto/orchestrator_service_pb.ts';
import { openScheduler, type RunningScheduler } from '../../../src/server/index.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { OidcIssuer } from '../../support/oidc-issuer.ts';
import { RawClient } from '../../server/support/raw-client.ts';
import { complete, scheduleTask } from '../../support/actions.ts';
import { freshId } from '../support/calls.ts';
import { HandWorker } from '../support/hand-worker.ts';

const rpc = TaskHubSidecarService.method;

describe('Credentials', function () {
  this.timeout(15_000);
  let issuer: OidcIssuer;
  let scheduler: RunningScheduler;
  let client: RawClient;

  before(async () => {
    issuer = await OidcIssuer.open();
    scheduler = await openScheduler({
      ...{ storage: 'memory', grpcPort: 0, httpPort: 0, logger: silentLogger },
      taskHubs: ['default', 'other'],
      authIssuers: [issuer.url],
      roleAssignments: [
        { role: 'contributor', assignee: 'owner', assigneeType: 'principal' },
        { role: 'reader', assignee: 'analysts', assigneeType: 'group', taskHub: 'default' },
        { role: 'worker', assignee: 'Work', assigneeType: 'appRole', taskHub: 'default' },
        { role: 'worker', assignee: 'app-1', assigneeType: 'principal', taskHub: 'default' },
      ],
    });
    client = new RawClient(Number(new URL(scheduler.grpcEndpoint).port));
  });
  after(async () => {
    client.close();
    await scheduler.close();
    issuer.close();
  });

  /** The headers of a caller with these claims. */
  async function as(
    claims: Record<string, unknown>,
    taskhub = 'default',
  ): Promise<Record<string, string>> {
    return { taskhub, authorization: `Bearer ${await issuer.token({ claims })}` };
  }

  // [wp 1.2-credentials, 1.1-authorization]
  it('are asked for with UNAUTHENTICATED when they are missing, expired, foreign or for others', async () => {
    const expiresAt = Date.now() - 120_000;
    const expired = await issuer.token({ claims: { sub: 'owner' }, expiresAt });
    const foreign = await issuer.token({ claims: { sub: 'owner', iss: 'https://evil.example' } });
    const forOthers = await issuer.token({ claims: { sub: 'owner', aud: 'https://other' } });
    const good = await issuer.token({ claims: { sub: 'owner' } });
    const refusals: readonly (readonly [string | undefined, RegExp])[] = [
      [undefined, /send a bearer token/],
      ['Basic abc', /not of the form/],
      ['Bearer abc', /no JSON Web Token/],
      [
        `Bearer ${expired}`,
        new RegExp(`expired at ${new Date(expiresAt).toISOString().slice(0, 16)}`),
      ],
      [`Bearer ${foreign}`, /issuer "https:\/\/evil\.example"/],
      [`Bearer ${forOthers}`, /audience "https:\/\/other", not for https:\/\/durabletask\.io/],
      [`Bearer ${good.slice(0, -4)}AAAA`, /signature of the token is wrong/],
    ];

    for (const [authorization, text] of refusals) {
      const headers = { taskhub: 'default', ...(authorization !== undefined && { authorization }) };
      await assert.rejects(client.call(rpc.hello, {}, { headers }), {
        code: status.UNAUTHENTICATED,
        details: text,
      });
    }
    await client.call(rpc.hello, {}, { headers: await as({ sub: 'owner' }) });
  });

  // [wp 1.2-permission]
  it('without a role on the hub give PERMISSION_DENIED, whether it exists or not', async () => {
    for (const hub of ['other', 'nowhere']) {
      await assert.rejects(
        client.call(rpc.hello, {}, { headers: await as({ sub: 'a', groups: ['analysts'] }, hub) }),
        {
          code: status.PERMISSION_DENIED,
          details: `a lacks the role Durable Task Data Contributor or Durable Task Data Reader or Durable Task Worker on task hub '${hub}' or on the scheduler.`,
        },
      );
    }
    const headers = await as({ sub: 'owner' }, 'nowhere');
    await assert.rejects(client.call(rpc.hello, {}, { headers }), { code: status.NOT_FOUND });
  });

  it('of a reader read and change nothing', async () => {
    const headers = await as({ sub: 'a', groups: ['others', 'analysts'] });
    const denied = { code: status.PERMISSION_DENIED };

    await client.call(rpc.getInstance, { instanceId: 'x' }, { headers });
    await assert.rejects(client.call(rpc.startInstance, { name: 'N' }, { headers }), denied);
    await assert.rejects(client.call(rpc.deleteTaskHub, {}, { headers }), denied);
    const stream = client.stream(rpc.getWorkItems, {}, { headers });
    assert.equal((await stream.ended).code, status.PERMISSION_DENIED);
  });

  it('of a worker let it work and read only what it works on', async () => {
    const owner = await as({ sub: 'owner' });
    const headers = await as({ sub: 'w', roles: ['Work'] });
    const instanceId = freshId();
    await client.call(rpc.startInstance, { instanceId, name: 'N' }, { headers: owner });
    const worker = await HandWorker.open(client, { headers });

    const turn = await worker.turn(instanceId);
    await worker.answer(turn, [complete('"done"')]);

    const denied = { code: status.PERMISSION_DENIED };
    await assert.rejects(client.call(rpc.getInstance, { instanceId }, { headers }), denied);
    const read = client.stream(rpc.streamInstanceHistory, { instanceId }, { headers });
    assert.equal((await read.ended).code, status.PERMISSION_DENIED);
    const replay = client.stream(
      rpc.streamInstanceHistory,
      { instanceId, forWorkItemProcessing: true },
      { headers },
    );
    assert.ok(await replay.next());
    worker.cut();
  });

  it('decide whose work an early worker without completion tokens may finish', async () => {
    const owner = await as({ sub: 'owner' });
    const mine = await as({ sub: 'app-1' });
    const theirs = await as({ sub: 'w', roles: ['Work'] });
    const instanceId = freshId();
    await client.call(rpc.startInstance, { instanceId, name: 'N' }, { headers: owner });
    const early = new RawClient(Number(new URL(scheduler.grpcEndpoint).port), {
      library: 'grpc-java-netty/1.59.0',
    });
    const worker = await HandWorker.open(early, { headers: mine });
    await worker.turn(instanceId);
    const answer = { instanceId, actions: [scheduleTask(1)] };

    await assert.rejects(client.call(rpc.completeOrchestratorTask, answer, { headers: theirs }), {
      code: status.INVALID_ARGUMENT,
    });
    await client.call(rpc.completeOrchestratorTask, answer, { headers: mine });
    worker.cut();
    early.close();
  });
});
