import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const REGISTER = new URL('../../src/register/register.ts', import.meta.url).href;

/** Runs node with the preload; what the program prints is JSON. */
function run(...args: readonly string[]): unknown {
  const text = execFileSync(process.execPath, ['--import', REGISTER, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(text);
}

function runFixture(name: string): unknown {
  return run(fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url)));
}

/** Says whether a file of the given place gets our copy: only ours has `DurableClient`. */
function isRedirectedFor(place: string): unknown {
  const from = new URL(place, import.meta.url).href;
  const script = `
    import { createRequire } from 'node:module';
    const df = createRequire('${from}')('durable-functions');
    console.log(JSON.stringify('DurableClient' in df));
  `;
  return run('--input-type=module', '-e', script);
}

/** Ours has a `DurableClient` at run time; the same module came by every way; its values are there. */
const OURS = ['function', true, 'Running'];

describe('the preload', function () {
  this.timeout(20_000);

  it('redirects require in a CommonJS app', () => {
    assert.deepEqual(runFixture('commonjs.cjs'), OURS);
  });

  it('redirects import in an ES module app, named, default and namespace', () => {
    assert.deepEqual(runFixture('module.mjs'), OURS);
  });

  it('redirects a dynamic import in CommonJS to the same module', () => {
    assert.deepEqual(runFixture('dynamic.cjs'), OURS);
  });

  it('redirects TypeScript that was compiled to CommonJS', () => {
    assert.deepEqual(runFixture('compiled.cjs'), OURS);
  });

  it('redirects TypeScript that node runs itself', () => {
    assert.deepEqual(runFixture('typed.mts'), OURS);
  });

  it('leaves the original to this package and to that package itself', () => {
    assert.equal(isRedirectedFor('../../src/functions/app.ts'), false);
    assert.equal(isRedirectedFor('../../node_modules/durable-functions/lib/src/index.js'), false);
    assert.equal(isRedirectedFor('./redirect.test.ts'), true);
  });

  it('loads nothing before an app asks for durable-functions', () => {
    const script = `
      import { createRequire } from 'node:module';
      const loaded = Object.keys(createRequire(import.meta.url).cache);
      console.log(JSON.stringify(loaded.filter((file) => file.includes('node_modules'))));
    `;

    assert.deepEqual(run('--input-type=module', '-e', script), []);
  });
});
