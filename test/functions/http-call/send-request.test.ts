import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Clock } from '../../../src/base/clock.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { sendRequest } from '../../../src/functions/http-call/send-request.ts';
import { createTokenSource } from '../../../src/functions/http-call/token-source.ts';
import type { HttpRequestSpec, HttpResponseInit } from '../../../src/replay/http-call.ts';
import { LoopbackServer } from './loopback.ts';

const never = new AbortController().signal;
const RETRY = { firstRetryIntervalInMilliseconds: 1, maxNumberOfAttempts: 1 };

describe('the request of callHttp', () => {
  let server: LoopbackServer;
  let other: LoopbackServer;
  beforeEach(async () => {
    [server, other] = await Promise.all([LoopbackServer.open(), LoopbackServer.open()]);
  });
  afterEach(() => Promise.all([server.close(), other.close()]));

  function send(
    spec: Partial<HttpRequestSpec> = {},
    clock: Clock = systemClock,
  ): Promise<HttpResponseInit> {
    const tokens = { getToken: () => Promise.resolve('token-1') };
    const request = { method: 'GET', url: `${server.url}/a?key=secret`, headers: {}, ...spec };
    return sendRequest(request, { clock, tokens, signal: never });
  }

  it('gives status, headers as they were written, and content', async () => {
    server.answer((_, response) => {
      response.writeHead(418, [
        ...['X-Tea', 'black', 'x-tea', 'green'],
        ...['Content-Type', 'text/plain; charset="latin1"'],
      ]);
      response.end(Buffer.from([0x54, 0xe9]));
    });

    const response = await send();

    assert.deepEqual([response.statusCode, response.content], [418, 'Té']);
    assert.deepEqual(
      [response.headers['X-Tea'], response.url],
      ['black,green', `${server.url}/a?key=secret`],
    );
  });

  it('sends a body with any method, as text unless its headers say otherwise', async () => {
    await send({ content: 'é' });
    await send({
      ...{ method: 'POST', content: '{}' },
      headers: { 'Content-Type': 'application/json', 'Content-Length': '99' },
    });

    const sent = server.received.map(({ method, body, headers }) => [
      ...[method, body, headers['content-type'], headers['content-length']],
    ]);
    assert.deepEqual(sent, [
      ['GET', 'é', 'text/plain; charset=utf-8', '2'],
      ['POST', '{}', 'application/json', '2'],
    ]);
  });

  it('carries a token in place of an authorization of its own', async () => {
    await send({ headers: { Authorization: 'Basic x' }, tokenSource: { resource: 'https://r' } });

    assert.equal(server.received[0]?.headers.authorization, 'Bearer token-1');
  });

  it('follows redirects, and turns a POST into a GET where browsers do', async () => {
    server.answer(({ path }, response) => {
      const status = Number(path.slice(1));
      if (status === 0) response.end('there');
      else response.writeHead(status, { location: '/0' }).end();
    });
    for (const status of [301, 302, 303, 307, 308]) {
      const url = `${server.url}/${status}`;
      const { content, url: last } = await send({ method: 'POST', content: 'x', url });
      assert.deepEqual([content, last], ['there', `${server.url}/0`]);
    }

    const arrived = server.received.filter(({ path }) => path === '/0');
    assert.deepEqual(
      arrived.map(({ method, body, headers }) => [method, body, headers['content-type']]),
      [
        ...[301, 302, 303].map(() => ['GET', '', undefined]),
        ...[307, 308].map(() => ['POST', 'x', 'text/plain; charset=utf-8']),
      ],
    );
  });

  it('takes no secret along when it is redirected to another origin', async () => {
    server.answer((_, response) => response.writeHead(307, { location: other.url }).end());
    const secrets = { Cookie: 'a=b', 'x-functions-key': 'k', 'Proxy-Authorization': 'p' };

    await send({ headers: { ...secrets, Accept: 'a' }, tokenSource: { resource: 'https://r' } });

    assert.equal(server.received[0]?.headers.authorization, 'Bearer token-1');
    const { headers } = other.received[0] ?? assert.fail('not redirected');
    const names = ['authorization', 'cookie', 'x-functions-key', 'proxy-authorization', 'accept'];
    assert.deepEqual(
      names.map((name) => headers[name]),
      [undefined, undefined, undefined, undefined, 'a'],
    );
  });

  it('gives a redirect that cannot be followed as it is, and ends a circle', async () => {
    server.answer(({ path }, response) => {
      response.writeHead(302, path === '/circle' ? { location: path } : {}).end();
    });

    assert.equal((await send()).statusCode, 302);
    await assert.rejects(send({ url: `${server.url}/circle` }), {
      name: 'HttpRequestException',
      message: `The HTTP server at ${server.url}/circle redirected more than 20 times`,
      isNonRetriable: true,
    });
  });

  it('says which server could not be reached, without the query', async () => {
    const { url } = other;
    await other.close();
    other = await LoopbackServer.open();

    await assert.rejects(send({ url: `${url}/b?key=secret` }), {
      name: 'HttpRequestException',
      message: new RegExp(`^The HTTP server at ${url}/b could not be reached: .*ECONNREFUSED`),
      isNonRetriable: false,
    });
  });

  it('gives up at the deadline of its call, and does not begin after it', async () => {
    server.answer(() => undefined);
    const error = {
      message: `The HTTP server at ${server.url}/a did not answer in time`,
      isNonRetriable: true,
    };

    await assert.rejects(send({ deadlineAt: systemClock.now() + 50 }), error);
    await assert.rejects(send({ deadlineAt: systemClock.now() - 1 }), error);
    assert.equal(server.received.length, 1);
  });

  it('gives up after 100 seconds where its call sets no limit', async () => {
    server.answer(() => undefined);
    const waits: number[] = [];
    const clock: Clock = {
      now: () => 1000,
      sleepUntil: async (atMs) => {
        waits.push(atMs - 1000);
      },
    };

    await assert.rejects(send({}, clock), /did not answer in time/);

    assert.deepEqual(waits, [100_000]);
  });

  it('fails with the statuses that are to be tried again', async () => {
    server.answer(({ path }, response) => response.writeHead(Number(path.slice(1))).end());
    const fails = async (status: number, statusCodesToRetry?: number[]): Promise<boolean> => {
      const retry = { ...RETRY, ...(statusCodesToRetry !== undefined && { statusCodesToRetry }) };
      const url = `${server.url}/${status}`;
      try {
        return (await send({ url, retry })).statusCode !== status;
      } catch (error) {
        const text = `The HTTP server at ${url} answered with status ${status}`;
        assert.equal((error as Error).message, text);
        return true;
      }
    };

    assert.deepEqual(
      [await fails(200), await fails(404), await fails(404, [503]), await fails(503, [503])],
      [false, true, false, true],
    );
  });

  it('refuses multipart answers', async () => {
    server.answer((_, response) => {
      response.writeHead(200, { 'content-type': 'multipart/mixed; boundary=x' }).end('--x');
    });

    await assert.rejects(send(), { message: 'Multipart content is not supported in callHttp' });
  });

  it('refuses answers that are too large to keep', async () => {
    server.answer((_, response) => {
      for (let part = 0; part < 33; part += 1) response.write(Buffer.alloc(1024 * 1024));
      response.end();
    });

    await assert.rejects(send(), { message: 'The answer has more than 33554432 bytes' });
  });
});

