import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDevApp } from '../../src/cli/dev-app.ts';
import { readSettings } from '../../src/functions/settings.ts';

describe('app of durabletask dev', () => {
  let appDir: string;
  beforeEach(() => {
    appDir = mkdtempSync(join(tmpdir(), 'durabletask-app-'));
  });
  afterEach(() => {
    rmSync(appDir, { recursive: true });
  });

  const write = (hostJson: object, values: Readonly<Record<string, string>> = {}): void => {
    writeFileSync(join(appDir, 'host.json'), JSON.stringify({ version: '2.0', ...hostJson }));
    const settings = { IsEncrypted: false, Values: values };
    writeFileSync(join(appDir, 'local.settings.json'), JSON.stringify(settings));
  };
  const durableTask = (settings: object) => ({ extensions: { durableTask: settings } });

  it('has the names of the product by default', () => {
    write({});

    assert.deepEqual(readDevApp(appDir, {}), {
      connectionName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING',
      hubName: undefined,
      taskHub: 'default',
      routePrefix: 'api',
    });
  });

  it('has the connection name and the hub of its host.json, settings resolved', () => {
    const storageProvider = { type: 'azureManaged', connectionStringName: 'MINE' };
    write(durableTask({ hubName: '%HUB%', storageProvider }), { HUB: 'from-settings' });

    const { connectionName, taskHub } = readDevApp(appDir, {});
    assert.deepEqual([connectionName, taskHub], ['MINE', 'from-settings']);
    assert.equal(readDevApp(appDir, { HUB: 'from-env' }).taskHub, 'from-env');
  });

  it('has the hub that its extension finds: of host.json, else of its connection string', () => {
    const values = { MINE: 'Endpoint=http://localhost:8080;TaskHub=b;Authentication=None' };
    const storageProvider = { type: 'azureManaged', connectionName: 'MINE' };
    const hubs = [{ hubName: 'a' }, {}].map((named) => {
      write(durableTask({ ...named, storageProvider }), values);
      const settings = readSettings({ appDir, env: values });
      return [readDevApp(appDir, {}), settings].map(({ taskHub }) => taskHub);
    });

    assert.deepEqual(hubs, [
      ['a', 'a'],
      ['b', 'b'],
    ]);
  });

  it('has no hub when host.json names an app setting that is not there', () => {
    write(durableTask({ hubName: '%HUB%' }));

    assert.throws(() => readDevApp(appDir, {}), /hubName is "%HUB%", but there is no such app/);
  });

  it('has the hub of host.json when its connection string names none or cannot be read', () => {
    for (const connection of ['Endpoint=http://localhost:8080;Authentication=None', 'nonsense']) {
      write(durableTask({ hubName: 'a' }), {
        DURABLE_TASK_SCHEDULER_CONNECTION_STRING: connection,
      });

      assert.equal(readDevApp(appDir, {}).taskHub, 'a');
    }
  });

  it('may serve its functions at the root', () => {
    write({ extensions: { http: { routePrefix: '' } } });

    assert.equal(readDevApp(appDir, {}).routePrefix, '');
  });
});
