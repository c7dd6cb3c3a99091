import assert from 'node:assert/strict';
import { OrchestrationStatus, whenAny, type TimerTask } from '@microsoft/durabletask-js';
import { publishedSdk } from '../support/published-sdk.ts';

const HOUR_S = 3600;

describe('Timers of the published SDK', function () {
  this.timeout(15_000);
  const sdk = publishedSdk();

  sdk.orchestrator('Sleep', async function* (context, seconds: number) {
    const from = context.currentUtcDateTime.getTime();
    yield context.createTimer(seconds);
    return context.currentUtcDateTime.getTime() - from;
  });
  // [wp 5.5-timer]
  it('fire no earlier than asked for', async () => {
    const tookMs = (await sdk.output('Sleep', 0.2)) as number;
    assert.ok(tookMs >= 200, `${tookMs} ms`);
  });

  it('of no length fire at once', async () => {
    assert.ok(((await sdk.output('Sleep', 0)) as number) >= 0);
  });

  sdk.orchestrator('SleepUntil', async function* (context, at: string) {
    yield context.createTimer(new Date(at));
    return context.currentUtcDateTime.getTime() >= new Date(at).getTime();
  });
  // [wp 5.5-timer-past]
  it('of the past fire at once', async () => {
    assert.equal(await sdk.output('SleepUntil', '2001-01-01T00:00:00Z'), true);
  });

  // [wp 5.5-timer-long]
  it('of ninety days fire when those are over', async () => {
    const id = await sdk.running('Sleep', 90 * 24 * HOUR_S);
    sdk.host.clock.advance(90 * 24 * HOUR_S * 1000);
    const tookMs = Number((await sdk.ended(id)).serializedOutput);
    assert.ok(tookMs >= 90 * 24 * HOUR_S * 1000);
  });

  // [wp 5.2-clock]
  it('show the orchestrator a clock that is not before their time', async () => {
    const at = new Date(sdk.host.clock.now() + 150).toISOString();
    assert.equal(await sdk.output('SleepUntil', at), true);
  });

  sdk.orchestrator('Cancel', async function* (context) {
    const timer: TimerTask = context.createTimer(HOUR_S);
    const event = context.waitForExternalEvent('Go');
    const winner = yield whenAny([timer, event]);
    timer.cancel();
    return winner === event;
  });
  // [wp 5.5-terminal]
  it('that are cancelled do not keep the orchestration from ending', async () => {
    const id = await sdk.running('Cancel');
    await sdk.client.raiseOrchestrationEvent(id, 'Go');
    assert.equal((await sdk.ended(id)).serializedOutput, 'true');
    sdk.host.clock.advance(2 * HOUR_S * 1000);
    assert.equal((await sdk.state(id)).runtimeStatus, OrchestrationStatus.COMPLETED);
  });

  sdk.orchestrator('Many', async function* (context, count: number) {
    for (const seconds of Array.from({ length: count }, (_, n) => (count - n) * 0.01)) {
      context.createTimer(seconds);
    }
    yield context.createTimer(0.3);
    return 'all';
  });
  it('may be many at a time', async () => {
    assert.equal(await sdk.output('Many', 25), 'all');
  });

  sdk.orchestrator('Timeout', async function* (context, seconds: number) {
    const event = context.waitForExternalEvent('Never');
    const winner = yield whenAny([event, context.createTimer(seconds)]);
    return winner === event ? 'event' : 'timeout';
  });
  it('bound the wait for an event', async () => {
    assert.equal(await sdk.output('Timeout', 0.05), 'timeout');
  });

  sdk.orchestrator('Clock', async function* (context) {
    const times = [context.currentUtcDateTime.getTime()];
    for (let n = 0; n < 5; n += 1) {
      yield context.createTimer(0);
      times.push(context.currentUtcDateTime.getTime());
    }
    return times;
  });
  // [wp 5.2-clock]
  it('come with a clock that never goes back', async () => {
    const times = (await sdk.output('Clock')) as number[];
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
  });
});
