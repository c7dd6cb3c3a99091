import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HistoryEvent, OrchestrationState } from '../../src/client/index.ts';
import { systemClock } from '../../src/base/clock.ts';
import {
  EntityInstanceId,
  OrchestrationStatus,
  TaskHubClient,
  terminateOptions,
} from '../../src/client/index.ts';
import { DEFAULT_SCHEDULER_SETTINGS } from '../../src/scheduler/settings.ts';
import type { OpenSchedulerOptions, RunningScheduler } from '../../src/server/index.ts';
import { openScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import type { CoreOrchestrationContext, TaskHubWorkerOptions } from '../../src/worker/index.ts';
import { TaskFailedError, TaskHubWorker, whenAll, whenAny } from '../../src/worker/index.ts';

type Context = CoreOrchestrationContext;

/** What a worker has in hand of an entity is handed out again so long after its stream was lost. */
const GRACE_MS = DEFAULT_SCHEDULER_SETTINGS.graceMs.entity;

describe('TaskHubClient and TaskHubWorker on our scheduler', function () {
  this.timeout(20_000);
  let scheduler: RunningScheduler;
  let client: TaskHubClient;
  let worker: TaskHubWorker;

  before(async () => {
    scheduler = await open({ storage: 'memory' });
  });
  after(() => scheduler.close());
  beforeEach(() => {
    client = TaskHubClient.open(address());
    worker = makeWorker();
  });
  afterEach(async () => {
    await worker.stop();
    await client.close();
  });

  function open(options: OpenSchedulerOptions): Promise<RunningScheduler> {
    return openScheduler({ grpcPort: 0, httpPort: 0, logger: silentLogger, ...options });
  }

  function address(): { readonly endpoint: string; readonly taskHub: string } {
    return { endpoint: scheduler.grpcEndpoint, taskHub: 'default' };
  }

  function makeWorker(options: TaskHubWorkerOptions = {}): TaskHubWorker {
    const made = new TaskHubWorker({ ...address(), ...options });
    made.addNamedActivity('Hello', (_, city: string) => `Hello ${city}!`);
    made.addNamedActivity('Double', async (_, n: number) => Promise.resolve(n * 2));
    made.addNamedOrchestrator('HelloCities', function* (context: Context) {
      const greetings: unknown[] = [];
      for (const city of ['Tokyo', 'Seattle', 'London']) {
        greetings.push(yield context.callActivity('Hello', city));
      }
      return greetings;
    });
    return made;
  }

  async function run(name: string, input?: unknown): Promise<OrchestrationState> {
    await worker.start();
    const id = await client.scheduleNewOrchestration(name, input);
    return ended(id);
  }

  async function ended(id: string): Promise<OrchestrationState> {
    const state = await client.waitForOrchestrationCompletion(id, true, 15);
    assert.ok(state !== undefined, `instance ${id} is gone`);
    return state;
  }

  async function history(id: string): Promise<HistoryEvent[]> {
    return Array.fromAsync(client.getOrchestrationHistory(id));
  }

  it('runs activities one after the other', async () => {
    const state = await run('HelloCities');

    assert.equal(state.runtimeStatus, OrchestrationStatus.COMPLETED);
    assert.equal(state.serializedOutput, '["Hello Tokyo!","Hello Seattle!","Hello London!"]');
  });

  it('runs the code of an orchestration once, however many turns it takes', async () => {
    let runs = 0;
    worker.addNamedOrchestrator('Count', function* (context: Context) {
      runs += 1;
      context.setCustomStatus('on its way');
      const first = (yield context.callActivity('Double', 1)) as number;
      context.sendEvent('nobody', 'Hi');
      yield context.createTimer(0.01);
      yield context.callSubOrchestrator('HelloCities');
      return first;
    });

    const state = await run('Count');

    assert.equal(state.serializedOutput, '2');
    assert.equal(runs, 1);
  });

  it('leaves the same history whether sessions are kept or every turn is replayed', async () => {
    const live = await run('HelloCities');
    await worker.stop();
    worker = makeWorker({ cachedOrchestrationsMax: 0 });
    const replayed = await run('HelloCities');

    assert.equal(replayed.serializedOutput, live.serializedOutput);
    const shape = async (id: string): Promise<unknown[]> =>
      (await history(id)).map(({ eventId, eventType }) => [eventId, eventType.case]);
    assert.deepEqual(await shape(replayed.instanceId), await shape(live.instanceId));
  });

  it('runs a hundred activities side by side', async () => {
    worker.addNamedOrchestrator('FanOut', function* (context: Context, count: number) {
      const tasks = Array.from({ length: count }, (_, n) => context.callActivity('Double', n));
      const doubled = (yield whenAll(tasks)) as number[];
      return doubled.reduce((sum, n) => sum + n, 0);
    });

    const state = await run('FanOut', 100);

    assert.equal(state.serializedOutput, '9900');
  });

  it('runs async generators and plain functions as orchestrators', async () => {
    worker.addNamedOrchestrator('Async', async function* (context: Context, n: number) {
      const doubled = (yield context.callActivity('Double', n)) as number;
      return doubled + 1;
    });
    worker.addNamedOrchestrator('Plain', (_: Context, n: number) => n + 1);

    assert.equal((await run('Async', 5)).serializedOutput, '11');
    assert.equal((await run('Plain', 5)).serializedOutput, '6');
  });

  it('runs a child and hands its result to the parent', async () => {
    worker.addNamedOrchestrator('Parent', function* (context: Context) {
      const cities: unknown = yield context.callSubOrchestrator('HelloCities');
      return { cities };
    });

    const state = await run('Parent');

    assert.match(state.serializedOutput ?? '', /^\{"cities":\["Hello Tokyo!"/);
  });

  it('wakes on an event or a timer, whichever comes first', async () => {
    worker.addNamedOrchestrator('Race', function* (context: Context, seconds: number) {
      const event = context.waitForExternalEvent('Go');
      const winner: unknown = yield whenAny([event, context.createTimer(seconds)]);
      return winner === event ? event.result : 'timer';
    });
    await worker.start();
    const id = await client.scheduleNewOrchestration('Race', 3_600);
    await client.raiseOrchestrationEvent(id, 'Go', { by: 'test' });

    assert.equal((await ended(id)).serializedOutput, '{"by":"test"}');
    assert.equal((await run('Race', 0.05)).serializedOutput, '"timer"');
  });

  it('continues as new with another input', async () => {
    worker.addNamedOrchestrator('Countdown', function* (context: Context, n: number) {
      yield context.callActivity('Double', n);
      if (n > 0) context.continueAsNew(n - 1);
      return 'landed';
    });

    const state = await run('Countdown', 5);

    assert.equal(state.runtimeStatus, OrchestrationStatus.COMPLETED);
    assert.equal(state.serializedOutput, '"landed"');
    assert.equal(state.serializedInput, '0');
  });

  it('shows the custom status while the orchestration runs', async () => {
    worker.addNamedOrchestrator('Status', function* (context: Context) {
      context.setCustomStatus({ step: 1 });
      yield context.waitForExternalEvent('Go');
    });
    await worker.start();
    const id = await client.scheduleNewOrchestration('Status');

    const state = await client.waitForOrchestrationStart(id, true);

    assert.equal(state?.serializedCustomStatus, '{"step":1}');
    await client.terminateOrchestration(id, terminateOptions({ output: 'enough' }));
    const end = await ended(id);
    assert.equal(end.runtimeStatus, OrchestrationStatus.TERMINATED);
    assert.equal(end.serializedOutput, '"enough"');
  });

  it('holds what arrives while an orchestration is suspended', async () => {
    worker.addNamedOrchestrator('Wait', function* (context: Context) {
      return (yield context.waitForExternalEvent('Go')) as unknown;
    });
    await worker.start();
    const id = await client.scheduleNewOrchestration('Wait');
    await client.waitForOrchestrationStart(id);
    await client.suspendOrchestration(id, 'lunch');
    await client.raiseOrchestrationEvent(id, 'Go', 1);
    await client.resumeOrchestration(id);

    assert.equal((await ended(id)).serializedOutput, '1');
  });

  it('throws the failure of an activity into the orchestrator, which may handle it', async () => {
    worker.addNamedActivity('Fail', () => {
      throw new RangeError('no', { cause: new TypeError('because') });
    });
    worker.addNamedOrchestrator('Catch', function* (context: Context) {
      try {
        yield context.callActivity('Fail');
      } catch (error) {
        assert.ok(error instanceof TaskFailedError);
        return [error.message, error.details.errorType];
      }
      return 'not thrown';
    });

    const state = await run('Catch');

    assert.equal(state.serializedOutput, '["Activity task #1 failed: no","RangeError"]');
  });

  it('fails an orchestration that throws, with its failure and causes', async () => {
    worker.addNamedOrchestrator('Throw', () => {
      throw new RangeError('outer', { cause: new TypeError('inner') });
    });

    const state = await run('Throw');

    assert.equal(state.runtimeStatus, OrchestrationStatus.FAILED);
    assert.equal(state.failureDetails?.errorType, 'RangeError');
    assert.equal(state.failureDetails.innerFailure?.message, 'inner');
    assert.throws(() => state.raiseIfFailed(), { name: 'OrchestrationFailedError' });
  });

  it('fails what nobody registered and goes on', async () => {
    worker.addNamedOrchestrator('CallNobody', function* (context: Context) {
      yield context.callActivity('Nobody');
    });

    const orchestrator = await run('Nobody');
    const activity = await run('CallNobody');

    assert.equal(orchestrator.failureDetails?.errorType, 'OrchestratorNotRegisteredError');
    assert.match(activity.failureDetails?.message ?? '', /Activity function 'Nobody' is not/);
    assert.equal((await run('HelloCities')).runtimeStatus, OrchestrationStatus.COMPLETED);
  });

  it('refuses an id that is taken and a hub that does not exist', async () => {
    await client.scheduleNewOrchestration('HelloCities', undefined, 'taken');
    await assert.rejects(client.scheduleNewOrchestration('HelloCities', undefined, 'taken'), {
      code: 'INSTANCE_ALREADY_EXISTS',
    });

    const lost = TaskHubClient.open({ ...address(), taskHub: 'nowhere' });
    await assert.rejects(lost.getOrchestrationState('i'), { code: 'TASK_HUB_NOT_FOUND' });
    await lost.close();
    await worker.start();
    await ended('taken');
  });

  it('sends a turn that is larger than one message in parts', async () => {
    const inputs = 12;
    worker.addNamedActivity('Length', (_, text: string) => text.length);
    worker.addNamedOrchestrator('Large', function* (context: Context) {
      const text = 'x'.repeat(900_000);
      const tasks = Array.from({ length: inputs }, () => context.callActivity('Length', text));
      const lengths = (yield whenAll(tasks)) as number[];
      return lengths.length;
    });

    assert.equal((await run('Large')).serializedOutput, String(inputs));
  });

  it('gives what it had in hand to the next worker when it stops', async () => {
    await worker.stop();
    worker = makeWorker({ drainTimeoutMs: 0 });
    const begun = Promise.withResolvers<undefined>();
    worker.addNamedActivity('Slow', () => {
      begun.resolve(undefined);
      return new Promise(() => undefined);
    });
    const orchestrator = function* (context: Context) {
      return (yield context.callActivity('Slow')) as unknown;
    };
    worker.addNamedOrchestrator('Handover', orchestrator);
    await worker.start();
    const id = await client.scheduleNewOrchestration('Handover');
    await begun.promise;
    await worker.stop();

    worker = makeWorker();
    worker.addNamedActivity('Slow', () => 'second');
    worker.addNamedOrchestrator('Handover', orchestrator);
    await worker.start();

    assert.equal((await ended(id)).serializedOutput, '"second"');
  });

  it('finishes what it has in hand when it stops, although that takes longer than a lost worker is waited for', async () => {
    let begun = 0;
    const started = Promise.withResolvers<undefined>();
    const { signal } = new AbortController();
    const leaving = makeWorker();
    for (const each of [leaving, worker]) {
      each.addNamedEntity('Slow', () => ({
        run: async ({ state }) => {
          begun += 1;
          started.resolve(undefined);
          await systemClock.sleepUntil(systemClock.now() + 2 * GRACE_MS, { signal });
          state.setState('done');
        },
      }));
    }
    await leaving.connected();
    const id = new EntityInstanceId('slow', 'one');
    await client.signalEntity(id, 'anything');
    await started.promise;
    await worker.connected();

    await leaving.stop();

    assert.equal((await client.getEntity(id))?.state, 'done');
    assert.equal(begun, 1);
  });

  it('finishes everything although the scheduler goes away and comes back meanwhile', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'durabletask-worker-'));
    const storage = `sqlite:${join(folder, 's.db')}`;
    let own = await open({ storage });
    const endpoint = own.grpcEndpoint;
    const at = { endpoint, taskHub: 'default' };
    const ownClient = TaskHubClient.open(at);
    const ownWorker = makeWorker(at);
    await ownWorker.connected();
    const ids = await Promise.all(
      Array.from({ length: 30 }, () => ownClient.scheduleNewOrchestration('HelloCities')),
    );

    await own.close();
    own = await open({ storage, grpcPort: Number(new URL(endpoint).port) });

    const states = await Promise.all(
      ids.map((id) => ownClient.waitForOrchestrationCompletion(id, true, 15)),
    );
    for (const state of states) {
      assert.equal(state?.serializedOutput, '["Hello Tokyo!","Hello Seattle!","Hello London!"]');
    }
    await ownWorker.stop();
    await ownClient.close();
    await own.close();
    await rm(folder, { recursive: true });
  });
});
