import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import type { TaskHubWorkerOptions } from '../../src/worker/index.ts';
import { TaskHubWorker } from '../../src/worker/index.ts';
import { ScriptedScheduler, StatusError } from './support/scripted-scheduler.ts';
import {
  called,
  entityBatch,
  event,
  EXECUTION_ID,
  INSTANCE_ID,
  signaled,
} from './support/work-items.ts';

describe('entities of a TaskHubWorker', () => {
  let scheduler: ScriptedScheduler;
  let worker: TaskHubWorker;

  beforeEach(async () => {
    scheduler = await ScriptedScheduler.open();
  });
  afterEach(async () => {
    await worker.stop();
    scheduler.close();
  });

  function make(options: TaskHubWorkerOptions = {}): TaskHubWorker {
    worker = new TaskHubWorker({ endpoint: scheduler.endpoint, taskHub: 'h', ...options });
    worker.addNamedEntity('Counter', () => ({
      run: ({ name, state, getInput }) => {
        if (name === 'fail') throw new Error('broken');
        const value = (state.getState<number>() ?? 0) + (getInput<number>() ?? 0);
        state.setState(value);
        return value;
      },
    }));
    return worker;
  }

  /** Sends one work item and gives what comes back for it. */
  async function answerTo(
    item: Parameters<Awaited<ReturnType<ScriptedScheduler['stream']>>['send']>[0],
  ) {
    await worker.start();
    (await scheduler.stream()).send(item);
    await scheduler.until(() => scheduler.requests('completeEntityTask').length === 1);
    const [result] = scheduler.requests('completeEntityTask');
    assert.ok(result);
    const results = result.results.map(({ resultType }) =>
      resultType.case === 'success'
        ? resultType.value.result
        : `${String(resultType.value?.failureDetails?.errorType)}: ${String(resultType.value?.failureDetails?.errorMessage)}`,
    );
    return { result, results };
  }

  it('asks for entities with its limit, and by name when filters are automatic', async () => {
    make({ maxConcurrentEntities: 3, workItemFilters: 'auto' });
    await worker.start();
    const { request } = await scheduler.stream();

    assert.equal(request.maxConcurrentEntityWorkItems, 3);
    assert.deepEqual(
      request.workItemFilters?.entities.map(({ name }) => name),
      ['counter'],
    );
  });

  it('runs a batch and says whom each result is for', async () => {
    make();
    const batch = [called('r1', 'add', '2'), signaled('r2', 'add', '3'), called('r3', 'fail')];

    const { result, results } = await answerTo(entityBatch('t1', '@counter@a', batch, '1'));

    assert.deepEqual(results, ['3', '6', 'Error: broken']);
    assert.deepEqual([result.entityState, result.completionToken], ['6', 't1']);
    assert.deepEqual(
      result.operationInfos.map(({ requestId, responseDestination }) => [
        requestId,
        responseDestination?.instanceId,
        responseDestination?.executionId,
      ]),
      [
        ['r1', INSTANCE_ID, EXECUTION_ID],
        ['r2', undefined, undefined],
        ['r3', INSTANCE_ID, EXECUTION_ID],
      ],
    );
    assert.equal(result.failureDetails, undefined);
  });

  it('runs batches of the first generation too', async () => {
    make();
    const operations = [{ operation: 'add', requestId: 'r1', input: '2' }, { operation: 'add' }];
    const value = { instanceId: '@counter@a', operations };

    const { result, results } = await answerTo({
      completionToken: 't1',
      request: { case: 'entityRequest', value },
    });

    assert.deepEqual([results, result.entityState], [['2', '2'], '2']);
    assert.deepEqual(result.operationInfos, []);
  });

  it('leaves out messages that are no operations', async () => {
    make();
    const lock = event({ case: 'entityLockRequested', value: { criticalSectionId: 'c' } });

    const { results } = await answerTo(
      entityBatch('t1', '@counter@a', [lock, called('r1', 'add', '2')]),
    );

    assert.deepEqual(results, ['2']);
  });

  it('fails each operation of an entity that it does not know, and keeps the state', async () => {
    make();

    const { result, results } = await answerTo(
      entityBatch('t1', '@other@a', [called('r1', 'add'), signaled('r2', 'add')], '7'),
    );

    const text = "EntityTaskNotFound: No entity task named 'other' was found.";
    assert.deepEqual([results, result.entityState], [[text, text], '7']);
    const [first] = result.results;
    assert.ok(first?.resultType.case === 'failure');
    assert.equal(first.resultType.value.failureDetails?.isNonRetriable, true);
  });

  it('fails operations for something that is no entity', async () => {
    make();

    const { results } = await answerTo(entityBatch('t1', 'nonsense', [called('r1', 'add')]));

    assert.deepEqual(results, [
      "EntityTaskNotFound: Invalid entity instance id format: 'nonsense'",
    ]);
  });

  it('reports a batch as failed when its entity cannot be made', async () => {
    make().addNamedEntity('Broken', () => {
      throw new TypeError('no entity today');
    });

    const { result } = await answerTo(entityBatch('t1', '@broken@a', [called('r1', 'add')], '7'));

    assert.equal(result.failureDetails?.errorMessage, 'no entity today');
    assert.deepEqual([result.results, result.operationInfos], [[], []]);
  });

  it('fails its operations when the scheduler does not take so large a state', async () => {
    make().addNamedEntity('Large', () => ({
      run: ({ state }) => {
        state.setState('x'.repeat(4_000_000));
      },
    }));
    scheduler.on('completeEntityTask', ({ entityState = '' }) => {
      if (entityState.length > 1000) throw new StatusError(status.RESOURCE_EXHAUSTED, 'too large');
      return {};
    });
    await worker.start();
    (await scheduler.stream()).send(entityBatch('t1', '@large@a', [called('r1', 'grow')], '7'));

    await scheduler.until(() => scheduler.requests('completeEntityTask').length === 2);

    const [, smaller] = scheduler.requests('completeEntityTask');
    assert.equal(smaller?.entityState, '7');
    const type = smaller.results[0]?.resultType;
    assert.ok(type?.case === 'failure');
    assert.equal(type.value.failureDetails?.errorType, 'ResultTooLargeError');
  });

  it('gives a batch back that is not done when the worker stops', async () => {
    const begun = Promise.withResolvers<undefined>();
    const release = Promise.withResolvers<undefined>();
    make({ drainTimeoutMs: 0 }).addNamedEntity('Slow', () => ({
      run: () => {
        begun.resolve(undefined);
        return release.promise;
      },
    }));
    await worker.start();
    (await scheduler.stream()).send(entityBatch('t1', '@slow@a', [called('r1', 'wait')]));
    await begun.promise;

    await worker.stop();
    release.resolve(undefined);

    assert.deepEqual(
      scheduler.requests('abandonTaskEntityWorkItem').map(({ completionToken }) => completionToken),
      ['t1'],
    );
    assert.deepEqual(scheduler.requests('completeEntityTask'), []);
  });

  it('registers entities under names in lower case, each once', () => {
    make();
    assert.equal(
      worker.addEntity(function Basket() {
        return { run: () => undefined };
      }),
      'basket',
    );
    assert.throws(() => worker.addNamedEntity('COUNTER', () => ({ run: () => undefined })), {
      code: 'INVALID_ARGUMENT',
      message: "An entity named 'counter' already exists",
    });
    assert.throws(() => worker.addNamedEntity('a@b', () => ({ run: () => undefined })), {
      message: "An entity name must not contain '@', got 'a@b'",
    });
    assert.throws(() => worker.addNamedEntity('', () => ({ run: () => undefined })), {
      message: 'A non-empty entity name is required',
    });
  });
});
