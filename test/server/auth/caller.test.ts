import assert from 'node:assert/strict';
import { callerOf, type Claims } from '../../../src/server/auth/caller.ts';
import { entraIssuers } from '../../../src/server/auth/entra.ts';

const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const of = (claims: Claims) => callerOf(claims, { issuer: 'i', expiresAt: 0 });

describe('caller', () => {
  it('is the object id of Entra ID, or else the subject', () => {
    assert.equal(of({ oid: 'o', sub: 's' })?.principal, 'o');
    assert.equal(of({ sub: 's' })?.principal, 's');
    assert.equal(of({ oid: '', sub: '' }), undefined);
  });

  it('has a name for people in tokens of users and of applications', () => {
    assert.equal(of({ oid: 'o', upn: 'ana@x' })?.displayName, 'ana@x'); // v1, user
    assert.equal(of({ oid: 'o', preferred_username: 'ana@x' })?.displayName, 'ana@x'); // v2, user
    assert.equal(of({ oid: 'o', appid: 'app' })?.displayName, 'app'); // v1, application
    assert.equal(of({ oid: 'o', azp: 'app' })?.displayName, 'app'); // v2, application
    assert.equal(of({ oid: 'o' })?.displayName, 'o');
  });

  it('says when its groups were too many for the token', () => {
    const links = { _claim_names: { groups: 'src1' }, _claim_sources: { src1: {} } };

    assert.equal(of({ oid: 'o', ...links })?.hasGroupOverage, true);
    assert.equal(of({ oid: 'o', hasgroups: true })?.hasGroupOverage, true);
    assert.equal(of({ oid: 'o', groups: ['g'] })?.hasGroupOverage, false);
  });
});

describe('issuer of Entra ID', () => {
  const v2 = `https://login.microsoftonline.com/${TENANT}/v2.0`;
  const v1 = `https://sts.windows.net/${TENANT}/`;

  it('signs tokens under two names, and either one means both', () => {
    assert.deepEqual(entraIssuers(v2), [v2, v1]);
    assert.deepEqual(entraIssuers(v1), [v2, v1]);
  });

  it('is nobody else', () => {
    assert.deepEqual(entraIssuers('https://issuer.example/tenant/v2.0'), []);
    assert.deepEqual(entraIssuers('https://login.microsoftonline.com/'), []);
  });
});
