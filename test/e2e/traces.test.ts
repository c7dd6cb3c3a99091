import assert from 'node:assert/strict';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { systemClock } from '../../src/base/clock.ts';
import { TaskHubClient } from '../../src/client/index.ts';
import type { RunningScheduler } from '../../src/server/index.ts';
import { openScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { NodeProcess } from '../support/node-process.ts';
import type { ReceivedSpan } from '../support/otlp-receiver.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';

const WORKER = new URL('./support/traced-worker.ts', import.meta.url);
const [INTERNAL, SERVER, CLIENT] = [1, 2, 3];
const never = new AbortController().signal;

describe('traces', function () {
  this.timeout(30_000);
  let receiver: OtlpReceiver;
  let scheduler: RunningScheduler;
  let client: TaskHubClient;
  let worker: NodeProcess;
  let provider: BasicTracerProvider;

  before(async () => {
    receiver = await OtlpReceiver.open();
    const exporter = new OTLPTraceExporter({ url: `${receiver.url}/v1/traces` });
    provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    trace.setGlobalTracerProvider(provider);
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const ports = { grpcPort: 0, httpPort: 0 };
    scheduler = await openScheduler({ storage: 'memory', ...ports, logger: silentLogger });
    client = TaskHubClient.open({ endpoint: scheduler.grpcEndpoint, taskHub: 'default' });
    worker = await startWorker();
  });

  after(async () => {
    await worker.end('SIGKILL');
    await client.close();
    await scheduler.close();
    await provider.shutdown();
    trace.disable();
    context.disable();
    await receiver.close();
  });

  async function startWorker(): Promise<NodeProcess> {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_BSP_SCHEDULE_DELAY: '20',
    };
    const started = new NodeProcess(WORKER, [scheduler.grpcEndpoint], { env });
    await started.ready();
    return started;
  }

  /** Runs an orchestration within a span of the caller and returns its trace once `count` spans arrived. */
  async function traceOf(name: string, count: number): Promise<Trace> {
    const id = await started(name);
    await client.waitForOrchestrationCompletion(id, true, 20);
    return arrived(id, count);
  }

  async function started(name: string): Promise<string> {
    return trace.getTracer('caller').startActiveSpan('caller', async (span) => {
      const id = await client.scheduleNewOrchestration(name);
      span.end();
      return id;
    });
  }

  /** The spans of the trace that an instance belongs to, when there are so many of them. */
  async function arrived(instanceId: string, count: number): Promise<Trace> {
    const lateAt = systemClock.now() + 10_000;
    for (;;) {
      const first = receiver.spans.find(
        ({ attributes }) => attributes['durabletask.task.instance_id'] === instanceId,
      );
      const spans = receiver.spans.filter(({ traceId }) => traceId === first?.traceId);
      if (spans.length >= count) return new Trace(spans);
      assert.ok(systemClock.now() < lateAt, `got ${spans.map(({ name }) => name).join(', ')}`);
      await systemClock.sleepUntil(systemClock.now() + 10, { signal: never });
    }
  }

  it('lead from the caller through a chain, each step once', async () => {
    const found = await traceOf('Chain', 8);

    assert.deepEqual(found.tree(), [
      'caller',
      '  create_orchestration:Chain PRODUCER',
      '    TaskHubSidecarService/StartInstance SERVER',
      '    orchestration:Chain SERVER',
      '      activity:Add CLIENT',
      '        activity:Add SERVER',
      '      activity:Add CLIENT',
      '        activity:Add SERVER',
    ]);
  });

  it('carry the attributes that queries look for', async () => {
    const found = await traceOf('Chain', 8);

    const orchestration = found.one('orchestration:Chain', SERVER);
    assert.equal(orchestration.attributes['durabletask.type'], 'orchestration');
    assert.equal(orchestration.attributes['durabletask.task.name'], 'Chain');
    assert.equal(orchestration.attributes['durabletask.task.status'], 'Completed');
    const [activity] = found.all('activity:Add', SERVER);
    assert.ok(activity !== undefined);
    assert.equal(activity.attributes['durabletask.type'], 'activity');
    assert.equal(activity.attributes['durabletask.task.task_id'], 1);
    assert.ok(orchestration.startAt <= orchestration.endAt);
  });

  it('show a fan-out side by side', async () => {
    const found = await traceOf('FanOut', 10);

    assert.equal(found.tree().filter((line) => line === '      activity:Add CLIENT').length, 3);
    assert.equal(found.tree().filter((line) => line === '        activity:Add SERVER').length, 3);
  });

  it('go on in a sub-orchestration', async () => {
    const found = await traceOf('Parent', 10);

    assert.deepEqual(found.tree().slice(3, 7), [
      '    orchestration:Parent SERVER',
      '      orchestration:Chain CLIENT',
      '        orchestration:Chain SERVER',
      '          activity:Add CLIENT',
    ]);
  });

  it('go on in an entity, and in what the entity starts', async () => {
    const found = await traceOf('Count', 13);

    const lines = found.tree();
    assert.deepEqual(lines.slice(3, 9), [
      '    orchestration:Count SERVER',
      '      signal_entity:add PRODUCER',
      '        entity:counter SERVER',
      '      call_entity:add CLIENT',
      '        entity:counter SERVER',
      '          orchestration:Chain SERVER',
    ]);
    const [run] = found.all('entity:counter', SERVER);
    assert.equal(run?.attributes['durabletask.entity.operation'], 'add');
  });

  it('begin with the client of a signal', async () => {
    await client.signalEntity('@counter@signalled', 'add', 1);

    const lateAt = systemClock.now() + 10_000;
    const ofSignal = ({ attributes }: ReceivedSpan): boolean =>
      attributes['durabletask.entity.instance_id'] === '@counter@signalled';
    while (receiver.spans.filter(ofSignal).length < 2) {
      assert.ok(systemClock.now() < lateAt, 'no span of the signal');
      await systemClock.sleepUntil(systemClock.now() + 10, { signal: never });
    }
    const [sent, run] = receiver.spans.filter(ofSignal).toSorted((a, b) => b.kind - a.kind);
    assert.equal(sent?.name, 'signal_entity:add');
    assert.equal(run?.name, 'entity:counter');
    assert.equal(run.parentSpanId, sent.spanId);
  });

  it('show each attempt of a retry and the timers between, failures as errors', async () => {
    const found = await traceOf('Retry', 12);

    const attempts = found.all('activity:FailTwice', CLIENT);
    assert.deepEqual(
      attempts.map(({ statusCode }) => statusCode),
      [2, 2, 0],
    );
    assert.deepEqual(attempts[0]?.eventNames, ['exception']);
    assert.equal(found.all('orchestration:Retry:timer', INTERNAL).length, 2);
    assert.equal(found.one('orchestration:Retry', SERVER).statusCode, 0);
  });

  it('stay whole when the worker is killed in the middle', async () => {
    const id = await started('Interrupted');
    await arrived(id, 5);
    await worker.end('SIGKILL');
    worker = await startWorker();
    await client.raiseOrchestrationEvent(id, 'go');
    await client.waitForOrchestrationCompletion(id, true, 20);

    const found = await arrived(id, 9);
    assert.deepEqual(found.tree(), [
      'caller',
      '  create_orchestration:Interrupted PRODUCER',
      '    TaskHubSidecarService/StartInstance SERVER',
      '    orchestration:Interrupted SERVER',
      '      activity:Add CLIENT',
      '        activity:Add SERVER',
      '      orchestration:Interrupted:timer INTERNAL',
      '      activity:Add CLIENT',
      '        activity:Add SERVER',
    ]);
  });

  it('begin with the orchestration when its starter has none', async () => {
    trace.disable();
    const id = await client.scheduleNewOrchestration('Chain');
    await client.waitForOrchestrationCompletion(id, true, 20);
    trace.setGlobalTracerProvider(provider);

    const found = await arrived(id, 5);
    assert.deepEqual(found.tree(), [
      'orchestration:Chain SERVER',
      '  activity:Add CLIENT',
      '    activity:Add SERVER',
      '  activity:Add CLIENT',
      '    activity:Add SERVER',
    ]);
  });

  it('say nothing at all of a start that its caller does not sample, and nothing of what it leads to', async () => {
    const unsampled = { traceParent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00` };
    const before = receiver.spans.length;
    for (const name of ['Parent', 'Count']) {
      const id = await client.scheduleNewOrchestration(name, undefined, unsampled);
      await client.waitForOrchestrationCompletion(id, true, 20);
    }
    await traceOf('Chain', 8);

    assert.equal(new Set(receiver.spans.slice(before).map(({ traceId }) => traceId)).size, 1);
  });
});

/** All spans of one trace. */
class Trace {
  readonly #spans: readonly ReceivedSpan[];

  constructor(spans: readonly ReceivedSpan[]) {
    this.#spans = spans.toSorted((a, b) => a.startAt - b.startAt || taskId(a) - taskId(b));
  }

  all(name: string, kind: number | undefined): ReceivedSpan[] {
    return this.#spans.filter((span) => span.name === name && span.kind === kind);
  }

  one(name: string, kind: number | undefined): ReceivedSpan {
    const [span, another] = this.all(name, kind);
    assert.ok(span !== undefined && another === undefined, `not one ${name}`);
    return span;
  }

  /** One line for each span, below its parent; every span must have a place. */
  tree(parentSpanId = '', indent = ''): string[] {
    const lines = this.#spans
      .filter((span) => span.parentSpanId === parentSpanId)
      .flatMap((span) => [
        `${indent}${span.name}${kindName(span)}`,
        ...this.tree(span.spanId, `${indent}  `),
      ]);
    if (indent === '') assert.equal(lines.length, this.#spans.length, 'a span has no parent');
    return lines;
  }
}

function taskId({ attributes }: ReceivedSpan): number {
  return Number(attributes['durabletask.task.task_id'] ?? -1);
}

function kindName({ name, kind }: ReceivedSpan): string {
  return name === 'caller'
    ? ''
    : ` ${['', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER'][kind] ?? ''}`;
}
