import assert from 'node:assert/strict';
import {
  HistoryEventType,
  RetryPolicy,
  terminateOptions,
  whenAll,
} from '@microsoft/durabletask-js';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { freshId, history } from '../support/calls.ts';
import { assertLaws, shape } from '../support/history-shape.ts';
import { publishedSdk } from '../support/published-sdk.ts';

describe('Histories that the published SDK leaves', function () {
  this.timeout(15_000);
  const sdk = publishedSdk();
  const attempts = new Map<string, number>();
  const mended = new Set<string>();
  sdk.activity('Echo', (_, value: unknown) => value);
  sdk.activity('FlakyOnce', (context) => {
    const attempt = (attempts.get(context.orchestrationId) ?? 0) + 1;
    attempts.set(context.orchestrationId, attempt);
    if (attempt === 1) throw new Error('first');
    return attempt;
  });
  sdk.activity('Broken', (context) => {
    if (!mended.has(context.orchestrationId)) throw new Error('broken');
    return 'whole';
  });
  sdk.orchestrator('Child', async function* (_, value: unknown) {
    yield* [];
    if (value === 'fail') throw new Error('told to');
    return value;
  });

  async function shapeOf(instanceId: string): Promise<readonly string[]> {
    const events = await history(sdk.host.client, instanceId);
    assertLaws(events);
    return shape(events);
  }

  async function shapeAfter(name: string, input?: unknown): Promise<readonly string[]> {
    const { instanceId } = await sdk.run(name, input);
    return shapeOf(instanceId);
  }

  sdk.orchestrator('Three', async function* (context) {
    yield context.callActivity('Echo', 1);
    yield context.createTimer(0.01);
    return yield context.callSubOrchestrator('Child', 2);
  });
  // [wp 3.11-twelve-events, 3.11-not-stored, 3.11-event-ids]
  it('are the product’s twelve events for activity, timer and child', async () => {
    assert.deepEqual(await shapeAfter('Three'), [
      'orchestratorStarted -1',
      'executionStarted -1',
      'taskScheduled 1',
      'orchestratorStarted -1',
      'taskCompleted -1 ← 1',
      'timerCreated 2',
      'orchestratorStarted -1',
      'timerFired -1 ← 2',
      'subOrchestrationInstanceCreated 3',
      'orchestratorStarted -1',
      'subOrchestrationInstanceCompleted -1 ← 3',
      'executionCompleted -1',
    ]);
  });

  // [wp 3.11-times, 2-timestamps]
  it('have times that go on, and fireAt on both events of a timer', async () => {
    const { instanceId } = await sdk.run('Three');
    const events = await history(sdk.host.client, instanceId);
    const times = events.map(({ timestamp }) => (timestamp ? timestampMs(timestamp) : Number.NaN));
    assert.ok(times.every((time) => time > 0));
    const created = events.find(({ eventType }) => eventType.case === 'timerCreated');
    const fired = events.find(({ eventType }) => eventType.case === 'timerFired');
    assert.ok(created?.eventType.case === 'timerCreated' && fired?.eventType.case === 'timerFired');
    assert.deepEqual(created.eventType.value.fireAt, fired.eventType.value.fireAt);
    assert.ok(fired.eventType.value.fireAt);
  });

  // [wp 3.11-clients]
  it('read the same through the SDK’s own client', async () => {
    const { instanceId } = await sdk.run('Three');
    const events = await sdk.history(instanceId);
    assert.equal(events.length, 12);
    assert.equal(events[0]?.type, HistoryEventType.OrchestratorStarted);
    assert.equal(events[11]?.type, HistoryEventType.ExecutionCompleted);
  });

  sdk.orchestrator('Chain', async function* (context) {
    yield context.callActivity('Echo', 1);
    return yield context.callActivity('Echo', 2);
  });
  // [wp 3.11-chain]
  it('of a chain alternate between schedule and result', async () => {
    assert.deepEqual(await shapeAfter('Chain'), [
      'orchestratorStarted -1',
      'executionStarted -1',
      'taskScheduled 1',
      'orchestratorStarted -1',
      'taskCompleted -1 ← 1',
      'taskScheduled 2',
      'orchestratorStarted -1',
      'taskCompleted -1 ← 2',
      'executionCompleted -1',
    ]);
  });

  sdk.orchestrator('FanOut', async function* (context) {
    return yield whenAll([1, 2, 3].map((n) => context.callActivity('Echo', n)));
  });
  // [wp 3.11-fan-out]
  it('of a fan-out hold all schedules first, and each result once', async () => {
    const all = await shapeAfter('FanOut');
    assert.deepEqual(all.slice(0, 6), [
      'orchestratorStarted -1',
      'executionStarted -1',
      'taskScheduled 1',
      'taskScheduled 2',
      'taskScheduled 3',
      'orchestratorStarted -1',
    ]);
    const rest = all.slice(5).filter((text) => text !== 'orchestratorStarted -1');
    assert.deepEqual([...rest].sort(), [
      'executionCompleted -1',
      'taskCompleted -1 ← 1',
      'taskCompleted -1 ← 2',
      'taskCompleted -1 ← 3',
    ]);
    assert.equal(rest.at(-1), 'executionCompleted -1');
  });

  sdk.orchestrator('CatchChild', async function* (context) {
    try {
      yield context.callSubOrchestrator('Child', 'fail');
    } catch {
      return 'caught'; // its failure is what the history shows
    }
    return 'not thrown';
  });
  // [wp 3.11-child-failure]
  it('of a failed child name the schedule that failed', async () => {
    assert.deepEqual(await shapeAfter('CatchChild'), [
      'orchestratorStarted -1',
      'executionStarted -1',
      'subOrchestrationInstanceCreated 1',
      'orchestratorStarted -1',
      'subOrchestrationInstanceFailed -1 ← 1',
      'executionCompleted -1',
    ]);
  });

  sdk.orchestrator('Retry', async function* (context) {
    const retry = new RetryPolicy({ maxNumberOfAttempts: 3, firstRetryIntervalInMilliseconds: 5 });
    return yield context.callActivity('FlakyOnce', undefined, { retry });
  });
  // [wp 3.11-retry]
  it('of a retry hold the failure, the back-off and the second schedule', async () => {
    assert.deepEqual(await shapeAfter('Retry'), [
      'orchestratorStarted -1',
      'executionStarted -1',
      'taskScheduled 1',
      'orchestratorStarted -1',
      'taskFailed -1 ← 1',
      'timerCreated 2',
      'orchestratorStarted -1',
      'timerFired -1 ← 2',
      'taskScheduled 3',
      'orchestratorStarted -1',
      'taskCompleted -1 ← 3',
      'executionCompleted -1',
    ]);
  });

  sdk.orchestrator('Wait', async function* (context) {
    return yield context.waitForExternalEvent('Go');
  });
  // [wp 3.11-event]
  it('of an event hold it at the head of its turn', async () => {
    const id = await sdk.running('Wait');
    await sdk.client.raiseOrchestrationEvent(id, 'Go', 1);
    await sdk.ended(id);
    assert.deepEqual(await shapeOf(id), [
      'orchestratorStarted -1',
      'executionStarted -1',
      'orchestratorStarted -1',
      'eventRaised -1',
      'executionCompleted -1',
    ]);
  });

  // [wp 3.11-terminate]
  it('of a terminate hold it before the end', async () => {
    const id = await sdk.running('Wait');
    await sdk.client.terminateOrchestration(id, terminateOptions({ output: 'stop' }));
    await sdk.ended(id);
    assert.deepEqual(await shapeOf(id), [
      'orchestratorStarted -1',
      'executionStarted -1',
      'orchestratorStarted -1',
      'executionTerminated -1',
      'executionCompleted -1',
    ]);
  });

  // [wp 3.11-suspend]
  it('of suspend and resume keep the order of arrival', async () => {
    const id = await sdk.running('Wait');
    const until = (kind: HistoryEventType): Promise<void> => sees(id, kind);
    await sdk.client.suspendOrchestration(id);
    await until(HistoryEventType.ExecutionSuspended);
    await sdk.client.raiseOrchestrationEvent(id, 'Go', 1);
    await until(HistoryEventType.EventRaised);
    await sdk.client.resumeOrchestration(id);
    await sdk.ended(id);
    assert.deepEqual(await shapeOf(id), [
      'orchestratorStarted -1',
      'executionStarted -1',
      'orchestratorStarted -1',
      'executionSuspended -1',
      'orchestratorStarted -1',
      'eventRaised -1',
      'orchestratorStarted -1',
      'executionResumed -1',
      'executionCompleted -1',
    ]);
  });

  async function sees(id: string, kind: HistoryEventType): Promise<void> {
    while (!(await sdk.history(id)).some(({ type }) => type === kind));
  }

  sdk.orchestrator('Again', async function* (context, n: number) {
    yield context.callActivity('Echo', n);
    if (n > 0) context.continueAsNew(n - 1, false);
    return n;
  });
  // [wp 5.11-history]
  it('of continue-as-new begin anew', async () => {
    assert.deepEqual(await shapeAfter('Again', 2), [
      'orchestratorStarted -1',
      'executionStarted -1',
      'taskScheduled 1',
      'orchestratorStarted -1',
      'taskCompleted -1 ← 1',
      'executionCompleted -1',
    ]);
  });

  sdk.orchestrator('Repair', async function* (context) {
    return yield context.callActivity('Broken');
  });
  // [wp 6.3-activity, 6.3-rewound-event]
  it('of a rewind hold neither the failure nor its schedule, but the rewind', async () => {
    const { instanceId } = await sdk.run('Repair');
    mended.add(instanceId);
    await sdk.client.rewindInstance(instanceId, 'mended');
    await sdk.ended(instanceId);
    assert.deepEqual(await shapeOf(instanceId), [
      'orchestratorStarted -1',
      'executionStarted -1',
      'orchestratorStarted -1',
      'executionRewound -1',
      'orchestratorStarted -1',
      'taskScheduled 1',
      'orchestratorStarted -1',
      'taskCompleted -1 ← 1',
      'executionCompleted -1',
    ]);
  });

  sdk.orchestrator('Tell', async function* (context, target: string) {
    yield* [];
    context.sendEvent(target, 'Go', 1);
    return 'told';
  });
  // [wp 5.5-send-event]
  it('of a sent event hold it under its action id', async () => {
    assert.deepEqual(await shapeAfter('Tell', freshId('missing')), [
      'orchestratorStarted -1',
      'executionStarted -1',
      'eventSent 1',
      'executionCompleted -1',
    ]);
  });

  // [wp 3.11-missing]
  it('of nobody are empty', async () => {
    assert.deepEqual(await sdk.history(freshId('missing')), []);
  });
});
