import assert from 'node:assert/strict';
import azureFunctions from '@azure/functions';
import { isSignatureValid } from '../../../src/functions/management/link-signature.ts';
import { createLinks } from '../../../src/functions/management/links.ts';
import type { LinkOptions } from '../../../src/functions/management/links.ts';

const SECRET = 'a secret of thirty-two characters';
const OPTIONS: LinkOptions = {
  http: { routePrefix: 'api', usesForwardedHost: false, ownOrigin: 'http://localhost:7071' },
  taskHub: 'hub',
  connectionName: 'CONN',
  secrets: { secret: undefined, ttlMs: 60_000 },
  now: 1_000_000,
};
const SIGNED = { ...OPTIONS, secrets: { secret: SECRET, ttlMs: 60_000 } };

function requestWith(headers: Record<string, string>, url = 'https://app.net/api/start') {
  return new azureFunctions.HttpRequest({
    method: 'POST',
    url,
    headers,
    query: Object.fromEntries(new URL(url).searchParams),
  });
}

describe('createLinks', () => {
  it('leaves the placeholders of event name and reason to the caller', () => {
    const links = createLinks('abc', OPTIONS);

    assert.equal(
      links.sendEventPostUri,
      'http://localhost:7071/api/durabletask/instances/abc/raiseEvent/{eventName}?taskHub=hub&connection=CONN',
    );
    assert.equal(
      links.terminatePostUri,
      'http://localhost:7071/api/durabletask/instances/abc/terminate?reason={text}&taskHub=hub&connection=CONN',
    );
  });

  it('follows an empty route prefix', () => {
    const options = { ...OPTIONS, http: { ...OPTIONS.http, routePrefix: '' } };

    const { statusQueryGetUri } = createLinks('abc', options);

    assert.ok(statusQueryGetUri.startsWith('http://localhost:7071/durabletask/instances/abc?'));
  });

  it('points where the request came to', () => {
    const { statusQueryGetUri } = createLinks('abc', { ...OPTIONS, request: requestWith({}) });

    assert.ok(statusQueryGetUri.startsWith('https://app.net/api/durabletask/'));
  });

  it('ignores forwarded hosts unless they are to be used', () => {
    const request = requestWith({
      'x-forwarded-host': 'public.example, inner',
      'x-forwarded-proto': 'https',
    });
    const trusting = { ...OPTIONS, http: { ...OPTIONS.http, usesForwardedHost: true } };

    const origins = [OPTIONS, trusting].map(
      (options) => new URL(createLinks('abc', { ...options, request }).statusQueryGetUri).origin,
    );

    assert.deepEqual(origins, ['https://app.net', 'https://public.example']);
  });

  it("hands the caller's own host key back to the caller", () => {
    const inQuery = requestWith({}, 'https://app.net/api/start?code=k%2Fey');
    const inHeader = requestWith({ 'x-functions-key': 'k/ey' });

    for (const request of [inQuery, inHeader]) {
      const { statusQueryGetUri } = createLinks('abc', { ...SIGNED, request });
      const url = new URL(statusQueryGetUri);
      assert.equal(url.searchParams.get('code'), 'k/ey');
      assert.equal(url.searchParams.get('sig'), null);
      assert.equal(url.pathname, '/api/durabletask/instances/abc');
    }
  });

  it('signs each operation by itself when there is a secret and no host key', () => {
    const links = createLinks('abc', { ...SIGNED, request: requestWith({}) });

    for (const [operation, link] of [
      ['status', links.statusQueryGetUri],
      ['terminate', links.terminatePostUri],
      ['raiseevent', links.sendEventPostUri],
    ] as const) {
      const url = new URL(link);
      const signature = {
        sig: url.searchParams.get('sig') ?? '',
        se: url.searchParams.get('se') ?? '',
      };
      const scope = { taskHub: 'hub', instanceId: 'abc', operation };
      assert.ok(url.pathname.startsWith('/api/durabletask-signed/instances/abc'));
      assert.ok(isSignatureValid(scope, signature, { secret: SECRET, now: SIGNED.now + 59_000 }));
    }
  });
});
