import assert from 'node:assert/strict';
import type { OrchestratorAction } from '../../src/proto/orchestrator_service_pb.ts';
import { OrchestrationStatus } from '../../src/proto/orchestrator_service_pb.ts';
import type { CoreOrchestrationContext } from '../../src/replay/core-context.ts';
import type { TaskHubWorkerOptions } from '../../src/worker/index.ts';
import { TaskHubWorker } from '../../src/worker/index.ts';
import { ScriptedScheduler } from './support/scripted-scheduler.ts';
import { activity, event, orchestratorTurn, started, turnStarted } from './support/work-items.ts';

function completion(actions: readonly OrchestratorAction[]) {
  const last = actions.at(-1)?.orchestratorActionType;
  assert.equal(last?.case, 'completeOrchestration');
  return last.value;
}

describe('TaskHubWorker', () => {
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
    return worker;
  }

  it('greets the scheduler and asks for work with its limits, hub and identity', async () => {
    await make({ maxConcurrentActivities: 3, workerId: 'w' }).start();
    const stream = await scheduler.stream();

    assert.equal(scheduler.calls[0]?.name, 'hello');
    assert.equal(stream.request.maxConcurrentActivityWorkItems, 3);
    assert.equal(stream.request.maxConcurrentOrchestrationWorkItems, 100);
    assert.equal(stream.request.workItemFilters, undefined);
    assert.equal(stream.headers['taskhub'], 'h');
    assert.equal(stream.headers['workerid'], 'w');
    assert.match(
      stream.headers['x-user-agent'] ?? '',
      /^durabletask-scheduler\/.+ \(TaskHubWorker\)$/,
    );
  });

  it('is connected from the first sign of life on', async () => {
    await make().start();
    const stream = await scheduler.stream();
    assert.equal(worker.isConnected, false);

    stream.send({ request: { case: 'healthPing', value: {} } });
    await worker.connected();

    assert.equal(worker.isConnected, true);
  });

  it('runs an activity with its input as JSON and hands the result back', async () => {
    make().addNamedActivity('Add', (context, { a, b }: { a: number; b: number }) => ({
      sum: a + b,
      from: `${context.orchestrationId}#${context.taskId}`,
    }));
    await worker.start();
    (await scheduler.stream()).send(activity('t1', 'Add', '{"a":1,"b":2}'));

    await scheduler.until(() => scheduler.requests('completeActivityTask').length === 1);

    const [response] = scheduler.requests('completeActivityTask');
    assert.equal(response?.completionToken, 't1');
    assert.equal(response.taskId, 7);
    assert.equal(response.result, '{"sum":3,"from":"i#7"}');
    assert.equal(response.failureDetails, undefined);
  });

  it('reports what an activity throws, with its causes and properties', async () => {
    make().addNamedActivity('Fail', () => {
      const error = new RangeError('outer', { cause: new TypeError('inner') });
      throw Object.assign(error, { isNonRetriable: true, properties: { order: 5 } });
    });
    await worker.start();
    (await scheduler.stream()).send(activity('t1', 'Fail'));

    await scheduler.until(() => scheduler.requests('completeActivityTask').length === 1);

    const failure = scheduler.requests('completeActivityTask')[0]?.failureDetails;
    assert.equal(failure?.errorType, 'RangeError');
    assert.equal(failure.errorMessage, 'outer');
    assert.equal(failure.isNonRetriable, true);
    assert.equal(failure.innerFailure?.errorType, 'TypeError');
    assert.deepEqual(failure.properties['order']?.kind, { case: 'numberValue', value: 5 });
    assert.match(failure.stackTrace ?? '', /RangeError: outer/);
  });

  it('fails an activity that nobody registered, for good', async () => {
    await make().start();
    (await scheduler.stream()).send(activity('t1', 'Nobody'));

    await scheduler.until(() => scheduler.requests('completeActivityTask').length === 1);

    const failure = scheduler.requests('completeActivityTask')[0]?.failureDetails;
    assert.equal(failure?.errorType, 'ActivityNotRegisteredError');
    assert.equal(failure.isNonRetriable, true);
  });

  it('fails an orchestration whose orchestrator nobody registered', async () => {
    await make().start();
    (await scheduler.stream()).send(
      orchestratorTurn('t1', [turnStarted(1_000), started('Nobody')]),
    );

    await scheduler.until(() => scheduler.requests('completeOrchestratorTask').length === 1);

    const [response] = scheduler.requests('completeOrchestratorTask');
    const { orchestrationStatus, failureDetails } = completion(response?.actions ?? []);
    assert.equal(orchestrationStatus, OrchestrationStatus.FAILED);
    assert.equal(failureDetails?.errorType, 'OrchestratorNotRegisteredError');
  });

  it('runs an orchestrator turn by turn on one live session', async () => {
    let runs = 0;
    make().addNamedOrchestrator('Twice', function* (context: CoreOrchestrationContext, n: unknown) {
      runs += 1;
      const doubled: unknown = yield context.callActivity('Double', n);
      return doubled;
    });
    await worker.start();
    const stream = await scheduler.stream();
    const first = [turnStarted(1_000), started('Twice', '4')];
    stream.send(orchestratorTurn('t1', first));
    await scheduler.until(() => scheduler.requests('completeOrchestratorTask').length === 1);
    const past = [...first, event({ case: 'taskScheduled', value: { name: 'Double' } }, 1)];
    const done = event({ case: 'taskCompleted', value: { taskScheduledId: 1, result: '8' } });
    stream.send(orchestratorTurn('t2', [turnStarted(2_000), done], past));

    await scheduler.until(() => scheduler.requests('completeOrchestratorTask').length === 2);

    const [one, two] = scheduler.requests('completeOrchestratorTask');
    assert.equal(one?.actions[0]?.orchestratorActionType.case, 'scheduleTask');
    assert.equal(completion(two?.actions ?? []).result, '8');
    assert.equal(runs, 1);
  });
});
