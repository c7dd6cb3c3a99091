import assert from 'node:assert/strict';
import { OrchestrationStatus } from '@microsoft/durabletask-js';
import { publishedSdk } from '../support/published-sdk.ts';

interface Progress {
  readonly left: number;
  readonly seen: readonly unknown[];
}

describe('Generations and custom status of the published SDK', function () {
  this.timeout(15_000);
  const sdk = publishedSdk();
  sdk.activity('Echo', (_, value: unknown) => value);

  sdk.orchestrator('Countdown', async function* (context, n: number) {
    yield context.callActivity('Echo', n);
    if (n > 0) context.continueAsNew(n - 1, false);
    return 'landed';
  });
  // [wp 5.11-new-execution]
  it('run one after the other, each with the input of the last', async () => {
    const state = await sdk.run('Countdown', 5);
    assert.equal(state.serializedOutput, '"landed"');
    assert.equal(state.serializedInput, '0');
  });

  // [wp 5.11-history]
  it('leave only the history of the last one', async () => {
    const { instanceId } = await sdk.run('Countdown', 3);
    const events = await sdk.history(instanceId);
    assert.deepEqual(
      events.filter(({ type }) => type.startsWith('Execution')).map(({ type }) => type),
      ['ExecutionStarted', 'ExecutionCompleted'],
    );
  });

  sdk.orchestrator('Tight', async function* (context, n: number) {
    yield* [];
    if (n > 0) context.continueAsNew(n - 1, false);
    return n;
  });
  // [wp 5.11-tight-loop]
  it('may follow each other without a pause, beside others that make progress', async () => {
    const loops = Promise.all([sdk.output('Tight', 100), sdk.output('Tight', 100)]);
    assert.equal(await sdk.output('Countdown', 0), 'landed');
    assert.deepEqual(await loops, [0, 0]);
  });

  sdk.orchestrator('Drain', async function* (context, { left, seen }: Progress) {
    const value = yield context.waitForExternalEvent('Item');
    const all = [...seen, value];
    if (left === 1) return all;
    context.continueAsNew({ left: left - 1, seen: all }, true);
    return undefined;
  });
  // [wp 5.11-carryover, 5.11-inbox-survives]
  it('take along the events that were not consumed', async () => {
    const id = await sdk.running('Drain', { left: 10, seen: [] });
    for (let n = 0; n < 10; n += 1) await sdk.client.raiseOrchestrationEvent(id, 'Item', n);
    assert.equal((await sdk.ended(id)).serializedOutput, JSON.stringify([...Array(10).keys()]));
  });

  sdk.orchestrator('Forget', async function* (context, round: number) {
    if (round === 0) {
      yield context.waitForExternalEvent('Go');
      context.continueAsNew(1, false);
      return undefined;
    }
    return yield context.waitForExternalEvent('Item');
  });
  // [wp 5.11-carryover]
  it('leave delivered events behind when they are not to be saved', async () => {
    const id = await sdk.running('Forget', 0);
    await sdk.client.raiseOrchestrationEvent(id, 'Item', 'old');
    await sdk.reaches(id, () => true);
    await sdk.client.raiseOrchestrationEvent(id, 'Go');
    await sdk.reaches(id, ({ serializedInput }) => serializedInput === '1');
    await sdk.client.raiseOrchestrationEvent(id, 'Item', 'new');
    assert.equal((await sdk.ended(id)).serializedOutput, '"new"');
  });

  sdk.orchestrator('Passenger', async function* (context, round: number) {
    if (round === 0) {
      context.createTimer(0.05);
      context.continueAsNew(1, false);
      return undefined;
    }
    const from = context.currentUtcDateTime.getTime();
    yield context.createTimer(0.2);
    return context.currentUtcDateTime.getTime() - from >= 200;
  });
  // [wp 5.11-fenced, 5.5-can-mixture]
  it('are not woken by timers of the one before', async () => {
    assert.equal(await sdk.output('Passenger', 0), true);
  });

  // [wp 5.11-status]
  it('show as running, with the first creation time', async () => {
    const id = await sdk.running('Drain', { left: 2, seen: [] });
    const before = await sdk.state(id);
    await sdk.client.raiseOrchestrationEvent(id, 'Item', 1);
    const after = await sdk.reaches(
      id,
      ({ serializedInput }) => serializedInput !== before.serializedInput,
    );
    assert.equal(after.runtimeStatus, OrchestrationStatus.RUNNING);
    assert.deepEqual(after.createdAt, before.createdAt);
    await sdk.client.terminateOrchestration(id);
  });

  sdk.orchestrator('KeepTags', async function* (context, n: number) {
    yield* [];
    if (n > 0) context.continueAsNew(n - 1, false);
    return context.version;
  });
  // [wp 5.11-same-identity, 2-tags]
  it('keep tags and version', async () => {
    const state = await sdk.run('KeepTags', 2, { tags: { team: 'blue' }, version: '1.2.3' });
    assert.deepEqual(state.tags, { team: 'blue' });
    assert.equal(state.serializedOutput, '"1.2.3"');
  });

  sdk.orchestrator('Status', async function* (context) {
    context.setCustomStatus({ step: 1 });
    yield context.waitForExternalEvent('Next');
    context.setCustomStatus({ step: 2 });
    yield context.waitForExternalEvent('Next');
    context.setCustomStatus(undefined);
    yield context.waitForExternalEvent('Next');
    return 'done';
  });
  // [wp 5.10-overwrite]
  it('show the custom status of the last turn, and none once it is cleared', async () => {
    const id = await sdk.running('Status');
    assert.equal((await sdk.state(id)).serializedCustomStatus, '{"step":1}');
    await sdk.client.raiseOrchestrationEvent(id, 'Next');
    await sdk.reaches(id, ({ serializedCustomStatus: text }) => text === '{"step":2}');
    await sdk.client.raiseOrchestrationEvent(id, 'Next');
    await sdk.reaches(id, ({ serializedCustomStatus: text }) => text === undefined || text === '');
    await sdk.client.raiseOrchestrationEvent(id, 'Next');
    assert.equal((await sdk.ended(id)).serializedOutput, '"done"');
  });

  sdk.orchestrator('FailWithStatus', async function* (context) {
    context.setCustomStatus('nearly there');
    yield context.callActivity('Echo', 1);
    throw new Error('not today');
  });
  // [wp 5.10-keep-on-failure]
  it('keep the custom status through a failure', async () => {
    const state = await sdk.run('FailWithStatus');
    assert.equal(state.runtimeStatus, OrchestrationStatus.FAILED);
    assert.equal(state.serializedCustomStatus, '"nearly there"');
  });

  sdk.orchestrator('StatusAcross', async function* (context, round: number) {
    if (round === 0) {
      context.setCustomStatus('first');
      yield context.callActivity('Echo', 1);
      context.continueAsNew(1, false);
      return undefined;
    }
    yield context.waitForExternalEvent('Go');
    return undefined;
  });
  it('drop the custom status once the next generation does not set it', async () => {
    const id = await sdk.running('StatusAcross', 0);
    await sdk.reaches(id, ({ serializedInput }) => serializedInput === '1');
    await sdk.client.raiseOrchestrationEvent(id, 'Go');
    assert.equal((await sdk.ended(id)).serializedCustomStatus, undefined);
  });
});
