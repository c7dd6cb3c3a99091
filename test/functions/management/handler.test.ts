import assert from 'node:assert/strict';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { TaskHubError } from '../../../src/core/errors.ts';
import { OrchestrationStatus } from '../../../src/proto/orchestrator_service_pb.ts';
import { ask, NOW } from '../support/management.ts';
import type { Asked } from '../support/management.ts';
import { failedReply, instanceReply } from '../support/instances.ts';

const running = { GetInstance: () => instanceReply() };
const missing = { GetInstance: () => ({ exists: false }) };
const completed = {
  GetInstance: () =>
    instanceReply({ orchestrationStatus: OrchestrationStatus.COMPLETED, output: '["done"]' }),
};

function post(path: string, more: Omit<Asked, 'path'> = {}): Asked {
  return { method: 'POST', path, ...more };
}

const JSON_HEADERS = { 'content-type': 'application/json' };

describe('answerManagement', () => {
  it('answers 404 to an unknown path', async () => {
    assert.equal((await ask({ path: 'nowhere' })).response.status, 404);
  });

  it('answers the status of a running instance with 202 and where to ask again', async () => {
    const { response } = await ask({ path: 'instances/abc?code=k' }, running);

    assert.equal(response.status, 202);
    assert.deepEqual(response.headers, {
      Location: 'https://app.net/api/durabletask/instances/abc?code=k',
      'Retry-After': '5',
    });
    assert.deepEqual(response.jsonBody, {
      name: 'Hello',
      instanceId: 'abc',
      runtimeStatus: 'Running',
      input: { city: 'Tokyo' },
      customStatus: null,
      output: null,
      createdTime: '2026-01-02T03:04:05Z',
      lastUpdatedTime: '2026-01-02T03:04:06Z',
    });
  });

  it('answers the status of an instance that has ended with 200', async () => {
    const { response } = await ask({ path: 'instances/abc' }, completed);

    assert.equal(response.status, 200);
    assert.deepEqual((response.jsonBody as Record<string, unknown>)['output'], ['done']);
  });

  it('answers a failed instance with 500 only when asked to', async () => {
    const failed = { GetInstance: () => failedReply('boom') };
    const path = 'instances/abc?returnInternalServerErrorOnFailure=true';

    assert.equal((await ask({ path: 'instances/abc' }, failed)).response.status, 200);
    assert.equal((await ask({ path }, failed)).response.status, 500);
  });

  it('hides the input when asked to', async () => {
    const { response } = await ask({ path: 'instances/abc?showInput=false' }, running);

    assert.equal((response.jsonBody as Record<string, unknown>)['input'], null);
  });

  it('answers 404 for a missing instance, whatever is asked of it', async () => {
    const statuses = [
      (await ask({ path: 'instances/abc' }, missing)).response.status,
      (await ask(post('instances/abc/terminate'), missing)).response.status,
      (await ask(post('instances/abc/raiseEvent/e', { headers: JSON_HEADERS }), missing)).response
        .status,
    ];

    assert.deepEqual(statuses, [404, 404, 404]);
  });

  it('answers 410 to a command for an instance that has ended', async () => {
    assert.equal((await ask(post('instances/abc/suspend'), completed)).response.status, 410);
  });

  it('passes a command on with its reason', async () => {
    const asked = post('instances/abc/terminate?reason=enough');

    const { response, scheduler } = await ask(asked, running);

    assert.equal(response.status, 202);
    assert.equal(scheduler.requestsTo('TerminateInstance')[0]?.['output'], '"enough"');
  });

  it('passes an event on with its data', async () => {
    const asked = post('instances/abc/raiseEvent/Go', { body: '{"n":1}', headers: JSON_HEADERS });

    const { response, scheduler } = await ask(asked, running);

    assert.equal(response.status, 202);
    assert.deepEqual(scheduler.requestsTo('RaiseEvent'), [
      { instanceId: 'abc', name: 'Go', input: '{"n":1}' },
    ]);
  });

  it('refuses event data that is not JSON, by its type and by its text', async () => {
    const path = 'instances/abc/raiseEvent/Go';
    const statuses = [
      (await ask(post(path, { body: '1', headers: { 'content-type': 'text/plain' } }), running))
        .response.status,
      (await ask(post(path, { body: '{', headers: JSON_HEADERS }), running)).response.status,
    ];

    assert.deepEqual(statuses, [400, 400]);
  });

  it('starts an orchestration and answers with its links', async () => {
    const asked = post('orchestrators/Hello/abc', { body: '{"n":1}' });

    const { response, scheduler } = await ask(asked, {
      StartInstance: () => ({ instanceId: 'abc' }),
    });

    assert.equal(response.status, 202);
    const { headers, jsonBody } = response as { headers: Record<string, string>; jsonBody: object };
    assert.ok('statusQueryGetUri' in jsonBody);
    assert.equal(headers['Location'], jsonBody.statusQueryGetUri);
    assert.equal(scheduler.requestsTo('StartInstance')[0]?.['input'], '{"n":1}');
  });

  it('waits for an orchestration that it starts when given both wait parameters', async () => {
    const asked = post('orchestrators/Hello?timeout=5&pollingInterval=0.5');

    const { response, scheduler } = await ask(asked, {
      StartInstance: () => ({ instanceId: 'abc' }),
      WaitForInstanceCompletion: completed.GetInstance,
    });

    assert.deepEqual([response.status, response.jsonBody], [200, ['done']]);
    assert.equal(scheduler.calls.at(-1)?.timeoutMs, 5000);
  });

  it('refuses wait parameters that make no sense', async () => {
    const asked = post('orchestrators/Hello?timeout=1&pollingInterval=2');

    const { response, scheduler } = await ask(asked);

    assert.equal(response.status, 400);
    assert.deepEqual(scheduler.calls, []);
  });

  it('refuses to start what is no orchestrator of the app', async () => {
    const statuses = await Promise.all(
      ['Other', 'BuiltIn__HttpPollOrchestrator'].map(
        async (name) => (await ask(post(`orchestrators/${name}`))).response.status,
      ),
    );

    assert.deepEqual(statuses, [400, 400]);
  });

  it('answers 409 when the instance id is taken', async () => {
    const { response } = await ask(post('orchestrators/Hello/abc'), {
      StartInstance: () => {
        throw new TaskHubError('INSTANCE_ALREADY_EXISTS', 'taken');
      },
    });

    assert.deepEqual([response.status, response.body], [409, 'taken']);
  });

  it('refuses an instance id that holds a slash', async () => {
    assert.equal((await ask({ path: 'instances/a%2Fb' }, running)).response.status, 400);
  });

  it('serves no other task hub than its own', async () => {
    const statuses = await Promise.all(
      ['hub', 'HUB', 'other'].map(
        async (hub) =>
          (await ask({ path: `instances/abc?taskHub=${hub}` }, running)).response.status,
      ),
    );

    assert.deepEqual(statuses, [202, 202, 400]);
  });

  it('lists instances page by page, with the token of the next in a header', async () => {
    const replies = {
      QueryInstances: () => ({
        orchestrationState: [instanceReply().orchestrationState],
        continuationToken: 't2',
      }),
    };
    const path =
      'instances?runtimeStatus=Running,failed,,Pending&top=7&showInput=false' +
      '&instanceIdPrefix=a&createdTimeFrom=2026-01-01T00:00:00Z&createdTimeTo=2026-02-01T00:00:00';
    const headers = { 'x-ms-continuation-token': 't1' };

    const { response, scheduler } = await ask({ path, headers }, replies);

    assert.equal(response.status, 200);
    assert.deepEqual(response.headers, { 'x-ms-continuation-token': 't2' });
    const [status, ...more] = response.jsonBody as Record<string, unknown>[];
    assert.deepEqual(
      [status?.['instanceId'], status?.['runtimeStatus'], status?.['input']],
      ['abc', 'Running', null],
    );
    assert.deepEqual(more, []);
    const [asked] = scheduler.requestsTo('QueryInstances');
    const { RUNNING, FAILED, PENDING } = OrchestrationStatus;
    assert.deepEqual(asked?.['query'], {
      runtimeStatus: [RUNNING, FAILED, PENDING],
      taskHubNames: [],
      maxInstanceCount: 7,
      fetchInputsAndOutputs: true,
      createdTimeFrom: timestampFromDate(new Date('2026-01-01T00:00:00Z')),
      createdTimeTo: timestampFromDate(new Date('2026-02-01T00:00:00Z')),
      instanceIdPrefix: 'a',
      continuationToken: 't1',
    });
  });

  it('lists without a header on the last page', async () => {
    const { response } = await ask({ path: 'instances' });

    assert.deepEqual(response, { status: 200, jsonBody: [] });
  });

  it('refuses a list by statuses, times and counts that are none', async () => {
    const paths = ['runtimeStatus=Done', 'top=0', 'createdTimeTo=tomorrow'];
    for (const query of paths) {
      assert.equal((await ask({ path: `instances?${query}` })).response.status, 400, query);
    }
  });

  it('purges one instance and answers 404 when there was nothing to purge', async () => {
    const purge = { method: 'DELETE', path: 'instances/abc' };

    const done = await ask(purge, { PurgeInstances: () => ({ deletedInstanceCount: 1 }) });
    assert.deepEqual(done.response, { status: 200, jsonBody: { instancesDeleted: 1 } });
    assert.deepEqual((await ask(purge)).response, { status: 404 });
  });

  it('purges many by time and status, until now unless told otherwise', async () => {
    const path = 'instances?createdTimeFrom=1970-01-01T00:00:00Z&runtimeStatus=Completed';
    const replies = { PurgeInstances: () => ({ deletedInstanceCount: 3 }) };

    const { response, scheduler } = await ask({ method: 'DELETE', path }, replies);

    assert.deepEqual(response, { status: 200, jsonBody: { instancesDeleted: 3 } });
    const request = scheduler.requestsTo('PurgeInstances')[0]?.['request'] as {
      readonly value: Record<string, unknown>;
    };
    assert.deepEqual(request.value['runtimeStatus'], [OrchestrationStatus.COMPLETED]);
    assert.deepEqual(request.value['createdTimeFrom'], timestampFromDate(new Date(0)));
    assert.deepEqual(request.value['createdTimeTo'], timestampFromDate(new Date(NOW)));
    assert.equal((await ask({ method: 'DELETE', path })).response.status, 404);
  });

  it('purges nothing without a lower bound of time', async () => {
    const { response, scheduler } = await ask({ method: 'DELETE', path: 'instances' });

    assert.equal(response.status, 400);
    assert.equal(response.body, "Please provide value for 'createdTimeFrom' parameter.");
    assert.deepEqual(scheduler.calls, []);
  });

  it('rewinds what failed: 410 for what ended otherwise, 412 for what lives, 404 for nothing', async () => {
    const rewind = post('instances/abc/rewind?reason=fixed');
    const failing = { GetInstance: () => failedReply('boom') };
    const refused = {
      RewindInstance: () => {
        throw new TaskHubError('WRONG_STATE', 'it runs');
      },
    };

    const { response, scheduler } = await ask(rewind, failing);
    assert.deepEqual(response, { status: 202 });
    assert.equal(scheduler.requestsTo('RewindInstance')[0]?.['reason'], 'fixed');
    assert.equal((await ask(rewind, completed)).response.status, 410);
    assert.equal((await ask(rewind, missing)).response.status, 404);
    assert.equal((await ask(rewind, { ...running, ...refused })).response.status, 412);
  });

  it('restarts under a new id unless asked for the old one', async () => {
    const replies = { RestartInstance: () => ({ instanceId: 'new' }) };

    const fresh = await ask(post('instances/abc/restart'), replies);
    const same = await ask(post('instances/abc/restart?restartWithNewInstanceId=false'), replies);

    assert.equal(fresh.response.status, 202);
    assert.equal((fresh.response.jsonBody as { id: string }).id, 'new');
    const flags = [fresh, same].map(
      ({ scheduler }) => scheduler.requestsTo('RestartInstance')[0]?.['restartWithNewInstanceId'],
    );
    assert.deepEqual(flags, [true, false]);
  });

  it('waits for a restarted instance as for a started one', async () => {
    const replies = {
      RestartInstance: () => ({ instanceId: 'new' }),
      WaitForInstanceCompletion: completed.GetInstance,
    };

    const asked = post('instances/abc/restart?timeout=5&pollingInterval=1');
    const { response } = await ask(asked, replies);

    assert.deepEqual(response, { status: 200, jsonBody: ['done'] });
  });

  it('answers 400 to a restart of what does not exist', async () => {
    const replies = {
      RestartInstance: () => {
        throw new TaskHubError('INSTANCE_NOT_FOUND', 'gone');
      },
    };

    const { response } = await ask(post('instances/abc/restart'), replies);

    assert.equal(response.status, 400);
    assert.equal(response.body, 'InstanceId does not match a valid orchestration instance.');
  });

  it('lets the signed links rewind, restart and purge, but not list', async () => {
    const started = await ask(post('orchestrators/Hello'), {
      StartInstance: () => ({ instanceId: 'abc' }),
    });
    const links = started.response.jsonBody as Record<string, string>;
    const queryOf = (name: string): string => new URL(links[name] ?? '').search;
    const replies = {
      GetInstance: () => failedReply('boom'),
      RestartInstance: () => ({ instanceId: 'abc' }),
      PurgeInstances: () => ({ deletedInstanceCount: 1 }),
    };

    const asked: Asked[] = [
      post(`instances/abc/rewind${queryOf('rewindPostUri')}`),
      post(`instances/abc/restart${queryOf('restartPostUri')}`),
      { method: 'DELETE', path: `instances/abc${queryOf('purgeHistoryDeleteUri')}` },
      { method: 'DELETE', path: `instances/abc${queryOf('statusQueryGetUri')}` },
      { path: `instances${queryOf('statusQueryGetUri')}` },
    ];
    const statuses = await Promise.all(
      asked.map(async (one) => (await ask({ ...one, isSigned: true }, replies)).response.status),
    );

    assert.deepEqual(statuses, [202, 202, 200, 401, 401]);
  });

  it('says nothing of an error that nobody expected', async () => {
    const { response } = await ask(
      { path: 'instances/abc' },
      {
        GetInstance: () => {
          throw new Error('password=x');
        },
      },
    );

    assert.equal(response.status, 500);
    assert.equal(response.body, 'Something went wrong while processing your request');
  });

  it('lets a signed link do what it was signed for, and nothing else', async () => {
    const start = post('orchestrators/Hello', {});
    const started = await ask(start, { StartInstance: () => ({ instanceId: 'abc' }) });
    const links = started.response.jsonBody as Record<string, string>;
    const { search } = new URL(links['statusQueryGetUri'] ?? '');

    const statuses = await Promise.all(
      [
        { path: `instances/abc${search}`, isSigned: true },
        { path: `instances/other${search}`, isSigned: true },
        post(`instances/abc/terminate${search}`, { isSigned: true }),
        { path: 'instances/abc', isSigned: true },
        post(`orchestrators/Hello${search}`, { isSigned: true }),
      ].map(async (asked) => (await ask(asked, running)).response.status),
    );

    assert.deepEqual(statuses, [202, 401, 401, 401, 401]);
  });
});
