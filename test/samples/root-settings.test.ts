import assert from 'node:assert/strict';
import { systemClock } from '../../src/base/clock.ts';
import { openDevHost } from '../../src/devhost/dev-host.ts';
import type { DevHost } from '../../src/devhost/dev-host.ts';
import { openScheduler } from '../../src/server/index.ts';
import type { RunningScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { outputOf, SampleCopy, startAt } from './sample-app.ts';

const REGISTER = new URL('../../src/register/register.ts', import.meta.url).href;

describe('host.json and local.settings.sample.json of the root', function () {
  this.timeout(20_000);
  let copy: SampleCopy;
  let scheduler: RunningScheduler;
  let host: DevHost;

  before(async () => {
    copy = await SampleCopy.make('hello-cities');
    scheduler = await openScheduler({
      ...{ storage: 'memory', grpcPort: 0, httpPort: 0 },
      logger: silentLogger,
    });
    const { port } = new URL(scheduler.grpcEndpoint);
    copy.useRootFile('host.json', 'host.json', (text) => text);
    // The port is the only thing that a test cannot take as it is.
    copy.useRootFile('local.settings.sample.json', 'local.settings.json', (text) =>
      text.replace('http://localhost:8080', `http://localhost:${port}`),
    );
    host = await openDevHost({
      ...{ appDir: copy.dir, port: 0, host: '127.0.0.1', env: {}, preloads: [REGISTER] },
      ...{ pathAliases: {}, watch: false, inspect: undefined },
      ...{ logger: silentLogger, clock: systemClock, output: () => undefined },
    });
  });

  after(async () => {
    await host.close();
    await scheduler.close();
    copy.remove();
  });

  it('are all that a sample needs to reach the scheduler', async () => {
    const links = await startAt(`${host.url}/api/orchestrators/HelloCities`);

    assert.deepEqual(await outputOf(links), ['Hello Tokyo!', 'Hello Seattle!', 'Hello London!']);
  });

  it('agree with those that the sample brings along', async () => {
    const own = await SampleCopy.make('order-approval-js');
    try {
      const { extensions } = JSON.parse(copy.read('host.json')) as { extensions: unknown };
      const sampleHost = JSON.parse(own.read('host.json')) as { extensions: unknown };
      assert.deepEqual(sampleHost.extensions, extensions);
    } finally {
      own.remove();
    }
  });
});
