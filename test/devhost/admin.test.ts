import assert from 'node:assert/strict';
import { appDirOf, openTestApp } from './test-app.ts';
import type { TestApp } from './test-app.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

describe('admin endpoints of the dev host', function () {
  this.timeout(20_000);
  let test: TestApp;
  before(async () => {
    const env = { ON_START_SCHEDULE: '00:10:00', 'AzureWebJobs.silent.Disabled': 'true' };
    test = await openTestApp(appDirOf('hello-cjs'), { env });
  });
  after(async () => {
    await test.host.close();
  });
  const admin = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${test.host.url}/admin/${path}`, init);
  const fire = async (name: string, input: unknown): Promise<number> => {
    const body = JSON.stringify({ input });
    const response = await admin(`functions/${name}`, { method: 'POST', headers: JSON_TYPE, body });
    return response.status;
  };

  it('list the functions with their bindings', async () => {
    const list = (await (await admin('functions')).json()) as Record<string, unknown>[];
    const nightly = list.find(({ name }) => name === 'nightly');
    const { bindings } = nightly?.['config'] as { bindings: { type: string; schedule: string }[] };
    assert.deepEqual([bindings[0]?.type, bindings[0]?.schedule], ['timerTrigger', '0 0 3 * * *']);
    const one = (await (await admin('functions/HELLO')).json()) as Record<string, unknown>;
    assert.equal(one['name'], 'hello');
    assert.match(String(one['invoke_url_template']), /\/api\/hello\/\{name\?\}$/);
  });

  it('run a timer function at once', async () => {
    assert.equal(await fire('nightly', ''), 202);
    await test.lines.next(/nightly ran, past due: false, next: \d{4}-\d\d-\d\dT03:00:00/);
  });

  it('hand the input to a manual trigger', async () => {
    assert.equal(await fire('byHand', { order: 1 }), 202);
    await test.lines.next(/byHand got \{"order":1\}/);
  });

  it('call an HTTP function with the input as its body', async () => {
    assert.equal(await fire('hello', 'x'), 202);
    await test.lines.next(/Saying hello to undefined/);
  });

  it('ran the timer that runs on startup', async () => {
    await test.lines.next(/onStart ran, daylight saving: true/);
  });

  it('know no function that is disabled or missing', async () => {
    assert.deepEqual([await fire('silent', ''), await fire('nobody', '')], [404, 404]);
    const status = await (await admin('functions/silent/status')).json();
    assert.deepEqual(status, { isEnabled: false });
    assert.equal((await fetch(`${test.host.url}/api/silent`)).status, 404);
  });

  it('answer ping and status', async () => {
    const pings = await Promise.all([admin('host/ping'), admin('host/ping', { method: 'POST' })]);
    assert.deepEqual(
      pings.map(({ status }) => status),
      [200, 200],
    );
    const { state } = (await (await admin('host/status')).json()) as { state: string };
    assert.equal(state, 'Running');
  });

  it('refuse calls from the page of another origin', async () => {
    const headers = { ...JSON_TYPE, origin: 'http://evil.example' };
    const response = await admin('functions/byHand', { method: 'POST', headers, body: '{}' });
    assert.equal(response.status, 403);
  });

  it('refuse a body that is not JSON, by its type or its text', async () => {
    const byType = await admin('functions/byHand', { method: 'POST', body: '{}' });
    const init = { method: 'POST', headers: JSON_TYPE, body: '{' };
    const byText = await admin('functions/byHand', init);
    assert.deepEqual([byType.status, byText.status], [415, 400]);
  });

  it('answer 404 to paths that they do not have', async () => {
    const paths = ['nothing', 'host/nothing', 'functions/hello/nothing', 'functions/a/b/c', 'host'];
    const statuses = await Promise.all(paths.map(async (path) => (await admin(path)).status));
    assert.deepEqual(statuses, [404, 404, 404, 404, 404]);
  });
});

describe('functions in error on the dev host', function () {
  this.timeout(20_000);

  it('are listed with the reason and harm no other function', async () => {
    const { host, lines } = await openTestApp(appDirOf('bad-bindings'));
    const errors = Object.fromEntries(host.functions.map(({ name, error }) => [name, error]));
    const responses = await Promise.all([
      fetch(`${host.url}/api/same/1`),
      fetch(`${host.url}/api/same/1`, { method: 'POST' }),
      fetch(`${host.url}/api/withBlob`),
      fetch(`${host.url}/admin/functions/onMessage/status`),
    ]);
    const [first, third, blob, status] = await Promise.all(responses.map((each) => each.text()));
    await host.close();

    const notRegistered = (types: string): string =>
      `The binding type(s) '${types}' are not registered. Please ensure the type is correct and the binding extension is installed.`;
    assert.deepEqual(errors, {
      onMessage: notRegistered('queueTrigger'),
      withBlob: notRegistered('blob'),
      taken: undefined,
      taker: "The route specified conflicts with the route defined by function 'taken'.",
      beside: undefined,
      builtIn: 'The specified route conflicts with one or more built in routes.',
      badTimer:
        "The schedule expression 'whenever' was not recognized as a valid cron expression or timespan string.",
    });
    assert.deepEqual([first, third, blob], ['first', 'third', '']);
    assert.deepEqual(JSON.parse(status ?? ''), {
      isEnabled: true,
      errors: [notRegistered('queueTrigger')],
    });
    await lines.next(
      /^The 'onMessage' function is in error: The binding type\(s\) 'queueTrigger' /,
    );
  });
});
