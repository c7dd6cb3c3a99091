import assert from 'node:assert/strict';
import azureFunctions from '@azure/functions';
import { AtomicTask } from '../../src/replay/tasks.ts';
import { app, input, RetryOptions, TaskEntity, trigger } from '../../src/index.ts';
import { durableRegistry } from '../../src/functions/registry.ts';

const blobInput = azureFunctions.input.storageBlob({ path: 'x/y', connection: 'C' });
const blobOutput = azureFunctions.output.storageBlob({ path: 'x/y', connection: 'C' });

describe('app', () => {
  afterEach(() => {
    durableRegistry().orchestrators.clear();
    durableRegistry().activities.clear();
    durableRegistry().entities.clear();
  });

  it('registers an orchestrator, given alone or in options', () => {
    const orchestrator = function* () {
      yield* [];
    };

    app.orchestration('alone', orchestrator);
    app.orchestration('with-options', { handler: orchestrator });

    assert.equal(durableRegistry().orchestrators.get('alone'), orchestrator);
    assert.equal(durableRegistry().orchestrators.get('with-options'), orchestrator);
  });

  it('registers an activity, given alone or in options', () => {
    const handler = (city: unknown): string => `Hello ${String(city)}!`;

    app.activity('alone', handler);
    app.activity('with-options', { handler });

    assert.equal(durableRegistry().activities.get('alone'), handler);
    assert.equal(durableRegistry().activities.get('with-options'), handler);
  });

  it('gives back a call of the activity that needs no context', () => {
    const sayHello = app.activity('sayHello', { handler: () => 'hi' });

    const task = sayHello('Tokyo');

    assert.ok(task instanceof AtomicTask);
    assert.deepEqual(task.work, { kind: 'activity', name: 'sayHello', input: 'Tokyo' });
    assert.equal(task.isCompleted, false);
  });

  it('gives back a call of the orchestration that takes an instance id', () => {
    const child = app.orchestration('child', function* () {
      yield* [];
    });

    const task = child({ n: 1 }, 'child-1');

    assert.ok(task instanceof AtomicTask);
    assert.ok(task.work.kind === 'subOrchestration');
    const { name, input: childInput, instanceId } = task.work;
    assert.deepEqual([name, childInput, instanceId], ['child', { n: 1 }, 'child-1']);
  });

  it('adds retries to a call before it is yielded', () => {
    const flaky = app.activity('flaky', { handler: () => 'hi' });

    const task = flaky(1).withRetry(new RetryOptions(1000, 3));

    assert.ok(task instanceof AtomicTask && task.work.kind === 'activity');
    assert.deepEqual(
      task.work.retry?.kind === 'policy' && [
        task.work.retry.firstIntervalMs,
        task.work.retry.attemptsMax,
      ],
      [1000, 3],
    );
  });

  it('refuses an extra input of an activity, naming binding, reason and remedy', () => {
    const options = { handler: () => 'x', extraInputs: [blobInput] };

    assert.throws(
      () => app.activity('reads-blob', options),
      /"reads-blob" has the extra input "blobInput\w*" of type "blob".*inside the worker process.*remove it/,
    );
  });

  it('refuses an extra output of an orchestration', () => {
    const handler = function* (): Generator<never, unknown, unknown> {
      yield* [];
      return undefined;
    };

    assert.throws(
      () => app.orchestration('writes-blob', { handler, extraOutputs: [blobOutput] }),
      /Orchestration "writes-blob" has the extra output .* in an activity/,
    );
  });

  it('refuses the retry option, pointing to retry options of the call', () => {
    const options = { handler: () => 'x', retry: { maxRetryCount: 1 } };

    assert.throws(
      () => app.activity('retries', options),
      /"retries" has the option "retry".*withRetry/,
    );
  });

  it('lets an activity ask for a durable client', () => {
    app.activity('client', { handler: () => 'x', extraInputs: [input.durableClient()] });

    assert.ok(durableRegistry().activities.has('client'));
  });

  it('refuses a handler that is no function', () => {
    const options = { handler: 'x' } as unknown as { handler: () => string };

    assert.throws(() => app.activity('broken', options), /"broken" needs a handler/);
  });

  it('registers entities: functions, classes, options', () => {
    class Cart extends TaskEntity<string[]> {}
    app.entity('Counter', () => undefined);
    app.entity('Cart', Cart);
    app.entity('Basket', { handler: () => new Cart() });

    assert.deepEqual([...durableRegistry().entities.keys()], ['Counter', 'Cart', 'Basket']);
  });

  it('refuses an entity without a handler, with a host binding or with an @ in its name', () => {
    const handler = (): void => undefined;

    assert.throws(() => {
      app.entity('broken', { handler: 'x' as never });
    }, /Entity "broken" needs a handler/);
    assert.throws(() => {
      app.entity('reads-blob', { handler, extraInputs: [blobInput] });
    }, /Entity "reads-blob" has the extra input .* in the handler/);
    assert.throws(() => {
      app.entity('a@b', handler);
    }, /Entity "a@b": the name of an entity must not contain "@"/);
  });

  it('makes triggers of the three durable kinds', () => {
    const types = [trigger.orchestration(), trigger.activity(), trigger.entity()].map(
      ({ type }) => type,
    );

    assert.deepEqual(types, ['orchestrationTrigger', 'activityTrigger', 'entityTrigger']);
  });
});
