/** The package as users get it: packed, installed into an empty project, loaded both ways, run. */
import assert from 'node:assert/strict';
import ts from 'typescript';
import { installPacked, startCommand, type Installed } from './support/installed.ts';
import { problemsOfTemplateApp } from './support/template-app.ts';

const ENTRIES = ['', '/client', '/worker', '/scheduler', '/register', '/testing'];

describe('packed package', () => {
  let project: Installed;

  before(() => {
    project = installPacked('package');
  });

  after(() => {
    project.remove();
  });

  const run = (...args: readonly string[]): string => project.run(...args);

  for (const entry of ENTRIES) {
    it(`loads durabletask-scheduler${entry} by import and by require`, () => {
      const name = `durabletask-scheduler${entry}`;
      const imported = run(
        '--input-type=module',
        '-e',
        `console.log(typeof (await import('${name}')))`,
      );
      const required = run('--input-type=commonjs', '-e', `console.log(typeof require('${name}'))`);
      assert.deepEqual({ imported, required }, { imported: 'object', required: 'object' });
    });
  }

  it('has declarations for an app with the options of the Functions templates', () => {
    const options = {
      module: ts.ModuleKind.CommonJS,
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- what the templates come to
      moduleResolution: ts.ModuleResolutionKind.Node10,
      target: ts.ScriptTarget.ES2015,
      strict: false,
      esModuleInterop: false,
    };

    assert.deepEqual(problemsOfTemplateApp(project.dir, options), []);
  });

  it('has declarations for a CommonJS app whose compiler thinks of Node 16', () => {
    const options = { module: ts.ModuleKind.Node16, target: ts.ScriptTarget.ES2022, strict: false };

    assert.deepEqual(problemsOfTemplateApp(project.dir, options), []);
  });

  it('exports at least the run-time names of durable-functions', () => {
    const missing = run(
      '--input-type=commonjs',
      '-e',
      `const theirs = Object.keys(require('durable-functions'));
       const ours = require('durabletask-scheduler');
       console.log(JSON.stringify(theirs.filter((name) => ours[name] === undefined)));`,
    );
    assert.equal(missing, '[]');
  });

  it('loads neither server, storage nor a database driver with the main entry', () => {
    const loaded = run(
      '--input-type=commonjs',
      '-e',
      `const { registerHooks } = require('node:module');
       const seen = [];
       registerHooks({ load(url, context, next) { seen.push(url); return next(url, context); } });
       require('durabletask-scheduler');
       console.log(JSON.stringify(seen.filter((url) => /dist\\/(server|storage|scheduler|cli|devhost)\\/|node:sqlite|node_modules\\/pg\\//.test(url))));`,
    );
    assert.equal(loaded, '[]');
  });

  it('has a command that serves until it is told to stop', async () => {
    const scheduler = await startCommand(project, ['start', '--storage', 'memory']);
    const { event, taskHubs } = scheduler.ready;
    const code = await scheduler.stop();
    assert.deepEqual({ event, taskHubs, code }, { event: 'ready', taskHubs: ['default'], code: 0 });
  });
});
