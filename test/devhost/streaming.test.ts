import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { appDirOf, openTestApp } from './test-app.ts';
import type { TestApp } from './test-app.ts';

describe('HTTP streaming on the dev host', function () {
  this.timeout(20_000);
  let test: TestApp;
  before(async () => {
    test = await openTestApp(appDirOf('streaming'));
  });
  after(async () => {
    await test.host.close();
  });

  it('passes each part on before the next is sent', async () => {
    const url = `${test.host.url}/api/upper/7?tone=loud`;
    const sent = request(url, { method: 'POST', headers: { 'x-given': 'g' } });
    sent.write('one');
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const parts = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const first = await parts.next();
    sent.end('two');
    const second = await parts.next();
    const end = await parts.next();

    assert.equal(response.statusCode, 202);
    const { headers } = response;
    assert.deepEqual([headers['x-id'], headers['x-tone'], headers['x-given']], ['7', 'loud', 'g']);
    assert.deepEqual(headers['set-cookie'], ['c=v']);
    assert.deepEqual([String(first.value), String(second.value), end.done], ['ONE', 'TWO', true]);
  });

  it('answers 204 when a streaming handler returns nothing', async () => {
    const response = await fetch(`${test.host.url}/api/silent`);
    assert.equal(response.status, 204);
  });

  it('answers 500 when a streaming handler throws before it answered', async () => {
    const response = await fetch(`${test.host.url}/api/broken`);
    assert.deepEqual([response.status, await response.text()], [500, '']);
    await test.lines.next(/^Exception: the streaming handler is broken/);
  });

  it('breaks the response off when the stream of the app fails halfway', async () => {
    const sent = request(`${test.host.url}/api/halfway`, { method: 'POST' });
    sent.write('one');
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    await once(response, 'data');
    const broken = once(response, 'error');
    sent.end();
    await broken;
    await test.lines.next(/^Exception: the stream is broken/);
  });

  it('goes on when clients break off while they send or receive', async () => {
    const url = `${test.host.url}/api/upper/7`;
    const sending = request(url, { method: 'POST' });
    sending.write('one');
    const [response] = (await once(sending, 'response')) as [IncomingMessage];
    const broken = once(response, 'error');
    sending.destroy();
    await broken;

    const next = await fetch(url, { method: 'POST', body: 'two' });
    assert.equal(await next.text(), 'TWO');
  });

  it('serves a function that is fired by hand', async () => {
    const response = await fetch(`${test.host.url}/admin/functions/logged`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ input: { a: 1 } }),
    });
    assert.equal(response.status, 202);
    await test.lines.next(/logged got \{"a":1\}/);
  });
});
