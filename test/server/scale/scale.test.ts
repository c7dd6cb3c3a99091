/** How much work there is, as everybody who scales by it asks: Prometheus, KEDA, the back-end service, the JSON API. */
import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { BackendService } from '../../../src/proto/backend_service_pb.ts';
import { TaskHubSidecarService } from '../../../src/proto/orchestrator_service_pb.ts';
import { ExternalScaler } from '../../../src/proto/external_scaler_pb.ts';
import { scaleSchema, workersSchema } from '../../../src/server/http/api/contract.ts';
import { METRICS } from '../../../src/telemetry/metrics.ts';
import { ApiFixture } from '../http/api/api-fixture.ts';
import { RawClient } from '../support/raw-client.ts';

const WAITING = 25;
/** Of a worker that takes none of what waits here. */
const NOTHING = { orchestrations: [{ name: 'Nothing', versions: [] }] };

describe('scale figures of a scheduler', () => {
  let api: ApiFixture;
  let client: RawClient;
  before(async () => {
    api = await ApiFixture.open();
    client = new RawClient(Number(new URL(api.scheduler.grpcEndpoint).port));
    await Promise.all(
      Array.from({ length: WAITING }, (_, n) => api.start({ name: 'Order', id: `o${n}` })),
    );
  });
  after(async () => {
    client.close();
    await api.close();
  });

  const ref = (scalerMetadata: Record<string, string>) => ({
    ...{ name: 'app', namespace: 'default' },
    scalerMetadata: { endpoint: 'http://elsewhere:1', taskhubName: 'default', ...scalerMetadata },
  });
  const settled = () =>
    api.until(
      () => api.get('/hubs/default/scale', scaleSchema),
      ({ kinds }) => kinds.orchestration.pending === WAITING,
    );

  it('are told by the JSON API, with the number of workers that they ask for', async () => {
    await settled();
    const asked = await api.get('/hubs/default/scale?workers=1&max=9', scaleSchema);
    assert.equal(asked.target, 3);
    assert.equal(asked.vote, 1);
    assert.equal(asked.kinds.orchestration.perWorker, 10);
    assert.equal((await api.get('/hubs/default/scale?max=2', scaleSchema)).target, 2);
    assert.equal((await api.get('/hubs/other/scale?min=1', scaleSchema)).target, 1);
    const { json } = await api.call('GET', '/hubs/default/scale?workers=-1');
    assert.match(JSON.stringify(json), /\/query\/workers/);
  });

  it('are told to Prometheus, in every series of the table', async () => {
    await settled();
    const answer = await fetch(`${api.scheduler.httpEndpoint}/metrics`);
    const text = await answer.text();
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    assert.match(
      text,
      new RegExp(
        `^durabletask_work_items_pending\\{task_hub="default",kind="orchestration"\\} ${WAITING}$`,
        'm',
      ),
    );
    assert.match(text, /^durabletask_connected_workers\{task_hub="other"\} 0$/m);
    assert.match(text, /^durabletask_commits_total [1-9]/m);
    for (const { name, labels } of Object.values(METRICS)) {
      const shape =
        labels.length === 0 ? ' ' : `\\{${labels.map((l) => `${l}="[^"]*"`).join(',')}\\} `;
      assert.match(text, new RegExp(`^${name}${shape}[0-9.]+$`, 'm'));
    }
  });

  it('are told by GetMetrics of the back-end service', async () => {
    await settled();
    const { getMetrics } = BackendService.method;
    const { metrics } = await client.call(getMetrics, {}, { headers: { taskhub: 'default' } });
    assert.equal(metrics?.orchestratorWorkItems?.pending, WAITING);
    assert.equal(metrics.activityWorkItems?.pending, 0);
    assert.equal(metrics.entityWorkItems?.active, 0);
    assert.equal(metrics.connectedWorkers?.count, 0);
    await assert.rejects(client.call(getMetrics, {}, { headers: { taskhub: 'none' } }), {
      code: status.NOT_FOUND,
    });
    await assert.rejects(client.call(BackendService.method.ping, {}), {
      code: status.UNIMPLEMENTED,
    });
  });

  it('stop growing for a worker that asks for nothing more, whose stream stays open', async () => {
    const { beginWorkerDrain } = BackendService.method;
    const { getWorkItems } = TaskHubSidecarService.method;
    const headers = { taskhub: 'default', workerid: 'leaving' };
    const none = { maxConcurrentOrchestrationWorkItems: 1, workItemFilters: NOTHING };
    const stream = client.stream(getWorkItems, none, { headers });
    await stream.next();

    for (const workerFound of [true, true]) {
      const answer = await client.call(beginWorkerDrain, {}, { headers });
      assert.equal(answer.workerFound, workerFound);
    }
    const others = { taskhub: 'default', workerid: 'another' };
    assert.equal((await client.call(beginWorkerDrain, {}, { headers: others })).workerFound, false);
    assert.equal((await client.call(beginWorkerDrain, {})).workerFound, false);
    const { items } = await api.get('/hubs/default/workers', workersSchema);
    assert.deepEqual(
      items.map(({ workerId, isDraining }) => ({ workerId, isDraining })),
      [{ workerId: 'leaving', isDraining: true }],
    );
    stream.call.cancel();
    await api.until(
      () => api.get('/hubs/default/workers', workersSchema),
      (answer) => answer.items.length === 0,
    );
  });

  it('leave out a worker that somebody else sends away', async () => {
    const headers = { taskhub: 'default', workerid: 'sent away' };
    const stream = client.stream(
      TaskHubSidecarService.method.getWorkItems,
      { workItemFilters: NOTHING },
      { headers },
    );
    await stream.next();
    const workers = async () => (await api.get('/hubs/default/workers', workersSchema)).items;
    const [worker] = await workers();
    const path = (which: unknown) => `/hubs/default/workers/${String(which)}/drain`;

    assert.deepEqual((await api.call('POST', path(worker?.stream))).json, { drained: 1 });
    assert.equal((await workers())[0]?.isDraining, true);
    assert.deepEqual((await api.call('POST', path(4_711))).json, { drained: 0 });
    assert.match(JSON.stringify((await api.call('POST', path('x'))).json), /'x' is no stream/);
    stream.call.cancel();
    await api.until(workers, (items) => items.length === 0);
  });

  it("are told to KEDA, for the kind that the rule's metadata names", async () => {
    await settled();
    const { getMetricSpec, getMetrics, isActive } = ExternalScaler.method;
    const orchestrations = ref({
      workItemType: 'Orchestration',
      maxConcurrentWorkItemsCount: '4',
    });
    const { metricSpecs } = await client.call(getMetricSpec, orchestrations);
    assert.deepEqual(
      metricSpecs.map(({ metricName, targetSize, targetSizeFloat }) => ({
        ...{ metricName, targetSize, targetSizeFloat },
      })),
      [
        {
          metricName: 'durabletask-default-orchestration',
          ...{ targetSize: 4n, targetSizeFloat: 4 },
        },
      ],
    );
    const { metricValues } = await client.call(getMetrics, {
      scaledObjectRef: orchestrations,
      metricName: 's0-durabletask-default-orchestration',
    });
    assert.deepEqual(
      metricValues.map(({ metricValue, metricValueFloat }) => ({ metricValue, metricValueFloat })),
      [{ metricValue: BigInt(WAITING), metricValueFloat: WAITING }],
    );
    assert.equal((await client.call(isActive, orchestrations)).result, true);
    assert.equal((await client.call(isActive, ref({ workItemType: 'Entity' }))).result, false);
  });

  it('are told to KEDA for all kinds when its metadata names none', async () => {
    const { metricSpecs } = await client.call(ExternalScaler.method.getMetricSpec, ref({}));
    assert.deepEqual(
      metricSpecs.map(({ metricName }) => metricName),
      ['orchestration', 'activity', 'entity'].map((kind) => `durabletask-default-${kind}`),
    );
  });

  it('are pushed to KEDA when work comes', async () => {
    const { streamIsActive } = ExternalScaler.method;
    const stream = client.stream(streamIsActive, {
      ...ref({}),
      scalerMetadata: { taskhubName: 'other' },
    });
    assert.equal((await stream.next())?.result, false);
    await api.call('POST', '/hubs/other/orchestrations', { name: 'Order' });
    assert.equal((await stream.next())?.result, true);
    stream.call.cancel();
    assert.equal((await stream.ended).code, status.CANCELLED);
  });

  for (const [metadata, text] of [
    [{ taskhubName: ' ' }, /taskhubName is missing/],
    [{ workItemType: 'Timer' }, /workItemType is 'Timer'; it must be Orchestration/],
    [{ maxConcurrentWorkItemsCount: '0' }, /maxConcurrentWorkItemsCount is '0'/],
  ] as const) {
    it(`refuse KEDA metadata: ${text.source}`, async () => {
      await assert.rejects(client.call(ExternalScaler.method.isActive, ref(metadata)), {
        code: status.INVALID_ARGUMENT,
        details: text,
      });
    });
  }

  it('refuse KEDA a metric or hub that there is not', async () => {
    const { getMetrics } = ExternalScaler.method;
    const unknown = { scaledObjectRef: ref({}), metricName: 'cpu' };
    await assert.rejects(client.call(getMetrics, unknown), { details: /no metric 'cpu'/ });
    await assert.rejects(client.call(getMetrics, {}), { details: /scaledObjectRef is missing/ });
    await assert.rejects(
      client.call(ExternalScaler.method.isActive, ref({ taskhubName: 'none' })),
      { code: status.NOT_FOUND },
    );
  });
});