const TOKENS = new URL('../support/two-tokens.ts', import.meta.url);

describe('the token source of callHttp', function () {
  this.timeout(20_000);
  let identity: LoopbackServer;
  const { env: saved } = process;
  beforeEach(async () => {
    identity = await LoopbackServer.open();
    process.env = { ...saved };
  });
  afterEach(async () => {
    process.env = saved;
    await identity.close();
  });

  it('asks the identity of the app once, and keeps the token', async () => {
    identity.answer((_, response) => {
      const expiresOn = String(Math.floor(systemClock.now() / 1000) + 86_400);
      const token = { access_token: 'token-2', expires_on: expiresOn, token_type: 'Bearer' };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ ...token, resource: 'https://vault.test' }));
    });

    // The library looks for the endpoint once in a process: other tests of this one have theirs.
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [fileURLToPath(TOKENS), 'https://vault.test'],
      {
        env: {
          ...saved,
          IDENTITY_ENDPOINT: `${identity.url}/token`,
          IDENTITY_HEADER: 'header-1',
          AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
        },
      },
    );

    assert.deepEqual(JSON.parse(stdout), ['token-2', 'token-2']);
    const [asked] = identity.received;
    assert.equal(identity.received.length, 1);
    assert.match(asked?.path ?? '', /[?&]resource=https%3A%2F%2Fvault\.test(&|$)/);
    assert.equal(asked?.headers['x-identity-header'], 'header-1');
  });

  it('says for which resource there is no token', async () => {
    process.env['AZURE_TOKEN_CREDENTIALS'] = 'EnvironmentCredential';
    const tokens = createTokenSource();

    await assert.rejects(tokens.getToken({ resource: 'https://other.test' }, never), {
      name: 'HttpRequestException',
      message: /^No token for https:\/\/other\.test: /,
    });
  });

  it('refuses what is no token source', async () => {
    const tokens = createTokenSource();

    for (const source of [{}, { resource: '' }, { kind: 'Other', resource: 'https://r' }]) {
      await assert.rejects(
        tokens.getToken(source, never),
        /^HttpRequestException: tokenSource must/,
      );
    }
  });
});
