import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/base/clock.ts';
import { TaskHubClient } from '../../src/client/index.ts';
import { PACKAGE_VERSION } from '../../src/client/user-agent.ts';
import { openDevHost } from '../../src/devhost/dev-host.ts';
import type { RunningScheduler } from '../../src/server/index.ts';
import { openScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { RECORDED } from '../../src/telemetry/metrics.ts';
import type { Envelope } from '../support/ingestion-stub.ts';
import { IngestionStub } from '../support/ingestion-stub.ts';

const REGISTER = new URL('../../src/register/register.ts', import.meta.url).href;
const TRACE_ID = 'c'.repeat(32);
const CALLER = { traceParent: `00-${TRACE_ID}-${'d'.repeat(16)}-01` };

describe('an app with an Application Insights connection string', function () {
  this.timeout(60_000);
  let stub: IngestionStub;
  let scheduler: RunningScheduler;
  let all: readonly Envelope[];
  let envelopes: readonly Envelope[];

  before(async () => {
    stub = await IngestionStub.open();
    const ports = { grpcPort: 0, httpPort: 0 };
    scheduler = await openScheduler({
      ...{ storage: 'memory', taskHubs: ['insights'], logger: silentLogger, ...ports },
    });
    const host = await openDevHost({
      ...{ appDir: fileURLToPath(new URL('./apps/commonjs', import.meta.url)), port: 0 },
      ...{ host: '127.0.0.1', preloads: [REGISTER], pathAliases: {}, watch: false },
      ...{ inspect: undefined, logger: silentLogger, clock: systemClock, output: () => undefined },
      env: {
        TASKHUB_NAME: 'insights',
        DURABLE_TASK_SCHEDULER_CONNECTION_STRING: `Endpoint=${scheduler.grpcEndpoint};TaskHub=unused;Authentication=None`,
        APPLICATIONINSIGHTS_CONNECTION_STRING: stub.connectionString,
        APPLICATION_INSIGHTS_NO_STATSBEAT: 'true',
        NODE_TLS_REJECT_UNAUTHORIZED: '0',
        WEBSITE_SITE_NAME: 'hello-app',
      },
    });
    const address = { endpoint: scheduler.grpcEndpoint, taskHub: 'insights' };
    const client = TaskHubClient.open(address);
    for (const name of ['helloCities', 'fails']) {
      const id = await client.scheduleNewOrchestration(name, undefined, CALLER);
      await client.waitForOrchestrationCompletion(id, true, 20);
    }
    await client.close();
    // What is held back leaves with the app.
    await host.close();
    await scheduler.close();
    await stub.close();
    all = stub.envelopes;
    envelopes = all.filter(({ tags }) => tags['ai.operation.id'] === TRACE_ID);
  });

  function find(baseType: string, name: string): Envelope[] {
    return envelopes.filter(
      ({ data }) => data.baseType === baseType && data.baseData.name === name,
    );
  }

  it('sends its orchestrations as requests of the operation that started them', () => {
    const [request, another] = find('RequestData', 'orchestration:helloCities');

    assert.ok(request !== undefined && another === undefined);
    assert.match(request.name, /^Microsoft\.ApplicationInsights\.(\w+\.)?Request$/);
    assert.equal(request.iKey, '00000000-0000-0000-0000-000000000001');
    assert.equal(request.tags['ai.operation.parentId'], 'd'.repeat(16));
    assert.equal(request.data.baseData.success, true);
    assert.match(request.data.baseData.duration, /^(\d+\.)?\d\d:\d\d:\d\d\.\d+$/);
    assert.equal(request.data.baseData.properties['durabletask.task.status'], 'Completed');
  });

  it('sends its activities as dependencies and, below them, requests', () => {
    const calls = find('RemoteDependencyData', 'activity:sayHello');
    const runs = find('RequestData', 'activity:sayHello');

    assert.equal(calls.length, 3);
    assert.deepEqual(
      runs.map(({ tags }) => tags['ai.operation.parentId']).toSorted(),
      calls.map(({ data }) => data.baseData.id).toSorted(),
    );
  });

  it('sends the metrics of its worker', () => {
    const metrics = all.flatMap(({ data }) => data.baseData.metrics ?? []);
    const worked = metrics.filter(({ name }) => name === RECORDED.workDuration.instrument);

    assert.ok(worked.length > 0, metrics.map(({ name }) => name).join(', '));
  });

  /** The tracking events of a function, in the order of their sequence numbers. */
  function tracked(functionName: string): Readonly<Record<string, string>>[] {
    return envelopes
      .filter(({ data }) => data.baseType === 'MessageData')
      .map(({ data }) => data.baseData.properties)
      .filter(
        (fields) =>
          fields['Category'] === 'Host.Triggers.DurableTask' &&
          fields['prop__functionName'] === functionName,
      )
      .toSorted((a, b) => Number(a['prop__sequenceNumber']) - Number(b['prop__sequenceNumber']));
  }

  it('tells what its functions do in the fields that queries of Durable Functions use', () => {
    const states = (name: string) => tracked(name).map((fields) => fields['prop__state']);
    assert.deepEqual(states('helloCities'), [
      ...['Scheduled', 'Started', 'Awaited', 'Awaited', 'Awaited', 'Completed'],
    ]);
    assert.deepEqual(states('sayHello').toSorted(), [
      ...['Completed', 'Completed', 'Completed', 'Scheduled', 'Scheduled', 'Scheduled'],
      ...['Started', 'Started', 'Started'],
    ]);
    assert.equal(states('fails').at(-1), 'Failed');
    const [scheduled, started] = tracked('helloCities');
    assert.equal(scheduled?.['prop__reason'], 'NewInstance');
    const { prop__instanceId: id, prop__sequenceNumber: number, ...fields } = started ?? {};
    assert.deepEqual(fields, {
      ...{ Category: 'Host.Triggers.DurableTask', LogLevel: 'Information' },
      ...{ prop__functionName: 'helloCities', prop__functionType: 'Orchestrator' },
      ...{ prop__state: 'Started', prop__isReplay: 'False', prop__runtimeStatus: 'Running' },
      ...{ prop__input: '(null)', prop__hubName: 'insights', prop__appName: 'hello-app' },
      ...{ prop__slotName: '', prop__extensionVersion: PACKAGE_VERSION },
    });
    assert.ok(id !== undefined && number !== undefined);
    const [called] = tracked('sayHello');
    assert.equal(called?.['prop__instanceId'], id);
    assert.equal(called['prop__reason'], 'helloCities');
  });

  it('tells the same in words', () => {
    const messages = envelopes.flatMap(({ data }) => data.baseData.message ?? []);
    const completed = messages.find((text) => text.includes("'helloCities (Orchestrator)' comple"));
    assert.match(
      completed ?? '',
      /^\S+: Function 'helloCities \(Orchestrator\)' completed\. IsReplay: False\. ContinuedAsNew: False\. Output: \(\d+ bytes\)\. RuntimeStatus: Completed\. State: Completed\. HubName: insights\. AppName: hello-app\. SlotName: \. ExtensionVersion: \S+\. SequenceNumber: \d+\.$/,
    );
  });

  it('marks what failed and says why', () => {
    const [request] = find('RequestData', 'orchestration:fails');
    const exceptions = envelopes.filter(({ data }) => data.baseType === 'ExceptionData');

    assert.equal(request?.data.baseData.success, false);
    assert.ok(JSON.stringify(exceptions).includes('too far'));
  });
});
