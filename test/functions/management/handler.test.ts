import assert from 'node:assert/strict';
import azureFunctions from '@azure/functions';
import type { HttpRequestInit, HttpResponseInit } from '@azure/functions';
import { TaskHubClient } from '../../../src/client/task-hub-client.ts';
import { TaskHubError } from '../../../src/core/errors.ts';
import { answerManagement } from '../../../src/functions/management/handler.ts';
import { createLinks } from '../../../src/functions/management/links.ts';
import { OrchestrationStatus } from '../../../src/proto/orchestrator_service_pb.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { FakeScheduler } from '../support/fake-scheduler.ts';
import { failedReply, instanceReply } from '../support/instances.ts';

const SECRET = 'a secret of thirty-two characters';
const NOW = 1_000_000;
const running = { GetInstance: () => instanceReply() };
const missing = { GetInstance: () => ({ exists: false }) };
const completed = {
  GetInstance: () =>
    instanceReply({ orchestrationStatus: OrchestrationStatus.COMPLETED, output: '["done"]' }),
};

interface Asked {
  readonly method?: string;
  /** Path below the route, with its query. */
  readonly path: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly isSigned?: boolean;
}

type Replies = ConstructorParameters<typeof FakeScheduler>[0];

async function ask(
  { method = 'GET', path, body, headers = {}, isSigned = false }: Asked,
  replies: Replies = {},
): Promise<{ response: HttpResponseInit; scheduler: FakeScheduler }> {
  const scheduler = new FakeScheduler(replies);
  const url = new URL(`https://app.net/api/durabletask/${path}`);
  const init: HttpRequestInit = {
    method,
    url: url.href,
    headers,
    query: Object.fromEntries(url.searchParams),
    ...(body !== undefined && { body: { bytes: Buffer.from(body) } }),
  };
  const linkOptions = {
    http: { routePrefix: 'api', usesForwardedHost: false, ownOrigin: 'http://localhost:7071' },
    taskHub: 'hub',
    connectionName: 'CONN',
    secrets: { secret: SECRET, ttlMs: 60_000 },
    now: NOW,
  };
  const response = await answerManagement(
    {
      request: new azureFunctions.HttpRequest(init),
      path: url.pathname.slice('/api/durabletask/'.length),
      isSigned,
    },
    {
      client: TaskHubClient.open({ connection: scheduler }),
      taskHub: 'hub',
      linksFor: (id, request) => createLinks(id, { ...linkOptions, request }),
      hasOrchestrator: (name) => name === 'Hello',
      secret: SECRET,
      clock: { now: () => NOW, sleepUntil: () => Promise.resolve() },
      logger: silentLogger,
    },
  );
  return { response, scheduler };
}

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

  it('answers 501 to what comes later', async () => {
    const { response } = await ask({ path: 'instances' });

    assert.equal(response.status, 501);
    assert.match(response.body as string, /arrives with a later version/);
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
