import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import type { OrchestratorResponse } from '../../src/proto/orchestrator_service_pb.ts';
import type { CoreOrchestrationContext, TaskHubWorkerOptions } from '../../src/worker/index.ts';
import {
  TaskHubWorker,
  VersionFailureStrategy,
  VersionMatchStrategy,
} from '../../src/worker/index.ts';
import type { OpenStream } from './support/scripted-scheduler.ts';
import { ScriptedScheduler, StatusError } from './support/scripted-scheduler.ts';
import { activity, event, orchestratorTurn, started, turnStarted } from './support/work-items.ts';

describe('TaskHubWorker between turns', () => {
  let scheduler: ScriptedScheduler;
  let worker: TaskHubWorker;
  let stream: OpenStream;
  let runs = 0;

  beforeEach(async () => {
    scheduler = await ScriptedScheduler.open();
    runs = 0;
  });
  afterEach(async () => {
    await worker.stop();
    scheduler.close();
  });

  async function start(options: TaskHubWorkerOptions = {}): Promise<void> {
    worker = new TaskHubWorker({ endpoint: scheduler.endpoint, taskHub: 'h', ...options });
    worker.addNamedOrchestrator('Count', function* (context: CoreOrchestrationContext) {
      runs += 1;
      let sum = 0;
      for (;;) sum += (yield context.callActivity('Double', sum)) as number;
    });
    await worker.start();
    stream = await scheduler.stream();
  }

  async function response(count: number): Promise<OrchestratorResponse> {
    const responses = () => scheduler.requests('completeOrchestratorTask');
    await scheduler.until(() => responses().length >= count);
    return responses()[count - 1]!;
  }

  const firstTurn = [turnStarted(1_000), started('Count')];
  const done = (id: number, result: number) => [
    turnStarted(1_000 + id),
    event({ case: 'taskCompleted', value: { taskScheduledId: id, result: String(result) } }),
  ];
  const scheduled = (id: number) => event({ case: 'taskScheduled', value: { name: 'Double' } }, id);
  const askedFor = ({ actions }: OrchestratorResponse) => {
    const type = actions[0]?.orchestratorActionType;
    return type?.case === 'scheduleTask' ? type.value.input : undefined;
  };

  it('declares that it keeps orchestrations, unless it keeps none', async () => {
    await start();
    assert.equal(stream.headers['x-durabletask-sticky'], '1');
    await worker.stop();

    await start({ cachedOrchestrationsMax: 0 });
    assert.equal((await scheduler.stream(1)).headers['x-durabletask-sticky'], undefined);
  });

  it('goes on with nothing but the new events', async () => {
    await start();
    stream.send(orchestratorTurn('t1', firstTurn));
    await response(1);
    stream.send(orchestratorTurn('t2', done(1, 5)));
    assert.equal(askedFor(await response(2)), '5');
    stream.send(orchestratorTurn('t3', done(2, 7)));

    assert.equal(askedFor(await response(3)), '12');
    assert.equal(runs, 1);
  });

  it('takes up a whole history again after turns without one', async () => {
    await start();
    stream.send(orchestratorTurn('t1', firstTurn));
    await response(1);
    stream.send(orchestratorTurn('t2', done(1, 5)));
    await response(2);
    const past = [...firstTurn, scheduled(1), ...done(1, 5), scheduled(2)];
    stream.send(orchestratorTurn('t3', done(2, 7), past));

    assert.equal(askedFor(await response(3)), '12');
    assert.equal(runs, 1);
  });

  it('asks for the history of an orchestration that it does not know', async () => {
    await start();
    stream.send(orchestratorTurn('t1', done(1, 5)));

    const { requiresHistory, actions } = await response(1);

    assert.equal(requiresHistory, true);
    assert.deepEqual(actions, []);
  });

  it('asks for the history when it keeps nothing, and replays it', async () => {
    await start({ cachedOrchestrationsMax: 0 });
    stream.send(orchestratorTurn('t1', firstTurn));
    await response(1);
    stream.send(orchestratorTurn('t2', done(1, 5)));
    assert.equal((await response(2)).requiresHistory, true);
    stream.send(orchestratorTurn('t3', done(1, 5), [...firstTurn, scheduled(1)]));

    assert.equal(askedFor(await response(3)), '5');
    assert.equal(runs, 2);
  });

  it('does not trust a session whose turn was refused, even if the next one is there first', async () => {
    const refusal = Promise.withResolvers<undefined>();
    scheduler.on('completeOrchestratorTask', async ({ completionToken }) => {
      if (completionToken !== 't1') return {};
      await refusal.promise;
      throw new StatusError(status.NOT_FOUND, "Work item 't1' with completion count '0' not found");
    });
    await start();
    stream.send(orchestratorTurn('t1', firstTurn));
    await response(1);
    stream.send(orchestratorTurn('t2', done(1, 5)));
    // Items are taken in order: once this one is answered, the turn before it is waiting.
    stream.send(activity('t3', 'Nobody'));
    await scheduler.until(() => scheduler.requests('completeActivityTask').length === 1);
    refusal.resolve(undefined);

    assert.equal((await response(2)).requiresHistory, true);
  });

  it('does not mistake another execution of the instance for the one that it keeps', async () => {
    await start();
    stream.send(orchestratorTurn('t1', firstTurn));
    await response(1);
    const other = orchestratorTurn('t2', done(1, 5));
    const value = { ...other.request.value, executionId: 'f'.repeat(32) };
    stream.send({ ...other, request: { ...other.request, value } });

    assert.equal((await response(2)).requiresHistory, true);
  });

  it('gives back an orchestration of a newer version', async () => {
    const { CurrentOrOlder } = VersionMatchStrategy;
    await start({ versioning: { version: '1', matchStrategy: CurrentOrOlder } });
    stream.send(orchestratorTurn('t1', [turnStarted(1_000), started('Count', undefined, '2')]));
    await scheduler.until(() => scheduler.requests('abandonTaskOrchestratorWorkItem').length === 1);

    const [abandoned] = scheduler.requests('abandonTaskOrchestratorWorkItem');
    assert.equal(abandoned?.completionToken, 't1');
    assert.equal(runs, 0);
  });

  it('fails an orchestration of another version when it is told so', async () => {
    const { Strict } = VersionMatchStrategy;
    const { Fail } = VersionFailureStrategy;
    await start({ versioning: { version: '1', matchStrategy: Strict, failureStrategy: Fail } });
    stream.send(orchestratorTurn('t1', [turnStarted(1_000), started('Count', undefined, '2')]));

    const type = (await response(1)).actions[0]?.orchestratorActionType;
    assert.equal(type?.case, 'completeOrchestration');
    const { failureDetails } = type.value;
    assert.equal(failureDetails?.errorType, 'VersionMismatch');
    assert.equal(failureDetails.isNonRetriable, true);
    assert.match(failureDetails.errorMessage, /'2' does not match the worker version '1'/);
  });

  it('calls children in its default version unless the call names one', async () => {
    await start({ versioning: { defaultVersion: '3' } });
    worker.addNamedOrchestrator('Parent', function* (context: CoreOrchestrationContext) {
      context.callSubOrchestrator('Child', undefined, { instanceId: 'c', version: '4' });
      yield context.callSubOrchestrator('Child');
    });
    stream.send(orchestratorTurn('t1', [turnStarted(1_000), started('Parent')]));

    const versions = (await response(1)).actions.map(({ orchestratorActionType: { value } }) =>
      value !== undefined && 'version' in value ? value.version : undefined,
    );
    assert.deepEqual(versions, ['4', '3']);
  });

  it('finds names in any case when it is told so', async () => {
    await start({ ignoresNameCase: true });
    stream.send(orchestratorTurn('t1', [turnStarted(1_000), started('cOUNT')]));

    assert.equal(askedFor(await response(1)), '0');
  });
});
