import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import type * as real from 'durable-functions';
import * as ours from '../../src/index.ts';

const require = createRequire(import.meta.url);
const original = require('durable-functions') as typeof real;
const DEVHOST = new URL('../../src/devhost', import.meta.url).href;
const ENTRY = new URL('../../src/index.ts', import.meta.url).href;

/** Runs a script in a process of its own; what it prints is JSON. */
function run(script: string): unknown {
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(text);
}

describe('the entry of the package', function () {
  this.timeout(20_000);

  it('shares its value classes with durable-functions', () => {
    const shared = [
      'EntityId',
      'EntityStateResponse',
      'DurableLock',
      'LockState',
      'LockingRulesViolationError',
      'ManagedIdentityTokenSource',
      'OrchestrationRuntimeStatus',
      'RetryOptions',
      'TaskFailedError',
    ] as const;

    for (const name of shared) assert.equal(ours[name], original[name], name);
  });

  it('has the names of durable-functions 4 for what it has already', () => {
    assert.equal(ours.DurableFunctionsClient, ours.DurableClient);
    assert.equal(ours.DurableOrchestrationClient, ours.DurableClient);
    assert.ok(ours.isDurableClientInput(ours.input.durableClient()));
    assert.ok(!ours.isDurableClientInput({ type: 'queue', name: 'q' }));
  });

  it('has a dummy context whose df a test can set', () => {
    const context = new ours.DummyOrchestrationContext('name', 'id');

    assert.equal(context.df, undefined);
    assert.deepEqual([context.functionName, context.invocationId], ['name', 'id']);
  });

  it('gives require one plain object with the same names', () => {
    const names = run(`
      import { createRequire } from 'node:module';
      import { fileURLToPath } from 'node:url';
      const df = createRequire(import.meta.url)(fileURLToPath('${ENTRY}'));
      console.log(JSON.stringify([...Object.keys(df), Object.isExtensible(df.app)]));
    `) as unknown[];

    const expected = Object.keys(ours).filter(
      (name) => !['default', 'module.exports'].includes(name),
    );
    assert.deepEqual(names, [...expected.sort(caseless), true]);
  });

  it('warns when durable-functions itself was loaded before it in a host', () => {
    const logged = run(`
      import { createRequire } from 'node:module';
      import { createCoreModule, createCoreState } from '${DEVHOST}/core-module.ts';
      import { installCore } from '${DEVHOST}/install-core.ts';
      const logged = [];
      const log = (level, category, message) => logged.push([level, message]);
      installCore(createCoreModule(createCoreState(), { log }));
      process.env.AZURE_FUNCTIONS_ENVIRONMENT = 'Development';
      createRequire('${ENTRY}')('durable-functions');
      await import('${ENTRY}');
      console.log(JSON.stringify(logged));
    `) as [string, string][];

    assert.equal(logged.length, 1);
    assert.equal(logged[0]?.[0], 'warning');
    assert.match(logged[0][1], /durable-functions itself was loaded before durabletask-scheduler/);
  });

  it('loads no server, no store, no database driver and no exporter', () => {
    const loaded = run(`
      import { registerHooks } from 'node:module';
      const urls = [];
      registerHooks({ load: (url, context, next) => { urls.push(url); return next(url, context); } });
      await import('${ENTRY}');
      console.log(JSON.stringify(urls));
    `) as string[];

    const rooms =
      /\/src\/(server|storage|scheduler|cli|devhost)\/|node:sqlite|\/node_modules\/(pg|hono|commander|croner|applicationinsights|@azure\/(monitor|identity)[^/]*|@opentelemetry\/(?!api\/)[^/]+)\//;
    assert.ok(loaded.some((url) => url.endsWith('/src/worker/task-hub-worker.ts')));
    assert.deepEqual(
      loaded.filter((url) => rooms.test(url)),
      [],
    );
  });
});

function caseless(a: string, b: string): number {
  return a.toLowerCase() < b.toLowerCase() ? -1 : 1;
}
