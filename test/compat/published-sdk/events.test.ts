import assert from 'node:assert/strict';
import { OrchestrationStatus, whenAll } from '@microsoft/durabletask-js';
import { freshId } from '../support/calls.ts';
import { publishedSdk } from '../support/published-sdk.ts';

const NOT_FOUND = 5;

describe('Events of the published SDK', function () {
  this.timeout(15_000);
  const sdk = publishedSdk();

  sdk.orchestrator('One', async function* (context, name: string | undefined) {
    return yield context.waitForExternalEvent(name ?? 'Go');
  });
  // [wp 3.5-raise]
  it('wake the orchestration that waits for them', async () => {
    const id = await sdk.running('One');
    await sdk.client.raiseOrchestrationEvent(id, 'Go', { by: 'test' });
    assert.equal((await sdk.ended(id)).serializedOutput, '{"by":"test"}');
  });

  // [wp 3.3-pending-events, 8-raise-after-start]
  it('raised right after the start are not lost', async () => {
    const ids = await Promise.all(
      Array.from({ length: 10 }, async (_, n) => {
        const id = await sdk.start('One');
        await sdk.client.raiseOrchestrationEvent(id, 'Go', n);
        return id;
      }),
    );
    const outputs = await Promise.all(
      ids.map(async (id) => (await sdk.ended(id)).serializedOutput),
    );
    assert.deepEqual(outputs, [...ids.keys()].map(String));
  });

  sdk.orchestrator('Later', async function* (context) {
    yield context.waitForExternalEvent('Ready');
    return yield context.waitForExternalEvent('Early');
  });
  it('raised before anybody waits for them are kept', async () => {
    const id = await sdk.running('Later');
    await sdk.client.raiseOrchestrationEvent(id, 'Early', 'kept');
    await sdk.client.raiseOrchestrationEvent(id, 'Ready');
    assert.equal((await sdk.ended(id)).serializedOutput, '"kept"');
  });

  // [wp 3.5-names]
  it('match their name whatever its case', async () => {
    const id = await sdk.running('One', 'Approval');
    await sdk.client.raiseOrchestrationEvent(id, 'APPROVAL', true);
    assert.equal((await sdk.ended(id)).serializedOutput, 'true');
  });

  it('without data arrive as null', async () => {
    const id = await sdk.running('One');
    await sdk.client.raiseOrchestrationEvent(id, 'Go');
    assert.equal((await sdk.ended(id)).serializedOutput ?? 'null', 'null');
  });

  sdk.orchestrator('Collect', async function* (context, count: number) {
    const seen: unknown[] = [];
    while (seen.length < count) seen.push(yield context.waitForExternalEvent('Item'));
    return seen;
  });
  // [wp 8-event-order]
  it('arrive in the order in which they were raised', async () => {
    const id = await sdk.running('Collect', 20);
    for (let n = 0; n < 20; n += 1) await sdk.client.raiseOrchestrationEvent(id, 'Item', n);
    assert.equal((await sdk.ended(id)).serializedOutput, JSON.stringify([...Array(20).keys()]));
  });

  sdk.orchestrator('Both', async function* (context) {
    return yield whenAll([
      context.waitForExternalEvent('A'),
      context.waitForExternalEvent('B'),
      context.waitForExternalEvent('A'),
    ]);
  });
  it('of one name go to the oldest of those who wait', async () => {
    const id = await sdk.running('Both');
    await sdk.client.raiseOrchestrationEvent(id, 'A', 1);
    await sdk.client.raiseOrchestrationEvent(id, 'A', 2);
    await sdk.client.raiseOrchestrationEvent(id, 'B', 3);
    assert.equal((await sdk.ended(id)).serializedOutput, '[1,3,2]');
  });

  // [wp 3.1-raise-terminal]
  it('for an orchestration that has ended are dropped', async () => {
    const id = await sdk.running('One');
    await sdk.client.raiseOrchestrationEvent(id, 'Go', 1);
    await sdk.ended(id);
    await sdk.client.raiseOrchestrationEvent(id, 'Go', 2);
    assert.equal((await sdk.state(id)).serializedOutput, '1');
  });

  // [wp 3.1-raise-missing]
  it('for nobody are refused', async () => {
    await assert.rejects(sdk.client.raiseOrchestrationEvent(freshId('missing'), 'Go'), {
      code: NOT_FOUND,
    });
  });

  // [wp 5.9-events]
  it('raised while the orchestration is suspended wait for its resumption', async () => {
    const id = await sdk.running('One');
    await sdk.client.suspendOrchestration(id);
    await sdk.reaches(id, ({ runtimeStatus }) => runtimeStatus === OrchestrationStatus.SUSPENDED);
    await sdk.client.raiseOrchestrationEvent(id, 'Go', 'held');
    assert.equal((await sdk.state(id)).runtimeStatus, OrchestrationStatus.SUSPENDED);
    await sdk.client.resumeOrchestration(id);
    assert.equal((await sdk.ended(id)).serializedOutput, '"held"');
  });

  // [wp 3.3-pending-events]
  it('raised before a scheduled start wait for it', async () => {
    const startAt = new Date(sdk.host.clock.now() + 60_000);
    const id = await sdk.start('One', undefined, { startAt });
    await sdk.client.raiseOrchestrationEvent(id, 'Go', 'patient');
    assert.equal((await sdk.state(id)).runtimeStatus, OrchestrationStatus.PENDING);
    sdk.host.clock.advance(61_000);
    assert.equal((await sdk.ended(id)).serializedOutput, '"patient"');
  });

  sdk.orchestrator('Send', async function* (context, target: string) {
    yield* [];
    context.sendEvent(target, 'Go', { from: context.instanceId });
    return 'sent';
  });
  // [wp 5.5-send-event, 5.5-with-completion]
  it('sent by an orchestration reach another one', async () => {
    const target = await sdk.running('One');
    const sender = await sdk.run('Send', target);
    assert.equal(
      (await sdk.ended(target)).serializedOutput,
      JSON.stringify({ from: sender.instanceId }),
    );
  });

  // [wp 5.5-send-event]
  it('sent to nobody harm nobody', async () => {
    assert.equal(await sdk.output('Send', freshId('missing')), 'sent');
  });

  sdk.orchestrator('SendSelf', async function* (context) {
    context.sendEvent(context.instanceId, 'Echo', 'hello me');
    return yield context.waitForExternalEvent('Echo');
  });
  // [wp 5.5-send-self]
  it('sent to oneself arrive', async () => {
    assert.equal(await sdk.output('SendSelf'), 'hello me');
  });

  sdk.orchestrator('Buffered', async function* (context, count: number) {
    yield context.waitForExternalEvent('Start');
    let sum = 0;
    for (let n = 0; n < count; n += 1) {
      sum += (yield context.waitForExternalEvent('Add')) as number;
    }
    return sum;
  });
  it('by the hundred are buffered until they are wanted', async () => {
    const id = await sdk.running('Buffered', 100);
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => sdk.client.raiseOrchestrationEvent(id, 'Add', n)),
    );
    await sdk.client.raiseOrchestrationEvent(id, 'Start');
    assert.equal((await sdk.ended(id)).serializedOutput, '4950');
  });
});
