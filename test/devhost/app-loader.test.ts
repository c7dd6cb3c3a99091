import assert from 'node:assert/strict';
import { loadApp } from '../../src/devhost/app-loader.ts';
import { createCoreState } from '../../src/devhost/core-module.ts';
import { PLAIN_APP, TempApp } from './test-app.ts';

type Files = Readonly<Record<string, string>>;

const loaded = globalThis as { loadedByTest?: string[] };

/** A file that says that it was loaded. */
const says = (name: string): string => `globalThis.loadedByTest.push('${name}');`;

async function load(files: Files): Promise<readonly string[]> {
  const app = new TempApp(files);
  loaded.loadedByTest = [];
  try {
    await loadApp(app.dir, createCoreState());
    return loaded.loadedByTest;
  } finally {
    delete loaded.loadedByTest;
    app.remove();
  }
}

describe('app loader', () => {
  it('loads what main matches, shallow files first, then by name', async () => {
    const order = await load({
      'package.json': '{"main":"dist/{index.js,functions/*.js}"}',
      'dist/functions/b.js': says('b'),
      'dist/functions/a.js': says('a'),
      'dist/functions/text.txt': 'no code',
      'dist/index.js': says('index'),
    });
    assert.deepEqual(order, ['index', 'a', 'b']);
  });

  it('takes the kind of module from the extension, then from the type of the package', async () => {
    const esm = (name: string): string => `import 'node:fs'; ${says(name)}`;
    const common = (name: string): string => `require('node:fs'); ${says(name)}`;
    const files = { 'f/a.mjs': esm('mjs'), 'f/b.cjs': common('cjs') };
    const main = '"main":"f/*"';
    assert.deepEqual(
      await load({ ...files, 'package.json': `{${main}}`, 'f/c.js': common('js') }),
      ['mjs', 'cjs', 'js'],
    );
    assert.deepEqual(
      await load({ ...files, 'package.json': `{${main},"type":"module"}`, 'f/c.js': esm('js') }),
      ['mjs', 'cjs', 'js'],
    );
  });

  it('names the entry point that fails, with the cause', async () => {
    const broken = { ...PLAIN_APP, 'index.js': `throw new Error('no');` };
    await assert.rejects(load(broken), (error: Error) => {
      assert.equal(error.message, 'Worker was unable to load entry point "index.js": no');
      assert.equal((error.cause as Error).message, 'no');
      return true;
    });
  });

  const cases: readonly [string, Files, RegExp][] = [
    ['there is no package.json', {}, /package\.json cannot be read\. .*or create it/],
    ['package.json is not JSON', { 'package.json': '{' }, /package\.json is not valid JSON/],
    ['there is no main', { 'package.json': '{}' }, /package\.json has no "main": set it/],
    ['main is not there', PLAIN_APP, /"index\.js": File does not exist\. Build the app/],
    [
      'main matches nothing',
      { 'package.json': '{"main":"dist/*.js"}' },
      /"dist\/\*\.js": Found zero files matching the supplied pattern\. Build the app/,
    ],
  ];
  for (const [what, files, message] of cases) {
    it(`says what to do when ${what}`, async () => {
      await assert.rejects(load(files), { message });
    });
  }
});
