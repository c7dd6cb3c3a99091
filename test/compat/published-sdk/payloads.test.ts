import assert from 'node:assert/strict';
import { OrchestrationStatus, whenAll } from '@microsoft/durabletask-js';
import { azureManaged, publishedSdk } from '../support/published-sdk.ts';

const { COMPLETED, FAILED } = OrchestrationStatus;
const ONE_MB = 1024 * 1024;
const INVALID_ARGUMENT = 3;

/** A text that takes `bytes` as JSON, its quotes included. */
function textOf(bytes: number): string {
  return 'x'.repeat(bytes - 2);
}

describe('Payloads of the published SDK', function () {
  this.timeout(20_000);
  const sdk = publishedSdk(azureManaged);
  sdk.activity('Make', (_, bytes: number) => textOf(bytes));
  sdk.activity('Measure', (_, text: string) => text.length);
  sdk.orchestrator('Measure', async function* (_, text: string) {
    yield* [];
    return text.length;
  });
  sdk.orchestrator('CallMake', async function* (context, bytes: number) {
    const text = (yield context.callActivity('Make', bytes)) as string;
    return text.length;
  });
  sdk.orchestrator('CallMeasure', async function* (context, bytes: number) {
    return yield context.callActivity('Measure', textOf(bytes));
  });
  sdk.orchestrator('Make', async function* (_, bytes: number) {
    yield* [];
    return textOf(bytes);
  });
  sdk.orchestrator('Status', async function* (context, bytes: number) {
    yield* [];
    context.setCustomStatus(textOf(bytes));
    return 'ok';
  });
  sdk.orchestrator('Event', async function* (context) {
    const text = (yield context.waitForExternalEvent('Data')) as string;
    return text.length;
  });

  // [wp 2.1-start]
  it('of a start may be 1 MB', async () => {
    assert.equal(await sdk.output('Measure', textOf(ONE_MB)), ONE_MB - 2);
  });

  // [wp 2.1-start]
  it('of a start over 1 MB are refused by name, size, limit and setting', async () => {
    await assert.rejects(sdk.start('Measure', textOf(ONE_MB + 1)), (error: Error) => {
      assert.match(error.message, /orchestration input takes 1048577 bytes/);
      assert.match(error.message, /limit of 1048576 bytes/);
      assert.match(error.message, /payloadLimits\.orchestrationInput/);
      return true;
    });
  });

  // [wp 2.1-event]
  it('of an event may be 1 MB and no more', async () => {
    const id = await sdk.running('Event');
    await assert.rejects(
      sdk.client.raiseOrchestrationEvent(id, 'Data', textOf(ONE_MB + 1)),
      (error: Error & { readonly code?: number }) => error.code === INVALID_ARGUMENT,
    );
    await sdk.client.raiseOrchestrationEvent(id, 'Data', textOf(ONE_MB));
    assert.equal((await sdk.ended(id)).serializedOutput, String(ONE_MB - 2));
  });

  // [wp 2.1-activity-result]
  it('of an activity may be 1 MB; a larger result fails the activity', async () => {
    assert.equal(await sdk.output('CallMake', ONE_MB), ONE_MB - 2);
    const state = await sdk.run('CallMake', ONE_MB + 1);
    assert.equal(state.runtimeStatus, FAILED);
    assert.match(state.failureDetails?.message ?? '', /activity output takes 1048577 bytes/);
  });

  // [wp 2.1-action]
  it('given to an activity may be 1 MB; more fails the orchestration', async () => {
    assert.equal(await sdk.output('CallMeasure', ONE_MB), ONE_MB - 2);
    const state = await sdk.run('CallMeasure', ONE_MB + 1);
    assert.equal(state.runtimeStatus, FAILED);
    assert.equal(state.failureDetails?.errorType, 'PayloadTooLarge');
    assert.match(state.failureDetails.message, /activity input takes 1048577 bytes/);
  });

  // [wp 2.1-action]
  it('of an orchestration’s result may be 1 MB; more fails it', async () => {
    const state = await sdk.run('Make', ONE_MB);
    assert.equal(state.runtimeStatus, COMPLETED);
    assert.equal(state.serializedOutput?.length, ONE_MB);
    const over = await sdk.run('Make', ONE_MB + 1);
    assert.equal(over.runtimeStatus, FAILED);
    assert.match(over.failureDetails?.message ?? '', /payloadLimits\.orchestrationOutput/);
  });

  // [wp 2.1-action]
  it('of a custom status over 1 MB fail the orchestration', async () => {
    const state = await sdk.run('Status', ONE_MB + 1);
    assert.equal(state.runtimeStatus, FAILED);
    assert.match(state.failureDetails?.message ?? '', /custom status takes/);
  });

  // [wp 2-opaque]
  it('come back as they went, whatever they hold', async () => {
    const value = { text: 'žluťoučký 🐎 \u0000 \\ "', list: [null, true, 1.5, { '': [] }] };
    const state = await sdk.run('Same', value);
    assert.equal(state.serializedInput, JSON.stringify(value));
    assert.equal(state.serializedOutput, JSON.stringify(value));
  });
  sdk.orchestrator('Same', async function* (_, value: unknown) {
    yield* [];
    return value;
  });

  // [wp 2-empty-input]
  it('may be absent', async () => {
    assert.equal((await sdk.run('Same')).runtimeStatus, COMPLETED);
  });

  sdk.orchestrator('FanIn', async function* (context, count: number) {
    const tasks = Array.from({ length: count }, () => context.callActivity('Make', ONE_MB));
    const texts = (yield whenAll(tasks)) as string[];
    return texts.reduce((sum, text) => sum + text.length, 0);
  });
  // [wp 5.1-large-history, 2.1-fan-in]
  it('of a fan-in of 12 MB arrive over several turns', async () => {
    assert.equal(await sdk.output('FanIn', 12), 12 * (ONE_MB - 2));
  });
});
