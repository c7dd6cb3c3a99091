import assert from 'node:assert/strict';
import { systemClock } from '../../src/base/clock.ts';
import { TaskHubClient } from '../../src/client/index.ts';
import { METRICS, RECORDED } from '../../src/telemetry/metrics.ts';
import { NodeProcess } from '../support/node-process.ts';
import type { ReceivedMetric } from '../support/otlp-receiver.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';

const WORKER = new URL('./support/traced-worker.ts', import.meta.url);
const START = ['start', '--json', '--storage', 'memory', '--grpc-port', '0', '--http-port', '0'];
const never = new AbortController().signal;

type Labels = Readonly<Record<string, unknown>>;

describe('metrics', function () {
  this.timeout(30_000);
  let receiver: OtlpReceiver;
  let scheduler: NodeProcess;
  let worker: NodeProcess;

  before(async () => {
    receiver = await OtlpReceiver.open();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_METRIC_EXPORT_INTERVAL: '200' };
    scheduler = NodeProcess.cli(START, { env: { ...env, OTEL_SERVICE_NAME: 'scheduler' } });
    const { grpc } = await scheduler.ready();
    worker = new NodeProcess(WORKER, [grpc], { env });
    await worker.ready();
    const client = TaskHubClient.open({ endpoint: grpc, taskHub: 'default' });
    for (const name of ['Chain', 'Count', 'Retry']) {
      const id = await client.scheduleNewOrchestration(name);
      await client.waitForOrchestrationCompletion(id, true, 20);
    }
    await client.close();
  });

  after(async () => {
    await worker.end('SIGTERM');
    await scheduler.end('SIGTERM');
    await receiver.close();
  });

  /** The newest value with these labels, once there is one that will do. */
  async function value(
    service: string,
    name: string,
    labels: Labels,
    isEnough: (value: number) => boolean = (found) => found > 0,
  ): Promise<number> {
    const lateAt = systemClock.now() + 10_000;
    for (;;) {
      const found = newest(receiver.metrics, service, name, labels);
      if (found !== undefined && isEnough(found)) return found;
      const known = [...new Set(receiver.metrics.map((each) => `${each.service} ${each.name}`))];
      assert.ok(systemClock.now() < lateAt, `${name} is ${found}; there are ${known.join(', ')}`);
      await systemClock.sleepUntil(systemClock.now() + 20, { signal: never });
    }
  }

  it('of the scheduler tell what was handed out, by hub and kind', async () => {
    const of = (kind: string): Labels => ({ task_hub: 'default', kind });
    // The chain of the caller and the one that the entity starts: two activities each; a retry: three.
    assert.equal(
      await value('scheduler', METRICS.delivered.instrument, of('activity'), (n) => n >= 7),
      7,
    );
    assert.ok((await value('scheduler', METRICS.delivered.instrument, of('entity'))) >= 1);
    for (const { instrument } of [METRICS.pending, METRICS.oldestAge, METRICS.redelivered]) {
      assert.equal(await value('scheduler', instrument, of('activity'), (n) => n === 0), 0);
    }
    const hub = { task_hub: 'default' };
    assert.equal(await value('scheduler', METRICS.workers.instrument, hub), 1);
  });

  it('of the scheduler tell how long work and calls took', async () => {
    const { instrument } = RECORDED.itemDuration;
    const labels = { task_hub: 'default', kind: 'activity', outcome: 'completed' };
    assert.equal(await value('scheduler', instrument, labels, (n) => n >= 7), 7);
    const call = { 'rpc.method': 'StartInstance', 'rpc.grpc.status_code': 0 };
    const { serverCallDuration, roundDuration } = RECORDED;
    assert.equal(await value('scheduler', serverCallDuration.instrument, call, (n) => n >= 3), 3);
    assert.ok((await value('scheduler', roundDuration.instrument, {})) > 3);
  });

  it('of a worker tell which functions it ran, and how they ended', async () => {
    const ran = (labels: Labels, count: number): Promise<number> =>
      value('traced-worker', RECORDED.workDuration.instrument, labels, (n) => n >= count);
    const hub = { task_hub: 'default' };
    const failed = { ...hub, kind: 'activity', name: 'FailTwice', outcome: 'failed' };
    assert.equal(await ran(failed, 2), 2);
    assert.equal(await ran({ ...failed, outcome: 'completed' }, 1), 1);
    const ended = { ...hub, kind: 'orchestration', name: 'Chain', outcome: 'completed' };
    assert.equal(await ran(ended, 2), 2);
    assert.ok((await ran({ ...ended, outcome: 'waiting' }, 4)) >= 4);
    assert.ok(
      (await ran({ ...hub, kind: 'entity', name: 'counter', outcome: 'completed' }, 1)) > 0,
    );
    const { workInHand, clientCallDuration } = RECORDED;
    const inHand = { ...hub, kind: 'activity' };
    assert.equal(await value('traced-worker', workInHand.instrument, inHand, (n) => n === 0), 0);
    const call = { 'rpc.method': 'CompleteActivityTask', 'rpc.grpc.status_code': 0 };
    assert.equal(
      await value('traced-worker', clientCallDuration.instrument, call, (n) => n >= 7),
      7,
    );
  });

  it('have the names, units and labels of the table', () => {
    const table = [...Object.values(METRICS), ...Object.values(RECORDED)];
    for (const { name, unit, points } of receiver.metrics) {
      const family = table.find(({ instrument }) => instrument === name);
      assert.equal(unit, family?.unit, name);
      for (const { attributes } of points) {
        const labels: readonly string[] = family?.labels ?? [];
        assert.deepEqual(Object.keys(attributes).toSorted(), labels.toSorted(), name);
      }
    }
  });
});

function newest(
  metrics: readonly ReceivedMetric[],
  service: string,
  name: string,
  labels: Labels,
): number | undefined {
  const metric = metrics.findLast((each) => each.service === service && each.name === name);
  return metric?.points.find(({ attributes }) =>
    Object.entries(labels).every(([key, wanted]) => attributes[key] === wanted),
  )?.value;
}
