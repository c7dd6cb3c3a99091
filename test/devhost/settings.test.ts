import assert from 'node:assert/strict';
import { openTestApp, PLAIN_APP, TempApp } from './test-app.ts';

const CODE = `
const { app } = require('@azure/functions');
app.get('settings', async () => ({
  jsonBody: ['FROM_FILE', 'FROM_ENV', 'FROM_CALLER'].map((name) => process.env[name]),
}));
`;
const VALUES = { FROM_FILE: 'file', FROM_ENV: 'file', FROM_CALLER: 'file' };
const SETTINGS = JSON.stringify({
  IsEncrypted: false,
  Values: VALUES,
  Host: { CORS: 'http://page.example', CORSCredentials: true },
});

describe('settings of an app on the dev host', function () {
  this.timeout(20_000);
  let app: TempApp;
  before(() => {
    app = new TempApp({ ...PLAIN_APP, 'index.js': CODE, 'local.settings.json': SETTINGS });
  });
  after(() => {
    app.remove();
  });

  it('come from the caller, then the environment, then local.settings.json', async () => {
    process.env['FROM_ENV'] = 'environment';
    process.env['FROM_CALLER'] = 'environment';
    const { host, lines } = await openTestApp(app.dir, { env: { FROM_CALLER: 'caller' } });
    delete process.env['FROM_ENV'];
    delete process.env['FROM_CALLER'];
    const response = await fetch(`${host.url}/api/settings`);
    await host.close();

    assert.deepEqual(await response.json(), ['file', 'environment', 'caller']);
    assert.match(lines.text, /Skipping 'FROM_ENV' from local settings as it's already defined/);
    assert.doesNotMatch(lines.text, /Skipping 'FROM_CALLER'/);
  });

  it('say which pages of other origins may call the functions', async () => {
    const { host } = await openTestApp(app.dir);
    const url = `${host.url}/api/settings`;
    const origin = 'http://page.example';
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'x-a',
      },
    });
    const allowed = await fetch(url, { headers: { origin } });
    const other = await fetch(url, { headers: { origin: 'http://other.example' } });
    await host.close();

    const header = (response: Response, name: string): string | null =>
      response.headers.get(`access-control-allow-${name}`);
    assert.equal(preflight.status, 204);
    assert.deepEqual(
      ['origin', 'credentials', 'methods', 'headers'].map((name) => header(preflight, name)),
      [origin, 'true', 'GET', 'x-a'],
    );
    assert.deepEqual([header(allowed, 'origin'), header(other, 'origin')], [origin, null]);
  });

  it('are read by modules that are preloaded after the core and before the app', async () => {
    const preload = new TempApp({
      'preload.mjs': `
        import { createRequire } from 'node:module';
        const core = createRequire(import.meta.url)('@azure/functions-core');
        const register = core.registerFunction;
        core.registerFunction = (metadata, callback) => {
          console.log('registering ' + metadata.name + ' with ' + process.env.FROM_FILE);
          return register(metadata, callback);
        };`,
    });
    const preloads = [`file://${preload.dir}/preload.mjs`];
    const { host, lines } = await openTestApp(app.dir, { preloads });
    await host.close();
    preload.remove();
    assert.match(lines.text, /^registering settings with file$/m);
  });
});
