import assert from 'node:assert/strict';
import type { AccessToken } from '../../src/client/credential.ts';
import { createTokenProvider, type TokenProvider } from '../../src/client/token-provider.ts';
import { settle } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';

const HOUR_MS = 3_600_000;

/** A credential whose answers a test gives one by one. */
class ScriptedCredential {
  readonly asked: PromiseWithResolvers<AccessToken | null>[] = [];
  readonly scopes: unknown[] = [];

  getToken(scope: unknown): Promise<AccessToken | null> {
    this.scopes.push(scope);
    const answer = Promise.withResolvers<AccessToken | null>();
    this.asked.push(answer);
    return answer.promise;
  }
}

describe('token provider', () => {
  let clock: ManualClock;
  let credential: ScriptedCredential;
  let provider: TokenProvider;
  beforeEach(() => {
    clock = new ManualClock();
    credential = new ScriptedCredential();
    const identity = { authentication: 'ManagedIdentity', clientId: 'c1' } as const;
    const made = createTokenProvider({ identity, credential, clock });
    assert.ok(made);
    provider = made;
  });

  const get = (signal?: AbortSignal): Promise<string> => provider.getToken({ signal });
  const answer = (index: number, token: string, livesMs = HOUR_MS): void =>
    credential.asked[index]?.resolve({ token, expiresOnTimestamp: clock.now() + livesMs });

  it('asks for a token of the product once, however many calls wait for it', async () => {
    const calls = [get(), get(), get()];
    await settle();
    answer(0, 't1');

    assert.deepEqual(await Promise.all(calls), ['t1', 't1', 't1']);
    assert.equal(await get(), 't1');
    assert.deepEqual(credential.scopes, ['https://durabletask.io/.default']);
  });

  it('asks for a new one five minutes before the end, and nobody waits for it', async () => {
    const first = get();
    await settle();
    answer(0, 't1');
    await first;

    clock.advance(HOUR_MS - 300_000 - 1);
    assert.equal(await get(), 't1');
    assert.equal(credential.asked.length, 1);
    clock.advance(1);
    assert.equal(await get(), 't1');
    await settle();
    assert.equal(credential.asked.length, 2);
    answer(1, 't2');
    await settle();

    assert.equal(await get(), 't2');
  });

  it('keeps using a token that counts when no new one can be had', async () => {
    const first = get();
    await settle();
    answer(0, 't1');
    await first;
    clock.advance(HOUR_MS - 200_000);
    await get();
    await settle();
    credential.asked[1]?.reject(new Error('away'));
    await settle();

    assert.equal(await get(), 't1');
    assert.equal(credential.asked.length, 2, 'not at every call');
    clock.advance(195_000);
    const last = get();
    await settle();
    credential.asked[2]?.reject(new Error('still away'));

    await assert.rejects(last, { code: 'UNAUTHENTICATED', message: /still away/ });
  });

  it('lets a caller go that gives up, and the others wait on', async () => {
    const giveUp = new AbortController();
    const impatient = get(giveUp.signal);
    const patient = get();
    giveUp.abort(new Error('no time'));

    await assert.rejects(impatient, { message: 'no time' });
    await settle();
    answer(0, 't1');
    assert.equal(await patient, 't1');
  });

  it('names the keys of the connection string when there is no token', async () => {
    const none = get();
    await settle();
    credential.asked[0]?.resolve(null);

    await assert.rejects(none, {
      code: 'UNAUTHENTICATED',
      message:
        'Authentication=ManagedIdentity gave no token (check "ClientID=c1" of the connection string): the credential has none',
    });
  });

  for (const failure of [{ statusCode: 503 }, { statusCode: 429 }, { code: 'ECONNREFUSED' }]) {
    it(`takes ${JSON.stringify(failure)} for something that passes`, async () => {
      const failed = get();
      await settle();
      credential.asked[0]?.reject(Object.assign(new Error('busy'), failure));

      await assert.rejects(failed, { code: 'UNAVAILABLE', message: /busy/ });
    });
  }

  it('is not needed without authentication', () => {
    const identity = { authentication: 'None' } as const;
    assert.equal(createTokenProvider({ identity, clock }), undefined);
  });
});
