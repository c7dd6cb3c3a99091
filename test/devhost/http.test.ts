import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { appDirOf, openTestApp } from './test-app.ts';
import type { TestApp } from './test-app.ts';

describe('HTTP functions on the dev host', function () {
  this.timeout(20_000);
  let test: TestApp;
  before(async () => {
    const env = { EXTRA_SETTING: 'from the caller', ON_START_SCHEDULE: '0 0 0 1 1 *' };
    const pathAliases = { '/runtime/webhooks/thing': '/api/files' };
    test = await openTestApp(appDirOf('hello-cjs'), { env, pathAliases });
  });
  after(async () => {
    await test.host.close();
  });
  const get = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${test.host.url}${path}`, init);

  it('get the parameters of the route and the query', async () => {
    const response = await get('/api/hello/Tokyo?city=yes');
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { hello: 'Tokyo', city: 'yes' });
    await test.lines.next(/Saying hello to Tokyo/);
  });

  it('may leave out an optional parameter', async () => {
    const response = await get('/api/HELLO');
    assert.deepEqual(await response.json(), { hello: 'world', city: null });
  });

  it('prefer a literal route to a parameter', async () => {
    const response = await get('/api/hello/ada');
    assert.deepEqual(await response.json(), { hello: 'Ada herself' });
  });

  it('get the bytes of the body and answer with status, headers, cookies and bytes', async () => {
    const body = Buffer.from([0, 255, 1, 128]);
    const response = await get('/api/echo', { method: 'POST', body, headers: { 'x-given': 'g' } });
    assert.equal(response.status, 201);
    assert.equal(response.headers.get('x-given'), 'g');
    assert.equal(response.headers.get('content-type'), 'application/octet-stream');
    assert.deepEqual(response.headers.getSetCookie(), [
      'seen=a%20b; max-age=60; path=/; samesite=strict; httponly',
      'other=1',
    ]);
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), body);
  });

  it('see the URL that the client called', async () => {
    const response = await get('/api/where?a=1&a=2');
    const { url, method } = (await response.json()) as Record<string, unknown>;
    assert.deepEqual([url, method], [`${test.host.url}/api/where?a=1&a=2`, 'GET']);
  });

  it('take the rest of the path with a catch-all parameter', async () => {
    const response = await get('/api/files/a/b%20c/d');
    assert.deepEqual(await response.json(), { path: 'a/b c/d' });
  });

  it('are reached through a path alias', async () => {
    const response = await get('/runtime/webhooks/thing/x/y');
    assert.deepEqual(await response.json(), { path: 'x/y' });
  });

  it('answer 204 when the handler returns nothing', async () => {
    const response = await get('/api/silent');
    assert.equal(response.status, 204);
  });

  it('answer 500 with an empty body when the handler throws, and the error is printed', async () => {
    const response = await get('/api/broken');
    assert.equal(response.status, 500);
    assert.equal(await response.text(), '');
    await test.lines.next(/^Exception: the handler is broken/);
  });

  it('answer 404 to a method that they do not declare, and to unknown paths', async () => {
    const wrongMethod = await get('/api/echo');
    const unknown = await get('/api/nothing');
    assert.deepEqual([wrongMethod.status, unknown.status], [404, 404]);
  });

  it('find the settings of the host in the environment and the app as working directory', async () => {
    const response = await get('/api/settings');
    assert.deepEqual(await response.json(), {
      hostname: `localhost:${new URL(test.host.url).port}`,
      root: appDirOf('hello-cjs'),
      environment: 'Development',
      cwd: appDirOf('hello-cjs'),
      extra: 'from the caller',
    });
  });

  it('are run through the invocation hooks, and their lines through the log hooks', async () => {
    const response = await get('/api/hooked');
    assert.equal(await response.text(), 'wrapped result, by pre');
    await test.lines.next(/warning: a \*{6} word/);
  });

  it('refuse a Host header of another name', async () => {
    const refused = await rawGet(test.host.url, 'evil.example');
    const local = await rawGet(test.host.url, 'localhost:1234');
    assert.deepEqual([refused, local], [403, 200]);
  });

  it('are listed with their methods and URLs', () => {
    const { port } = new URL(test.host.url);
    assert.match(
      test.lines.text,
      new RegExp(`\\thello: \\[GET,POST\\] http://localhost:${port}/api/hello/\\{name\\?\\}`),
    );
    assert.match(test.lines.text, /\tnightly: timerTrigger/);
    const hello = test.host.functions.find(({ name }) => name === 'hello');
    assert.deepEqual(hello?.methods, ['GET', 'POST']);
  });
});

describe('an app of ES modules on the dev host', function () {
  this.timeout(20_000);

  it('is served under the route prefix of host.json', async () => {
    const { host } = await openTestApp(appDirOf('hello-esm'));
    const found = await fetch(`${host.url}/v2/hello/Ada`);
    const refused = await fetch(`${host.url}/vx/hello/Ada`);
    await host.close();
    assert.deepEqual(await found.json(), { version: '2', name: 'Ada', first: 'index' });
    assert.equal(refused.status, 404);
  });
});

async function rawGet(url: string, host: string): Promise<number | undefined> {
  const sent = request(`${url}/api/hello`, { headers: { host } }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}
