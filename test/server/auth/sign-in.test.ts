import assert from 'node:assert/strict';
import { SignIn } from '../../../src/server/auth/sign-in.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { OidcIssuer } from '../../support/oidc-issuer.ts';
import { SigningIn } from '../../support/signing-in.ts';

describe('sign-in of people', () => {
  let issuer: OidcIssuer;
  beforeEach(async () => {
    issuer = await OidcIssuer.open();
  });
  afterEach(() => {
    issuer.close();
  });

  function open(clientId: string | undefined, clock = new ManualClock()): SignIn {
    const config = {
      authIssuers: [issuer.url],
      signInClientId: clientId,
      signInScopes: ['openid'],
    };
    return new SignIn(config, clock);
  }

  it('names the endpoints that the issuer names, which it asks now and then', async () => {
    new SigningIn(issuer, { clientId: 'x', redirectUri: () => 'http://localhost/signin' });
    const clock = new ManualClock();
    const signIn = open('x', clock);
    const endpoints = {
      ...{ issuer: issuer.url, clientId: 'x', scopes: ['openid'] },
      authorizationEndpoint: `${issuer.url}/authorize`,
      tokenEndpoint: `${issuer.url}/token`,
    };
    assert.deepEqual(await signIn.endpoints(), endpoints);
    await signIn.endpoints();
    assert.equal(issuer.requests.length, 1);
    assert.equal(await signIn.tokenOrigin(), new URL(issuer.url).origin);
    clock.advance(11 * 60_000);
    await signIn.endpoints();
    assert.equal(issuer.requests.length, 2);
  });

  it('needs a client', async () => {
    const signIn = open(undefined);
    assert.ok(signIn.isRequired);
    assert.equal(await signIn.endpoints(), undefined);
    assert.equal(await signIn.tokenOrigin(), undefined);
    assert.deepEqual(issuer.requests, []);
  });

  it('says that the issuer is away, or has nothing for people, and asks again a while later', async () => {
    const clock = new ManualClock();
    const signIn = open('x', clock);
    issuer.isUp = false;
    await assert.rejects(signIn.endpoints(), {
      code: 'UNAVAILABLE',
      message: /^Nobody can sign in now: GET .* answered 503; the issuer is http/,
    });
    assert.equal(await signIn.tokenOrigin(), undefined);
    assert.equal(issuer.requests.length, 1, 'not asked again at once');
    issuer.isUp = true;
    clock.advance(5_000);
    await assert.rejects(signIn.endpoints(), { message: /names no authorization_endpoint/ });
    clock.advance(5_000);
    new SigningIn(issuer, { clientId: 'x', redirectUri: () => 'http://localhost/signin' });
    assert.equal((await signIn.endpoints())?.clientId, 'x');
  });
});
