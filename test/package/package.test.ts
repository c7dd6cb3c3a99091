/** The package as users get it: packed, installed into an empty project, loaded both ways, run. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const ENTRIES = ['', '/client', '/worker', '/scheduler', '/register'];

describe('packed package', function () {
  let dir: string;

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'durabletask-package-'));
    const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', dir], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
    writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'app', private: true }));
    execFileSync(
      'npm',
      ['install', '--prefer-offline', '--no-audit', '--no-fund', join(dir, filename)],
      {
        cwd: dir,
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
  });

  after(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  function run(...args: readonly string[]): string {
    return execFileSync(process.execPath, args, { cwd: dir, encoding: 'utf8' }).trim();
  }

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
    const child = spawn(
      process.execPath,
      [
        join(dir, 'node_modules/durabletask-scheduler/dist/cli/main.js'),
        ...['start', '--storage', 'memory', '--grpc-port', '0', '--http-port', '0', '--json'],
      ],
      { cwd: dir, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number];
    const { event, taskHubs } = JSON.parse(line) as { event: string; taskHubs: string[] };
    assert.deepEqual({ event, taskHubs, code }, { event: 'ready', taskHubs: ['default'], code: 0 });
  });
});
