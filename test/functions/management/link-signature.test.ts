import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isSignatureValid, signLink } from '../../../src/functions/management/link-signature.ts';

const SCOPE = { taskHub: 'hub', instanceId: 'abc', operation: 'status' };
const SECRET = 'a secret of thirty-two characters';
const SIGNATURE = signLink(SCOPE, { secret: SECRET, expiresAt: 10_000 });
const NOW = { secret: SECRET, now: 9_999 };

describe('isSignatureValid', () => {
  it('accepts what was signed, for any scope', () => {
    const scopes = fc.record({
      taskHub: fc.string(),
      instanceId: fc.string(),
      operation: fc.string(),
    });
    fc.assert(
      fc.property(scopes, (scope) => {
        const signature = signLink(scope, { secret: SECRET, expiresAt: 10_000 });
        assert.ok(isSignatureValid(scope, signature, NOW));
      }),
    );
  });

  it('refuses another instance, operation or hub', () => {
    const others = [
      { ...SCOPE, instanceId: 'abd' },
      { ...SCOPE, operation: 'terminate' },
      { ...SCOPE, taskHub: 'other' },
    ].filter((scope) => isSignatureValid(scope, SIGNATURE, NOW));

    assert.deepEqual(others, []);
  });

  it('refuses a link after its expiry', () => {
    assert.ok(!isSignatureValid(SCOPE, SIGNATURE, { secret: SECRET, now: 10_000 }));
  });

  it('refuses an expiry that was moved', () => {
    assert.ok(!isSignatureValid(SCOPE, { ...SIGNATURE, se: '9999999999' }, NOW));
  });

  it('refuses another secret', () => {
    assert.ok(!isSignatureValid(SCOPE, SIGNATURE, { ...NOW, secret: `${SECRET}!` }));
  });

  it('refuses what is no signature', () => {
    const wrong = [
      { sig: '', se: SIGNATURE.se },
      { sig: `${SIGNATURE.sig}x`, se: SIGNATURE.se },
      { sig: SIGNATURE.sig, se: '' },
      { sig: SIGNATURE.sig, se: 'never' },
    ].filter((signature) => isSignatureValid(SCOPE, signature, NOW));

    assert.deepEqual(wrong, []);
  });
});
