import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { systemIds } from '../../src/base/ids.ts';
import { app } from '../../src/index.ts';
import { durableRegistry } from '../../src/functions/registry.ts';
import { ExtensionRuntime } from '../../src/functions/runtime.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';

/** Nobody listens there: port 1 is reserved. */
const CONNECTION = 'Endpoint=http://127.0.0.1:1;TaskHub=hub;Authentication=None';

describe('ExtensionRuntime', function () {
  this.timeout(10_000);
  let appDir: string;
  let runtime: ExtensionRuntime;
  beforeEach(() => {
    appDir = mkdtempSync(join(tmpdir(), 'dts-runtime-'));
    writeHostJson({ storageProvider: { type: 'azureManaged' } });
    const env = { CONN: CONNECTION, DURABLE_TASK_SCHEDULER_CONNECTION_STRING: CONNECTION };
    runtime = new ExtensionRuntime({
      clock: systemClock,
      ids: systemIds,
      logger: silentLogger,
      env: () => ({ ...env, AzureWebJobsScriptRoot: appDir }),
    });
  });
  afterEach(async () => {
    await runtime.stop();
    durableRegistry().orchestrators.clear();
    durableRegistry().activities.clear();
    rmSync(appDir, { recursive: true });
  });

  function writeHostJson(durableTask: object): void {
    const host = { version: '2.0', extensions: { durableTask } };
    writeFileSync(join(appDir, 'host.json'), JSON.stringify(host));
  }

  it('starts although the scheduler cannot be reached, and stops in time', async () => {
    app.activity('a', { handler: () => 1 });
    const startedAt = systemClock.now();

    await runtime.start(appDir);
    const startMs = systemClock.now() - startedAt;
    await runtime.stop();
    const stopMs = systemClock.now() - startedAt - startMs;

    assert.ok(startMs < 1000, `took ${startMs} ms to start`);
    assert.ok(stopMs < 4500, `took ${stopMs} ms to stop`);
  });

  it('refuses to start with wrong settings', async () => {
    writeHostJson({ storageProvider: { type: 'mssql' } });

    await assert.rejects(runtime.start(appDir), /must be "azureManaged", got "mssql"/);
  });

  it('warns once of each setting that has no effect', async () => {
    writeHostJson({ storageProvider: { type: 'azureManaged', partitionCount: 4 } });
    const warnings: unknown[] = [];
    const warn = (message: string, fields: object = {}): void => {
      warnings.push([message, fields]);
    };
    const noisy = new ExtensionRuntime({
      clock: systemClock,
      ids: systemIds,
      logger: { ...silentLogger, warn },
      env: () => ({ DURABLE_TASK_SCHEDULER_CONNECTION_STRING: CONNECTION }),
    });

    await noisy.start(appDir);
    assert.equal(noisy.durableClient().taskHubName, 'hub');
    await noisy.stop();

    const setting = 'extensions.durableTask.storageProvider.partitionCount';
    const reason = 'only for Azure Storage, Netherite and SQL';
    const fields = { eventId: 4001, setting, reason };
    assert.deepEqual(warnings, [['a setting of host.json has no effect', fields]]);
  });

  it('gives the same durable client each time', () => {
    assert.equal(runtime.durableClient(), runtime.durableClient());
    assert.equal(runtime.durableClient().taskHubName, 'hub');
  });

  it('has one client for each connection and hub', () => {
    const own = runtime.taskHubClient();

    assert.equal(runtime.taskHubClient({ taskHubName: 'hub' }), own);
    assert.equal(runtime.taskHubClient({ connectionName: 'CONN' }), own);
    assert.notEqual(runtime.taskHubClient({ taskHubName: 'other' }), own);
  });

  it('names a connection setting that is not there', () => {
    assert.throws(
      () => runtime.taskHubClient({ connectionName: 'NOBODY' }),
      /The app setting "NOBODY" \(connectionName\) is missing/,
    );
  });
});
