import assert from 'node:assert/strict';
import {
  TokenVerifier,
  type TokenVerifierOptions,
} from '../../../src/server/auth/token-verifier.ts';
import { nextLoop } from '../../../src/base/yield.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { AUDIENCE, OidcIssuer } from '../../support/oidc-issuer.ts';
import { RecordedLog } from '../support/grpc-fixture.ts';

const SKEW_MS = 60_000;

describe('token verifier', () => {
  let issuer: OidcIssuer;
  let clock: ManualClock;
  let log: RecordedLog;
  beforeEach(async () => {
    issuer = await OidcIssuer.open();
    clock = new ManualClock(Date.now());
    log = new RecordedLog();
  });
  afterEach(() => {
    issuer.close();
  });

  const open = (options: Partial<TokenVerifierOptions> = {}): TokenVerifier =>
    new TokenVerifier({
      ...{ issuers: [issuer.url], audiences: [AUDIENCE], clockSkewMs: SKEW_MS },
      ...{ clock, logger: log },
      ...options,
    });

  it('tells who the token is of, and until when it counts', async () => {
    const expiresAt = (Math.floor(clock.now() / 1_000) + 600) * 1_000;
    const token = await issuer.token({
      expiresAt,
      claims: { oid: 'o', sub: 's', preferred_username: 'ana@x', groups: ['g'], roles: 'One' },
    });

    assert.deepEqual(await open().verify(token), {
      issuer: issuer.url,
      principal: 'o',
      displayName: 'ana@x',
      groups: ['g'],
      appRoles: ['One'],
      hasGroupOverage: false,
      expiresAt: expiresAt + SKEW_MS,
    });
  });

  it('tolerates clocks that differ, up to the skew', async () => {
    const verifier = open();
    const token = await issuer.token({ expiresAt: clock.now() + 10_000 });

    clock.advance(10_000 + SKEW_MS - 2_000);
    await verifier.verify(token);
    clock.advance(4_000);

    await assert.rejects(verifier.verify(token), {
      code: 'UNAUTHENTICATED',
      message: /expired at/,
    });
  });

  it('refuses a token that does not count yet, or that never expires', async () => {
    const nbf = Math.floor(clock.now() / 1_000) + 120;
    const early = await issuer.token({ claims: { nbf } });
    const eternal = await issuer.token({ claims: { exp: undefined } });
    const nobody = await issuer.token({ claims: { sub: undefined } });

    await assert.rejects(open().verify(early), { message: /does not count yet/ });
    await assert.rejects(open().verify(eternal), { message: /no expiry/ });
    await assert.rejects(open().verify(nobody), { message: /names nobody/ });
  });

  it('refuses a token that is signed with a secret, or not at all', async () => {
    const encode = (value: unknown): string =>
      Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iss: issuer.url, aud: AUDIENCE, sub: 's', exp: 9_999_999_999 };
    for (const alg of ['none', 'HS256']) {
      const token = `${encode({ alg, kid: 'key1' })}.${encode(claims)}.`;
      await assert.rejects(open().verify(token), { code: 'UNAUTHENTICATED' }, alg);
    }
  });

  it('asks the issuer once for many tokens, and once more for a new key', async () => {
    const verifier = open();
    for (const sub of ['a', 'b']) await verifier.verify(await issuer.token({ claims: { sub } }));
    assert.equal(issuer.requests.length, 2);

    await issuer.rotate();
    const unknown = await issuer.token();
    // jose asks at most every 30 s of real time for a key that it has not seen.
    await assert.rejects(verifier.verify(unknown), { message: /key that its issuer .* publish/ });
    clock.advance(10 * 60_000);

    assert.equal(await until(verifier, unknown, 'accepted'), 'accepted');
  });

  it('checks a remembered token again after a while, in case its key was withdrawn', async () => {
    const verifier = open();
    const token = await issuer.token({ expiresAt: clock.now() + 3_600_000 });
    await verifier.verify(token);
    await issuer.rotate({ withdraw: true });

    await verifier.verify(token);
    clock.advance(11 * 60_000);
    await verifier.verify(token); // the keys are fetched again in the background
    clock.advance(6 * 60_000);

    assert.equal(await until(verifier, token, 'UNAUTHENTICATED', clock), 'UNAUTHENTICATED');
  });

  it('blames nobody while the issuer is away, and asks it only now and then', async () => {
    issuer.isUp = false;
    const verifier = open();
    const token = await issuer.token();

    for (let count = 0; count < 3; count += 1) {
      await assert.rejects(verifier.verify(token), {
        code: 'UNAVAILABLE',
        message: /does not answer/,
      });
    }
    assert.equal(issuer.requests.length, 1);
    issuer.isUp = true;
    clock.advance(5_000);

    assert.equal((await verifier.verify(token)).principal, 'somebody');
    assert.deepEqual(
      log.lines.map(({ level }) => level),
      ['error'],
    );
  });

  it('refuses the metadata of another issuer', async () => {
    const url = issuer.url.replace('/v2.0', '');

    await assert.rejects(
      open({ issuers: [url] }).verify(await issuer.token({ claims: { iss: url } })),
      {
        code: 'UNAVAILABLE',
      },
    );
    assert.match(String(log.lines[0]?.fields['error']), /metadata of another issuer/);
  });

  it('keeps tokens out of its log and its errors', async () => {
    const token = await issuer.token({ claims: { aud: 'x' } });
    const [, payload = ''] = token.split('.');
    issuer.isUp = false;
    const failure = (): Promise<string> =>
      open()
        .verify(token)
        .then(() => '', String);
    const texts = [await failure()];
    issuer.isUp = true;
    texts.push(await failure(), JSON.stringify(log.lines));

    assert.ok(!texts.join('\n').includes(payload));
  });
});

/** Keys arrive in the background: asks again until the token fares as wanted, or for long enough. */
async function until(
  verifier: TokenVerifier,
  token: string,
  wanted: string,
  clock?: ManualClock,
): Promise<string> {
  let outcome = '';
  for (let attempt = 0; outcome !== wanted && attempt < 2_000; attempt += 1) {
    outcome = await verifier.verify(token).then(
      () => 'accepted',
      (error: unknown) => (error as { readonly code: string }).code,
    );
    if (outcome === 'accepted') clock?.advance(1_000);
    await nextLoop();
  }
  return outcome;
}
