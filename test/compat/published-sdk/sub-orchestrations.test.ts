import assert from 'node:assert/strict';
import {
  OrchestrationStatus,
  RetryPolicy,
  TaskFailedError,
  whenAll,
  type OrchestrationContext,
} from '@microsoft/durabletask-js';
import { freshId } from '../support/calls.ts';
import { publishedSdk } from '../support/published-sdk.ts';

describe('Sub-orchestrations of the published SDK', function () {
  this.timeout(15_000);
  const sdk = publishedSdk();
  const attempts = new Map<string, number>();

  sdk.orchestrator('Square', async function* (_, n: number) {
    yield* [];
    return n * n;
  });
  sdk.orchestrator('Parent', async function* (context, n: number) {
    return yield context.callSubOrchestrator('Square', n);
  });
  // [wp 5.7-completed]
  it('hand their result to the parent', async () => {
    assert.equal(await sdk.output('Parent', 7), 49);
  });

  sdk.orchestrator('ManySquares', async function* (context, count: number) {
    const tasks = Array.from({ length: count }, (_, n) => context.callSubOrchestrator('Square', n));
    return yield whenAll(tasks);
  });
  it('run side by side', async () => {
    assert.deepEqual(
      await sdk.output('ManySquares', 30),
      Array.from({ length: 30 }, (_, n) => n * n),
    );
  });

  sdk.orchestrator('ShowIds', async function* (context) {
    const child = yield context.callSubOrchestrator('ShowSelf');
    return { child, self: context.instanceId };
  });
  sdk.orchestrator('ShowSelf', async function* (context) {
    yield* [];
    const { parent } = context;
    return { id: context.instanceId, parent: parent?.instanceId, task: parent?.taskScheduledId };
  });
  // [wp 5.7-default-id, 2-execution-id, 5.7-parent-info]
  it('get an id made of the parent’s execution, and know their parent', async () => {
    const output = (await sdk.output('ShowIds')) as {
      readonly self: string;
      readonly child: { readonly id: string; readonly parent: string; readonly task: number };
    };
    assert.match(output.child.id, /^[0-9a-f]{32}:[0-9a-f]{4}$/);
    assert.equal(output.child.parent, output.self);
    assert.equal(output.child.task, 1);
  });

  sdk.orchestrator('Named', async function* (context, instanceId: string) {
    return yield context.callSubOrchestrator('ShowSelf', undefined, { instanceId });
  });
  it('take the id that the parent gives them', async () => {
    const instanceId = freshId('child');
    const output = (await sdk.output('Named', instanceId)) as { readonly id: string };
    assert.equal(output.id, instanceId);
    assert.equal((await sdk.state(instanceId)).runtimeStatus, OrchestrationStatus.COMPLETED);
  });

  sdk.orchestrator('Fail', async function* (_, text: string) {
    yield* [];
    throw new RangeError(text);
  });
  sdk.orchestrator('Uncaught', async function* (context) {
    return yield context.callSubOrchestrator('Fail', 'child broke');
  });
  // [wp 5.7-failed]
  it('fail a parent that does not catch their failure', async () => {
    const state = await sdk.run('Uncaught');
    assert.equal(state.runtimeStatus, OrchestrationStatus.FAILED);
    assert.match(state.failureDetails?.message ?? '', /child broke/);
  });

  sdk.orchestrator('Caught', async function* (context) {
    try {
      return yield context.callSubOrchestrator('Fail', 'child broke');
    } catch (error) {
      assert.ok(error instanceof TaskFailedError);
      return error.details.errorType;
    }
  });
  it('hand the type of their failure to the parent', async () => {
    assert.equal(await sdk.output('Caught'), 'RangeError');
  });

  sdk.orchestrator('Deep', async function* (context, depth: number) {
    if (depth === 0) throw new Error('bottom');
    return yield context.callSubOrchestrator('Deep', depth - 1);
  });
  it('pass a failure up through several levels', async () => {
    const state = await sdk.run('Deep', 3);
    assert.equal(state.runtimeStatus, OrchestrationStatus.FAILED);
    assert.match(state.failureDetails?.message ?? '', /bottom/);
  });

  sdk.orchestrator('FlakyChild', async function* (context, until: number) {
    yield* [];
    const attempt = (attempts.get(context.instanceId) ?? 0) + 1;
    attempts.set(context.instanceId, attempt);
    if (attempt < until) throw new Error(`attempt ${attempt}`);
    return attempt;
  });
  const retrying = (context: OrchestrationContext, instanceId: string, until: number) => {
    const retry = new RetryPolicy({ maxNumberOfAttempts: 3, firstRetryIntervalInMilliseconds: 5 });
    return context.callSubOrchestrator('FlakyChild', until, { instanceId, retry });
  };
  sdk.orchestrator('RetryChild', async function* (context, instanceId: string) {
    return yield retrying(context, instanceId, 3);
  });
  // [wp 5.7-id-taken-terminal]
  it('are retried under the same id', async () => {
    const instanceId = freshId('child');
    assert.equal(await sdk.output('RetryChild', instanceId), 3);
    assert.equal((await sdk.state(instanceId)).serializedOutput, '3');
  });

  sdk.orchestrator('RetryInVain', async function* (context, instanceId: string) {
    return yield retrying(context, instanceId, 9);
  });
  it('fail the parent when their retries are used up', async () => {
    const instanceId = freshId('child');
    const state = await sdk.run('RetryInVain', instanceId);
    assert.equal(state.runtimeStatus, OrchestrationStatus.FAILED);
    assert.equal(attempts.get(instanceId), 3);
  });

  // [wp 5.7-id-taken-terminal]
  it('take over the id of an instance that has ended', async () => {
    const instanceId = freshId('taken');
    await sdk.run('Square', 2, { instanceId });
    const output = (await sdk.output('Named', instanceId)) as { readonly id: string };
    assert.equal(output.id, instanceId);
    assert.equal((await sdk.state(instanceId)).name, 'ShowSelf');
  });

  sdk.orchestrator('WaitForGo', async function* (context) {
    return yield context.waitForExternalEvent('Go');
  });
  sdk.orchestrator('CatchTaken', async function* (context, instanceId: string) {
    try {
      return yield context.callSubOrchestrator('Square', 2, { instanceId });
    } catch (error) {
      assert.ok(error instanceof TaskFailedError);
      return error.details.errorType;
    }
  });
  // [wp 5.7-id-taken-live]
  it('fail when their id is that of a live instance, which goes on', async () => {
    const instanceId = await sdk.running('WaitForGo');
    assert.equal(await sdk.output('CatchTaken', instanceId), 'OrchestrationAlreadyExists');

    await sdk.client.raiseOrchestrationEvent(instanceId, 'Go', 'on');
    assert.equal((await sdk.ended(instanceId)).serializedOutput, '"on"');
  });

  sdk.orchestrator('WaitForChild', async function* (context, instanceId: string) {
    try {
      return yield context.callSubOrchestrator('WaitForGo', undefined, { instanceId });
    } catch (error) {
      assert.ok(error instanceof TaskFailedError);
      return error.details.errorType;
    }
  });
  // [wp 5.7-terminated]
  it('that are terminated are a failure for the parent', async () => {
    const instanceId = freshId('child');
    const parent = await sdk.start('WaitForChild', instanceId);
    await sdk.client.waitForOrchestrationStart(instanceId, false, 10);
    await sdk.client.terminateOrchestration(instanceId, 'enough');

    assert.equal((await sdk.ended(parent)).serializedOutput, '"OrchestrationTerminated"');
  });

  // [wp 3.6-missing]
  it('can be waited for before they exist', async () => {
    const instanceId = freshId('child');
    const waiting = sdk.client.waitForOrchestrationCompletion(instanceId, true, 10);
    await sdk.start('Named', instanceId);
    assert.equal((await waiting)?.instanceId, instanceId);
  });

  sdk.orchestrator('Generations', async function* (context, n: number) {
    yield context.createTimer(0);
    if (n > 0) context.continueAsNew(n - 1, false);
    return 'last';
  });
  sdk.orchestrator('AwaitGenerations', async function* (context) {
    return yield context.callSubOrchestrator('Generations', 3);
  });
  // [wp 5.7-continue-as-new]
  it('keep their parent while they continue as new', async () => {
    assert.equal(await sdk.output('AwaitGenerations'), 'last');
  });
});
