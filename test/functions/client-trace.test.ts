import assert from 'node:assert/strict';
import { trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { TaskHubClient } from '../../src/client/task-hub-client.ts';
import { DurableClient } from '../../src/functions/durable-client.ts';
import { EntityId } from '../../src/functions/value-classes.ts';
import { FakeScheduler } from './support/fake-scheduler.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const CALLER = { traceParent: `00-${TRACE_ID}-b7ad6b7169203331-01`, traceState: 'vendor=1' };

describe('the trace of what a durable client sends', () => {
  const link = 'http://localhost/x';
  let scheduler: FakeScheduler;
  let client: DurableClient;
  beforeEach(() => {
    scheduler = new FakeScheduler({ StartInstance: () => ({ instanceId: 'a' }) });
    client = new DurableClient({
      taskHubName: 'hub',
      client: TaskHubClient.open({ connection: scheduler }),
      linksFor: (id) => ({
        ...{ id, statusQueryGetUri: link, sendEventPostUri: link, terminatePostUri: link },
        ...{ rewindPostUri: link, purgeHistoryDeleteUri: link, restartPostUri: link },
        ...{ suspendPostUri: link, resumePostUri: link },
      }),
      openOther: () => TaskHubClient.open({ connection: scheduler }),
      mayReplaceRunning: false,
      trace: CALLER,
    });
  });

  async function sendEverything(): Promise<void> {
    await client.startNew('Hello');
    await client.scheduleNewOrchestration('Hello', 1, 'a');
    await client.scheduleNewOrchestration('Hello', 1, { instanceId: 'a' });
    await client.raiseEvent('a', 'Go', 1);
    await client.raiseOrchestrationEvent('a', 'Go', 1);
    await client.signalEntity(new EntityId('counter', 'a'), 'add', 1);
  }

  it('goes on from the invocation without a tracer in the process', async () => {
    await sendEverything();

    const sent = ['StartInstance', 'SignalEntity']
      .flatMap((method) => scheduler.requestsTo(method))
      .map(({ parentTraceContext }) => parentTraceContext as Record<string, unknown>);
    assert.equal(sent.length, 4);
    for (const { traceParent, traceState } of sent) {
      assert.deepEqual([traceParent, traceState], [CALLER.traceParent, CALLER.traceState]);
    }
  });

  it('gives each of its spans the invocation as parent', async () => {
    const exporter = new InMemorySpanExporter();
    const spanProcessors = [new SimpleSpanProcessor(exporter)];
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
    try {
      await sendEverything();
    } finally {
      trace.disable();
    }

    const spans = exporter.getFinishedSpans();
    assert.deepEqual(
      spans.map(({ name }) => name),
      [
        ...['create_orchestration:Hello', 'create_orchestration:Hello'],
        ...['create_orchestration:Hello', 'orchestration_event:Go', 'orchestration_event:Go'],
        'signal_entity:add',
      ],
    );
    for (const span of spans) {
      assert.equal(span.spanContext().traceId, TRACE_ID, span.name);
      assert.equal(span.parentSpanContext?.spanId, 'b7ad6b7169203331', span.name);
    }
  });
});
