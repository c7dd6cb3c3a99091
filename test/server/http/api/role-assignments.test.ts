import assert from 'node:assert/strict';
import { openScheduler, type RunningScheduler } from '../../../../src/server/index.ts';
import { roleAssignmentsSchema } from '../../../../src/server/http/api/contract.ts';
import { silentLogger } from '../../../../src/telemetry/logger.ts';
import { OidcIssuer } from '../../../support/oidc-issuer.ts';

describe('role assignments over HTTP', function () {
  this.timeout(10_000);
  let issuer: OidcIssuer;
  let scheduler: RunningScheduler;
  before(async () => {
    issuer = await OidcIssuer.open();
    scheduler = await openScheduler({
      ...{ storage: 'memory', grpcPort: 0, httpPort: 0, logger: silentLogger },
      authIssuers: [issuer.url],
      taskHubs: ['default', 'orders'],
      roleAssignments: [{ role: 'contributor', assignee: 'admin' }],
    });
  });
  after(async () => {
    await scheduler.close();
    issuer.close();
  });

  async function call(sub: string, method: string, path: string, body?: object): Promise<Response> {
    return fetch(`${scheduler.httpEndpoint}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await issuer.token({ claims: { sub } })}`,
        'content-type': 'application/json',
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  }
  const readHub = async (sub: string): Promise<number> =>
    (await call(sub, 'GET', '/hubs/orders/summary')).status;

  it('count from the moment they are made until they are taken away', async () => {
    assert.equal(await readHub('ana'), 403);

    const wanted = { role: 'Durable Task Data Reader', assignee: 'ana', taskHub: 'orders' };
    const created = await call('admin', 'POST', '/role-assignments', wanted);
    assert.equal(created.status, 201);
    const { id, createdBy } = (await created.json()) as { id: string; createdBy: string };
    assert.equal(createdBy, 'admin');
    assert.equal(await readHub('ana'), 200);
    assert.equal((await call('ana', 'GET', '/hubs/default/summary')).status, 403);

    assert.equal((await call('admin', 'DELETE', `/role-assignments/${id}`)).status, 200);
    assert.equal(await readHub('ana'), 403);
  });

  it('are listed with those of the configuration, which cannot be taken away here', async () => {
    const answer = await call('admin', 'GET', '/role-assignments');
    const { items } = roleAssignmentsSchema.parse(await answer.json());

    assert.deepEqual(items, [
      {
        id: 'config-1',
        role: 'contributor',
        roleName: 'Durable Task Data Contributor',
        assigneeType: 'principal',
        assignee: 'admin',
        issuer: issuer.url,
        source: 'config',
      },
    ]);
    const refused = await call('admin', 'DELETE', '/role-assignments/config-1');
    assert.equal(refused.status, 409);
    assert.match(await refused.text(), /stands in the configuration/);
  });

  it('are the business of contributors of the scheduler alone', async () => {
    const wanted = { role: 'contributor', assignee: 'ben', taskHub: 'orders' };
    await call('admin', 'POST', '/role-assignments', wanted);

    assert.equal(await readHub('ben'), 200);
    assert.equal((await call('ben', 'GET', '/role-assignments')).status, 403);
    assert.equal((await call('ben', 'POST', '/role-assignments', wanted)).status, 403);
    assert.equal((await call('ben', 'DELETE', '/hubs/orders')).status, 403);
  });

  for (const [wanted, status, text] of [
    [{ role: 'owner', assignee: 'a' }, 400, /role.*must be one of contributor, reader, worker/],
    [{ role: 'reader' }, 400, /assignee/],
    [{ role: 'reader', assignee: 'a', taskHub: 'nope' }, 404, /Task hub not found: nope/],
    [{ role: 'reader', assignee: 'a', issuer: 'https://x' }, 400, /issuer must be one of/],
  ] as const) {
    it(`are refused as ${JSON.stringify(wanted)}`, async () => {
      const answer = await call('admin', 'POST', '/role-assignments', wanted);

      assert.equal(answer.status, status);
      assert.match(await answer.text(), text);
    });
  }

  it('that do not exist are not found', async () => {
    const answer = await call('admin', 'DELETE', '/role-assignments/nothing');

    assert.equal(answer.status, 404);
    assert.match(await answer.text(), /ROLE_ASSIGNMENT_NOT_FOUND/);
  });

  it('let the list of hubs show what the caller may see', async () => {
    const names = async (sub: string): Promise<readonly string[]> => {
      const answer = await call(sub, 'GET', '/hubs');
      const { items } = (await answer.json()) as { items: { name: string }[] };
      return items.map(({ name }) => name);
    };
    await call('admin', 'POST', '/role-assignments', {
      ...{ role: 'worker', assignee: 'cleo', taskHub: 'default' },
    });

    assert.deepEqual(await names('cleo'), ['default']);
    assert.deepEqual((await names('admin')).toSorted(), ['default', 'orders']);
    assert.deepEqual(await names('nobody'), []);
  });
});
