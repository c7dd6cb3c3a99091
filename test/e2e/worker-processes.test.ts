import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { systemClock } from '../../src/base/clock.ts';
import { openScheduler } from '../../src/server/index.ts';
import type { RunningScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { AppUnderTest, appDirOf, hasStatus, until } from './support/app-under-test.ts';
import { HttpApi } from './support/http-api-rows.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const appDir = appDirOf('processes');

describe('the worker processes of an app', function () {
  this.timeout(40_000);
  let scheduler: RunningScheduler;
  let first: AppUnderTest;
  let second: AppUnderTest | undefined;
  beforeEach(async () => {
    scheduler = await openScheduler({
      ...{ storage: 'memory', taskHubs: ['processes'], grpcPort: 0, httpPort: 0 },
      logger: silentLogger,
    });
    first = new AppUnderTest();
    second = undefined;
  });
  afterEach(async () => {
    await Promise.all([first.close(), second?.close()]);
    await scheduler.close();
  });

  function open(app: AppUnderTest, env: Readonly<Record<string, string>>): Promise<void> {
    return app.open('processes', scheduler, { appDir, env });
  }

  async function run(name: string, app = first): Promise<unknown> {
    const api = new HttpApi(`${app.url}/api/durabletask`);
    const id = await api.ended(name);
    const { body } = await api.ask('GET', `instances/${id}`);
    return (body as { readonly output: unknown }).output;
  }

  it('share the work of the hub and the limits of the host', async () => {
    const env = { FUNCTIONS_WORKER_PROCESS_COUNT: '2' };
    second = new AppUnderTest();
    await Promise.all([open(first, env), open(second, env)]);

    const pids = await run('fansOut');

    assert.ok(Array.isArray(pids));
    assert.equal(pids.length, 2);
  });

  it('hand what they cannot finish to the next, within the five seconds of appTerminate', async () => {
    await open(first, { ROLE: 'first' });
    const api = new HttpApi(`${first.url}/api/durabletask`);
    const id = await api.started('isHandedOver');
    await first.lineWith(/(begun by first)/);
    second = new AppUnderTest();
    await open(second, { ROLE: 'second' });

    const closedAt = systemClock.now();
    await first.close();
    const tookMs = systemClock.now() - closedAt;
    const statusQueryGetUri = `${second.url}/api/durabletask/instances/${id}`;
    const { output } = await until({ statusQueryGetUri }, hasStatus('Completed'));

    assert.equal(output, 'second');
    assert.ok(tookMs < 7000, `took ${tookMs} ms: what runs has 2 s, appTerminate has 5 s`);
    assert.doesNotMatch(first.output.join('\n'), /did not stop in time|appTerminate hook failed/);
  });

  it('serve the functions of every copy of this package in one worker', async () => {
    mkdirSync(join(ROOT, '.tmp'), { recursive: true });
    const copy = mkdtempSync(join(ROOT, '.tmp/copy-'));
    for (const part of ['src', 'package.json']) {
      cpSync(join(ROOT, part), join(copy, part), { recursive: true });
    }
    try {
      await open(first, { SECOND_COPY: pathToFileURL(join(copy, 'src/index.ts')).href });

      const output = await run('callsTheCopy');

      const management = first.functionNames.filter((name) => name.startsWith('durabletask-'));
      assert.equal(output, 'hello from another to us');
      assert.deepEqual(management, ['durabletask-management']);
    } finally {
      rmSync(copy, { recursive: true });
    }
  });
});
