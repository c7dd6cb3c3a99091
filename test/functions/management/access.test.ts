import assert from 'node:assert/strict';
import { readManagementAccess } from '../../../src/functions/management/access.ts';

const SECRET = 'a secret of thirty-two characters';

describe('readManagementAccess', () => {
  it('keeps the routes off where nothing would protect them', () => {
    const { hasKeyRoutes, secret } = readManagementAccess({});

    assert.deepEqual({ hasKeyRoutes, secret }, { hasKeyRoutes: false, secret: undefined });
  });

  it('has the key routes in development and on hosts that enforce keys', () => {
    const environments = [
      { AZURE_FUNCTIONS_ENVIRONMENT: 'Development' },
      { WEBSITE_INSTANCE_ID: '1' },
      { WEBSITE_SITE_NAME: 'app', CONTAINER_NAME: '1' },
      { CONTAINER_APP_NAME: 'app' },
      { DURABLETASK_MANAGEMENT_ENDPOINTS: 'on' },
    ];

    assert.deepEqual(
      environments.map((env) => readManagementAccess(env).hasKeyRoutes),
      environments.map(() => true),
    );
  });

  it('has only signed routes where only a secret protects them', () => {
    const { hasKeyRoutes, secret } = readManagementAccess({
      DURABLETASK_MANAGEMENT_SECRET: SECRET,
    });

    assert.deepEqual({ hasKeyRoutes, secret }, { hasKeyRoutes: false, secret: SECRET });
  });

  it('can be switched off everywhere', () => {
    const { hasKeyRoutes, secret } = readManagementAccess({
      AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
      DURABLETASK_MANAGEMENT_ENDPOINTS: 'off',
      DURABLETASK_MANAGEMENT_SECRET: SECRET,
    });

    assert.deepEqual({ hasKeyRoutes, secret }, { hasKeyRoutes: false, secret: undefined });
  });

  it('refuses a short secret without showing it', () => {
    assert.throws(
      () => readManagementAccess({ DURABLETASK_MANAGEMENT_SECRET: 'hunter2' }),
      (error: Error) => error.message.includes('at least 32') && !error.message.includes('hunter2'),
    );
  });

  it('takes the life of signed links from a setting', () => {
    const env = { DURABLETASK_MANAGEMENT_LINK_SECONDS: '60' };

    assert.equal(readManagementAccess(env).linkTtlMs, 60_000);
    assert.equal(readManagementAccess({}).linkTtlMs, 86_400_000);
  });
});
