import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { metrics } from '@opentelemetry/api';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { systemClock } from '../../../src/base/clock.ts';
import { systemIds } from '../../../src/base/ids.ts';
import { TaskHubClient } from '../../../src/client/index.ts';
import { ExtensionRuntime } from '../../../src/functions/runtime.ts';
import { openScheduler } from '../../../src/server/index.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';

/** Collects when the test asks for it. */
class AskedReader extends MetricReader {
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
}

describe('metrics of a Functions app', function () {
  this.timeout(10_000);
  const appDir = mkdtempSync(join(tmpdir(), 'dts-app-metrics-'));
  const reader = new AskedReader();
  const provider = new MeterProvider({ readers: [reader] });
  before(() => metrics.setGlobalMeterProvider(provider));
  after(async () => {
    metrics.disable();
    await provider.shutdown();
    rmSync(appDir, { recursive: true });
  });

  /** Newest value of each metric and kind, from the runtime. */
  async function collect(): Promise<Map<string, unknown>> {
    const { resourceMetrics, errors } = await reader.collect();
    assert.deepEqual(errors, []);
    const all = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    return new Map(
      all.flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => [
          [descriptor.name, attributes['task_hub'], attributes['kind']].filter(Boolean).join(' '),
          value as unknown,
        ]),
      ),
    );
  }

  it('tell the backlog of its task hub, and how many workers it needs', async () => {
    // Of the scheduler in this process only the app is to be seen.
    metrics.disable();
    const scheduler = await openScheduler({
      ...{ storage: 'memory', taskHubs: ['hub'], grpcPort: 0, httpPort: 0, logger: silentLogger },
    });
    metrics.setGlobalMeterProvider(provider);
    const connection = `Endpoint=${scheduler.grpcEndpoint};TaskHub=hub;Authentication=None`;
    const durableTask = { storageProvider: { type: 'azureManaged' } };
    const host = { version: '2.0', extensions: { durableTask } };
    writeFileSync(join(appDir, 'host.json'), JSON.stringify(host));
    const client = TaskHubClient.open(connection);
    for (let count = 0; count < 3; count++) await client.scheduleNewOrchestration('Nobody');
    const runtime = new ExtensionRuntime({
      ...{ clock: systemClock, ids: systemIds, logger: silentLogger },
      env: () => ({ DURABLE_TASK_SCHEDULER_CONNECTION_STRING: connection }),
    });
    await runtime.start(appDir);

    const found = await collect();
    await runtime.stop();
    await client.close();
    await scheduler.close();

    assert.equal(found.get('durabletask.work_items.pending hub orchestration'), 3);
    assert.equal(found.get('durabletask.work_items.active hub activity'), 0);
    assert.equal(found.get('durabletask.target_workers hub'), 1);
  });
});
