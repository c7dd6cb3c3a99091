import assert from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import { status } from '@grpc/grpc-js';
import type { EntityBatchResult } from '../../src/proto/orchestrator_service_pb.ts';
import { EntityRequestSchema } from '../../src/proto/orchestrator_service_pb.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { isStateKept, stateMemoryFields, type StateMemory } from '../../src/wire/state-memory.ts';
import type { TaskHubWorkerOptions } from '../../src/worker/index.ts';
import { TaskHubWorker } from '../../src/worker/index.ts';
import { ScriptedScheduler, StatusError, type OpenStream } from './support/scripted-scheduler.ts';
import { entityBatch, signaled } from './support/work-items.ts';

/** A batch of one `add`, from a scheduler that names states. */
function named(token: string, memory: StateMemory, input: string, entityState?: string) {
  const { completionToken, request } = entityBatch(
    token,
    '@counter@a',
    [signaled(token, 'add', input)],
    entityState,
  );
  const value = create(EntityRequestSchema, request.value);
  value.$unknown = stateMemoryFields(memory).map(({ tag, bytes }) => ({
    no: tag >> 3,
    wireType: WireType.LengthDelimited,
    data: Uint8Array.of(bytes.length, ...bytes),
  }));
  return { completionToken, request: { ...request, value } };
}

describe('states of entities in the memory of a TaskHubWorker', () => {
  let scheduler: ScriptedScheduler;
  let worker: TaskHubWorker;
  let stream: OpenStream;

  beforeEach(async () => {
    scheduler = await ScriptedScheduler.open();
  });
  afterEach(async () => {
    await worker.stop();
    scheduler.close();
  });

  async function start(options: TaskHubWorkerOptions = {}): Promise<void> {
    worker = new TaskHubWorker({ endpoint: scheduler.endpoint, taskHub: 'h', ...options });
    worker.addNamedEntity('Counter', () => ({
      run: ({ state, getInput }) => {
        state.setState((state.getState<number>() ?? 0) + (getInput<number>() ?? 0));
      },
    }));
    await worker.start();
    stream = await scheduler.stream();
  }

  async function answer(count: number): Promise<EntityBatchResult> {
    const answers = () => scheduler.requests('completeEntityTask');
    await scheduler.until(() => answers().length >= count);
    return answers()[count - 1]!;
  }

  it('are gone on from when they are left out', async () => {
    await start();
    stream.send(named('t1', { next: 'n1', leftOut: undefined }, '2', '40'));
    assert.deepEqual([(await answer(1)).entityState, isStateKept(await answer(1))], ['42', true]);

    stream.send(named('t2', { next: 'n2', leftOut: 'n1' }, '1'));

    assert.deepEqual([(await answer(2)).entityState, isStateKept(await answer(2))], ['43', true]);
  });

  it('are asked for under a name that the worker does not have, and nothing is run', async () => {
    await start();
    stream.send(named('t1', { next: 'n1', leftOut: undefined }, '2', '40'));
    await answer(1);

    stream.send(named('t2', { next: 'n2', leftOut: 'n0' }, '1'));

    const { requiresState, results, entityState, completionToken } = await answer(2);
    assert.deepEqual([requiresState, completionToken], [true, 't2']);
    assert.deepEqual([results, entityState, isStateKept(await answer(2))], [[], undefined, false]);
  });

  it('give way to the state that comes with a batch', async () => {
    await start();
    stream.send(named('t1', { next: 'n1', leftOut: undefined }, '2', '40'));
    await answer(1);

    stream.send(named('t2', { next: 'n2', leftOut: undefined }, '1', '7'));

    assert.equal((await answer(2)).entityState, '8');
  });

  it('are not kept for a scheduler that does not name them, or beyond the bound', async () => {
    await start({ cachedEntityBytesMax: 0 });
    stream.send(entityBatch('t1', '@counter@a', [signaled('r1', 'add', '1')], '1'));
    assert.equal(isStateKept(await answer(1)), false);
    stream.send(named('t2', { next: 'n2', leftOut: undefined }, '1', '1'));

    assert.deepEqual([(await answer(2)).entityState, isStateKept(await answer(2))], ['2', false]);
  });

  it('are dropped when the scheduler did not take the batch', async () => {
    scheduler.on('completeEntityTask', ({ completionToken }) => {
      if (completionToken !== 't1') return {};
      throw new StatusError(status.NOT_FOUND, "Work item 't1' with completion count '0' not found");
    });
    const told = Promise.withResolvers<undefined>();
    await start({ logger: { ...silentLogger, debug: () => told.resolve(undefined) } });
    stream.send(named('t1', { next: 'n1', leftOut: undefined }, '2', '40'));
    await told.promise;
    stream.send(named('t2', { next: 'n2', leftOut: 'n1' }, '1'));

    assert.equal((await answer(2)).requiresState, true);
  });
});
