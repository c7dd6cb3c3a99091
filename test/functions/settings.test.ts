import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostSettingsTable } from '../../src/functions/host-settings.ts';
import { readSettings } from '../../src/functions/settings.ts';
import type { ExtensionSettings } from '../../src/functions/settings.ts';
import { VersionFailureStrategy, VersionMatchStrategy } from '../../src/worker/versioning.ts';

const CONNECTION = 'Endpoint=http://localhost:8080;TaskHub=fromString;Authentication=None';
const PROVIDER = { type: 'azureManaged' };

describe('readSettings', () => {
  let appDir: string;
  beforeEach(() => {
    appDir = mkdtempSync(join(tmpdir(), 'dts-settings-'));
  });
  afterEach(() => {
    rmSync(appDir, { recursive: true });
  });

  function read(
    durableTask: object,
    env: Record<string, string> = {},
    http: object = {},
  ): ExtensionSettings {
    const host = { version: '2.0', extensions: { durableTask, http } };
    writeFileSync(join(appDir, 'host.json'), JSON.stringify(host));
    const all = { DURABLE_TASK_SCHEDULER_CONNECTION_STRING: CONNECTION, ...env };
    return readSettings({ appDir, env: all });
  }

  it('takes the hub of host.json over that of the connection string', () => {
    const settings = read({ hubName: 'fromHost', storageProvider: PROVIDER });

    assert.equal(settings.taskHub, 'fromHost');
    assert.equal(settings.connection.taskHub, 'fromHost');
  });

  it('takes the hub of the connection string when host.json has none', () => {
    assert.equal(read({ storageProvider: PROVIDER }).taskHub, 'fromString');
  });

  it('reads which versions the worker runs, in any case', () => {
    const byDefault = read({ storageProvider: PROVIDER }).versioning;
    const chosen = read({
      storageProvider: PROVIDER,
      defaultVersion: '2.0',
      versionMatchStrategy: 'strict',
      versionFailureStrategy: 'Fail',
    }).versioning;

    assert.deepEqual(byDefault, {
      version: undefined,
      defaultVersion: undefined,
      matchStrategy: VersionMatchStrategy.CurrentOrOlder,
      failureStrategy: VersionFailureStrategy.Reject,
    });
    assert.deepEqual(chosen, {
      version: '2.0',
      defaultVersion: '2.0',
      matchStrategy: VersionMatchStrategy.Strict,
      failureStrategy: VersionFailureStrategy.Fail,
    });
    assert.throws(
      () => read({ storageProvider: PROVIDER, versionMatchStrategy: 'newest' }),
      /versionMatchStrategy must be one of None, Strict, CurrentOrOlder, got "newest"/,
    );
  });

  it('needs no hub in the connection string when host.json has one', () => {
    const env = {
      DURABLE_TASK_SCHEDULER_CONNECTION_STRING:
        'Endpoint=http://localhost:8080;Authentication=None',
    };

    assert.equal(read({ hubName: 'h', storageProvider: PROVIDER }, env).taskHub, 'h');
  });

  it('replaces %NAME% by the app setting', () => {
    const settings = read({ hubName: '%HUB%', storageProvider: PROVIDER }, { HUB: 'fromSetting' });

    assert.equal(settings.taskHub, 'fromSetting');
  });

  it('refuses a hub name whose app setting is missing', () => {
    assert.throws(
      () => read({ hubName: '%HUB%', storageProvider: PROVIDER }),
      /hubName is "%HUB%", but there is no such app setting/,
    );
  });

  it('accepts the storage provider in any case', () => {
    assert.equal(read({ storageProvider: { type: 'AZUREMANAGED' } }).taskHub, 'fromString');
  });

  it('refuses another storage provider, and none', () => {
    for (const storageProvider of [{ type: 'AzureStorage' }, {}]) {
      assert.throws(
        () => read({ storageProvider }),
        /storageProvider\.type must be "azureManaged", got/,
      );
    }
  });

  it('reads the connection string from the setting that host.json names', () => {
    const storageProvider = { ...PROVIDER, connectionStringName: 'OTHER' };
    const env = { OTHER: 'Endpoint=http://localhost:9090;TaskHub=other;Authentication=None' };

    const settings = read({ storageProvider }, env);

    assert.equal(settings.connectionName, 'OTHER');
    assert.equal(settings.connection.endpoint, 'http://localhost:9090');
  });

  it('names the missing connection setting, with an example', () => {
    assert.throws(
      () => read({ storageProvider: { ...PROVIDER, connectionName: 'NOT_THERE' } }),
      /The app setting "NOT_THERE" is missing.*Example: Endpoint=/,
    );
  });

  it('runs ten of each kind for every core by default', () => {
    const settings = read({ storageProvider: PROVIDER });

    assert.equal(settings.maxConcurrentOrchestrations, 10 * availableParallelism());
    assert.equal(settings.maxConcurrentActivities, 10 * availableParallelism());
  });

  it('honours the concurrency settings, shared out over worker processes', () => {
    const durableTask = {
      storageProvider: PROVIDER,
      maxConcurrentActivityFunctions: 12,
      maxConcurrentOrchestratorFunctions: 2,
    };

    const settings = read(durableTask, { FUNCTIONS_WORKER_PROCESS_COUNT: '4' });

    assert.equal(settings.maxConcurrentActivities, 3);
    assert.equal(settings.maxConcurrentOrchestrations, 1);
  });

  it('refuses a concurrency that is no whole number above zero', () => {
    assert.throws(
      () => read({ storageProvider: PROVIDER, maxConcurrentActivityFunctions: 0 }),
      /maxConcurrentActivityFunctions must be a whole number above 0, got 0/,
    );
  });

  it('lets an app setting override host.json', () => {
    const env = { AzureFunctionsJobHost__extensions__durableTask__hubName: 'overridden' };

    assert.equal(read({ hubName: 'h', storageProvider: PROVIDER }, env).taskHub, 'overridden');
  });

  it('knows how the app is reached', () => {
    const env = { WEBSITE_HOSTNAME: 'my-app.azurewebsites.net' };

    const { http } = read({ storageProvider: PROVIDER }, env, { routePrefix: '/my/api/' });

    assert.deepEqual(http, {
      routePrefix: 'my/api',
      usesForwardedHost: false,
      ownOrigin: 'https://my-app.azurewebsites.net',
    });
  });

  it('takes localhost where the host name is unset, unusable or local', () => {
    const origins = [undefined, '0.0.0.0:7071', 'localhost:7072'].map((name) => {
      const env = name === undefined ? {} : { WEBSITE_HOSTNAME: name };
      return read({ storageProvider: PROVIDER }, env).http.ownOrigin;
    });

    assert.deepEqual(origins, [
      'http://localhost:7071',
      'http://localhost:7071',
      'http://localhost:7072',
    ]);
  });

  it('reads the limits of worker and client, which have defaults of their own', () => {
    const limits = (durableTask: object): unknown[] => {
      const settings = read({ storageProvider: PROVIDER, ...durableTask });
      const { actionsMax, cachedOrchestrationsMax, cachedOrchestrationIdleMs } = settings;
      return [
        actionsMax,
        cachedOrchestrationsMax,
        cachedOrchestrationIdleMs,
        settings.requestTimeoutMs,
      ];
    };

    assert.deepEqual(limits({}), [undefined, undefined, undefined, undefined]);
    assert.deepEqual(
      limits({
        maxOrchestrationActions: 50,
        extendedSessionsEnabled: false,
        extendedSessionIdleTimeoutInSeconds: 20,
        grpcHttpClientTimeout: '1.00:01:40.5',
      }),
      [50, 0, 20_000, 86_500_500],
    );
  });

  it('logs replays only when an app setting says so', () => {
    const logsReplays = (text: string): boolean =>
      read({ storageProvider: PROVIDER }, { DURABLETASK_LOG_REPLAYS: text }).logsReplays;

    assert.deepEqual(['on', 'ON', 'off', ''].map(logsReplays), [true, true, false, false]);
  });

  it('refuses limits that are none', () => {
    const wrong: [object, RegExp][] = [
      [{ maxOrchestrationActions: 0 }, /maxOrchestrationActions must be a whole number above 0/],
      [{ grpcHttpClientTimeout: 'soon' }, /grpcHttpClientTimeout must be a time span like/],
      [{ grpcHttpClientTimeout: '00:00:00' }, /grpcHttpClientTimeout must be a time span like/],
      [
        { httpSettings: { defaultAsyncRequestSleepTimeMilliseconds: -1 } },
        /defaultAsyncRequestSleepTimeMilliseconds must be a whole number above 0, got -1/,
      ],
    ];
    for (const [durableTask, message] of wrong) {
      assert.throws(() => read({ storageProvider: PROVIDER, ...durableTask }), message);
    }
  });

  it('names what has no effect, and says why', () => {
    const { idle } = read({
      storageProvider: { ...PROVIDER, partitionCount: 4 },
      hubname: 'hub',
      useGracefulShutdown: true,
      useAppLease: false,
      tracing: { version: 'v2', traceInputsAndOutputs: true },
      notifications: { eventGrid: { topicEndpoint: 'https://topic' } },
      maxConcurrentActivityFunction: 5,
    });

    assert.deepEqual(
      idle.map(({ setting, reason }) => `${setting}: ${reason}`),
      [
        'storageProvider.partitionCount: only for Azure Storage, Netherite and SQL',
        'useAppLease: only for Azure Storage',
        'tracing.traceInputsAndOutputs: payloads are never logged',
        'notifications.eventGrid.topicEndpoint: no events are published to Event Grid: use an activity',
        "maxConcurrentActivityFunction: no such setting (did you mean 'maxConcurrentActivityFunctions'?)",
      ],
    );
  });

  it('is described in the documentation, setting by setting', () => {
    const docs = readFileSync(new URL('../../docs/OPERATIONS.md', import.meta.url), 'utf8');
    const cells = (text: string): string[] =>
      text
        .split('\n')
        .filter((line) => line.startsWith('| `'))
        .map((line) => line.replace(/\s*\|\s*/g, '|'));
    const [, section = ''] = docs.split(
      '<!-- host.json: generated from src/functions/host-settings.ts -->',
    );

    assert.deepEqual(cells(section.split('<!-- end -->')[0] ?? ''), cells(hostSettingsTable()));
  });
});
