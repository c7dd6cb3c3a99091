import assert from 'node:assert/strict';
import {
  OrchestrationStatus,
  RetryPolicy,
  TaskFailedError,
  whenAll,
  whenAny,
  type RetryContext,
  type TaskRetryOptions,
} from '@microsoft/durabletask-js';
import { publishedSdk } from '../support/published-sdk.ts';

describe('Activities of the published SDK', function () {
  this.timeout(15_000);
  const sdk = publishedSdk();
  const attempts = new Map<string, number>();

  sdk.activity('Hello', (_, city: string) => `Hello ${city}!`);
  sdk.activity('Double', async (_, n: number) => Promise.resolve(n * 2));
  sdk.activity('Nothing', () => undefined);
  sdk.activity('Throw', (_, text: string) => {
    throw new RangeError(text);
  });
  /** Fails until the given attempt. */
  sdk.activity('Flaky', (context, until: number) => {
    const attempt = (attempts.get(context.orchestrationId) ?? 0) + 1;
    attempts.set(context.orchestrationId, attempt);
    if (attempt < until) throw new Error(`attempt ${attempt}`);
    return attempt;
  });
  sdk.activity('WhoAmI', (context) => [context.orchestrationId, context.taskId]);

  sdk.orchestrator('Chain', async function* (context, cities: string[]) {
    const greetings: unknown[] = [];
    for (const city of cities) greetings.push(yield context.callActivity('Hello', city));
    return greetings;
  });
  // [wp 5.6-request, 5.5-schedule-task]
  it('run one after the other', async () => {
    assert.deepEqual(await sdk.output('Chain', ['Tokyo', 'Seattle', 'London']), [
      'Hello Tokyo!',
      'Hello Seattle!',
      'Hello London!',
    ]);
  });

  it('run in a chain of forty without losing one', async () => {
    const cities = Array.from({ length: 40 }, (_, n) => `city ${n}`);
    assert.deepEqual(
      await sdk.output('Chain', cities),
      cities.map((city) => `Hello ${city}!`),
    );
  });

  sdk.orchestrator('FanOut', async function* (context, count: number) {
    const tasks = Array.from({ length: count }, (_, n) => context.callActivity('Double', n));
    const doubled = (yield whenAll(tasks)) as number[];
    return doubled.reduce((sum, n) => sum + n, 0);
  });
  it('run a hundred at a time', async () => {
    assert.equal(await sdk.output('FanOut', 100), 9900);
  });

  it('run in many orchestrations at a time', async () => {
    const sums = await Promise.all(Array.from({ length: 20 }, () => sdk.output('FanOut', 10)));
    assert.deepEqual(new Set(sums), new Set([90]));
  });

  sdk.orchestrator('First', async function* (context) {
    const tasks = [context.callActivity('Double', 1), context.callActivity('Double', 2)];
    const winner = (yield whenAny(tasks)) as (typeof tasks)[number];
    return tasks.includes(winner);
  });
  it('can be raced', async () => {
    assert.equal(await sdk.output('First'), true);
  });

  sdk.orchestrator('CallNothing', async function* (context) {
    const result = yield context.callActivity('Nothing');
    return result === undefined || result === null;
  });
  it('may have neither input nor result', async () => {
    assert.equal(await sdk.output('CallNothing'), true);
  });

  sdk.orchestrator('AskWho', async function* (context) {
    return yield context.callActivity('WhoAmI');
  });
  // [wp 5.6-request]
  it('are told the instance and the task id', async () => {
    const id = await sdk.start('AskWho');
    assert.equal((await sdk.ended(id)).serializedOutput, JSON.stringify([id, 1]));
  });

  sdk.orchestrator('CallThrow', async function* (context, text: string) {
    return yield context.callActivity('Throw', text);
  });
  // [wp 4.7-activity-failed, 5.14-failed-is-normal]
  it('fail the orchestration that does not catch their failure', async () => {
    const state = await sdk.run('CallThrow', 'too far');
    assert.equal(state.runtimeStatus, OrchestrationStatus.FAILED);
    assert.match(state.failureDetails?.message ?? '', /too far/);
    assert.equal(state.serializedOutput, undefined);
  });

  sdk.orchestrator('CatchThrow', async function* (context, text: string) {
    try {
      yield context.callActivity('Throw', text);
    } catch (error) {
      assert.ok(error instanceof TaskFailedError);
      return [error.details.errorType, error.details.message, error.details.stackTrace !== ''];
    }
    return 'nothing thrown';
  });
  // [wp 2-failure-details]
  it('hand type, message and stack of their failure to the orchestrator', async () => {
    assert.deepEqual(await sdk.output('CatchThrow', 'caught'), ['RangeError', 'caught', true]);
  });

  sdk.orchestrator('CallUnknown', async function* (context) {
    return yield context.callActivity('NobodyHasThis');
  });
  // [wp 5.6-unregistered]
  it('that nobody registered fail with the worker’s own words', async () => {
    const state = await sdk.run('CallUnknown');
    assert.equal(state.runtimeStatus, OrchestrationStatus.FAILED);
    assert.match(state.failureDetails?.message ?? '', /NobodyHasThis/);
  });

  sdk.orchestrator('Retrying', async function* (context, until: number) {
    const retry = new RetryPolicy({ maxNumberOfAttempts: 3, firstRetryIntervalInMilliseconds: 5 });
    return yield context.callActivity('Flaky', until, { retry });
  });
  // [wp 5.6-retries]
  it('are retried as the policy says', async () => {
    assert.equal(await sdk.output('Retrying', 3), 3);
  });

  it('fail for good when the attempts are used up', async () => {
    const state = await sdk.run('Retrying', 9);
    assert.equal(state.runtimeStatus, OrchestrationStatus.FAILED);
    assert.equal(attempts.get(state.instanceId), 3);
  });

  sdk.orchestrator('Handled', async function* (context, until: number) {
    const retry: TaskRetryOptions = ({ lastAttemptNumber }: RetryContext) => lastAttemptNumber < 4;
    return yield context.callActivity('Flaky', until, { retry });
  });
  it('are retried as the handler says', async () => {
    assert.equal(await sdk.output('Handled', 4), 4);
  });

  it('fail when the handler says no more', async () => {
    const state = await sdk.run('Handled', 9);
    assert.equal(state.runtimeStatus, OrchestrationStatus.FAILED);
    assert.equal(attempts.get(state.instanceId), 4);
  });

  sdk.orchestrator('Picky', async function* (context, until: number) {
    const retry = new RetryPolicy({
      maxNumberOfAttempts: 5,
      firstRetryIntervalInMilliseconds: 1,
      handleFailure: ({ message }) => !message.includes('attempt 2'),
    });
    return yield context.callActivity('Flaky', until, { retry });
  });
  it('are not retried after a failure that the policy does not handle', async () => {
    const state = await sdk.run('Picky', 5);
    assert.equal(state.runtimeStatus, OrchestrationStatus.FAILED);
    assert.equal(attempts.get(state.instanceId), 2);
  });

  sdk.orchestrator('Unawaited', async function* (context) {
    context.callActivity('Double', 1);
    yield context.callActivity('Nothing');
    return 'done';
  });
  it('that nobody awaits do not hold the orchestration up', async () => {
    assert.equal(await sdk.output('Unawaited'), 'done');
  });

  sdk.orchestrator('ThrowAtOnce', async function* () {
    yield* [];
    throw new TypeError('no work today');
  });
  // [wp 5.14-failed-is-normal]
  it('are not needed for an orchestration that fails at once', async () => {
    const state = await sdk.run('ThrowAtOnce');
    assert.equal(state.runtimeStatus, OrchestrationStatus.FAILED);
    assert.equal(state.failureDetails?.errorType, 'TypeError');
    assert.throws(() => {
      state.raiseIfFailed();
    });
  });

  // [wp 5.14-unregistered]
  it('are not reached by an orchestration that nobody registered', async () => {
    const state = await sdk.run('NoSuchOrchestrator');
    assert.equal(state.runtimeStatus, OrchestrationStatus.FAILED);
    assert.match(state.failureDetails?.message ?? '', /NoSuchOrchestrator/);
  });
});
