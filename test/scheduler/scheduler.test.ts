import assert from 'node:assert/strict';
import { create, fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { systemIds } from '../../src/base/ids.ts';
import {
  ActivityResponseSchema,
  CreateInstanceRequestSchema,
  GetWorkItemsRequestSchema,
  HistoryChunkSchema,
  OrchestrationStatus,
  OrchestratorResponseSchema,
  RaiseEventRequestSchema,
  ResumeRequestSchema,
  StreamInstanceHistoryRequestSchema,
  SuspendRequestSchema,
  TerminateRequestSchema,
  WorkItemSchema,
  type OrchestratorResponse,
  type WorkItem,
} from '../../src/proto/orchestrator_service_pb.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import { DEFAULT_SCHEDULER_SETTINGS } from '../../src/scheduler/settings.ts';
import type { WorkItemSink } from '../../src/scheduler/worker-stream.ts';
import type { WorkerStream } from '../../src/scheduler/workers.ts';
import { openStore } from '../../src/storage/open-store.ts';
import type { Round, Store } from '../../src/storage/store.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { complete, scheduleTask, sendEvent } from '../support/actions.ts';
import { eventually, settle } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';

const HUB = 'default';
const SETTINGS = DEFAULT_SCHEDULER_SETTINGS;

/** A worker whose stream is in memory: it closes when the scheduler ends it, unless it is told not to. */
class TestWorker implements WorkItemSink {
  readonly items: WorkItem[] = [];
  isBlocked = false;
  isEnded = false;
  closesItself = true;
  stream: WorkerStream | undefined;

  push(workItem: Uint8Array): void {
    this.items.push(fromBinary(WorkItemSchema, workItem));
  }

  onDrain(): void {
    // This sink is never blocked by itself.
  }

  end(): void {
    this.isEnded = true;
    if (this.closesItself) this.stream?.close();
  }

  async next(count = 1): Promise<WorkItem> {
    await eventually(() => this.items.length >= count, `work item ${count}`);
    return this.items[count - 1]!;
  }
}

type ResponseInit = Omit<MessageInitShape<typeof OrchestratorResponseSchema>, '$typeName'>;

function respond({ completionToken }: WorkItem, init: ResponseInit = {}): OrchestratorResponse {
  return create(OrchestratorResponseSchema, { completionToken, ...init });
}

describe('scheduler', () => {
  const clock = new ManualClock();
  let store: Store;
  let scheduler: Scheduler;
  /** Set by a test that wants the next round to fail before it does anything. */
  let isFailing = false;
  let warned: object[] = [];

  beforeEach(async () => {
    isFailing = false;
    warned = [];
    store = await openStore({ storage: 'memory', logger: silentLogger, clock, ids: systemIds });
    const exchange = store.exchange.bind(store);
    store.exchange = (round: Round) =>
      isFailing ? Promise.reject(new Error('the disk is gone')) : exchange(round);
    const settings = { ...SETTINGS, drainMs: 1000 };
    scheduler = await Scheduler.open({
      store,
      clock,
      ids: systemIds,
      logger: { ...silentLogger, warn: (sentence, fields) => warned.push({ sentence, ...fields }) },
      settings,
    });
    await scheduler.createTaskHub(HUB, { recreate: false });
  });

  afterEach(async () => {
    const closing = scheduler.close();
    for (let step = 0; step < 3; step += 1) {
      await settle();
      clock.advance(1000);
    }
    await closing;
    await store.close();
  });

  function connect(): TestWorker {
    const worker = new TestWorker();
    worker.stream = scheduler.openWorkerStream(HUB, {
      request: create(GetWorkItemsRequestSchema),
      workerId: undefined,
      userAgent: undefined,
      isSticky: false,
      sink: worker,
    });
    return worker;
  }

  async function start(instanceId: string, input?: string): Promise<string> {
    const request = create(CreateInstanceRequestSchema, { instanceId, name: 'O' });
    if (input !== undefined) request.input = input;
    return scheduler.startInstance(HUB, request);
  }

  async function statusOf(instanceId: string): Promise<OrchestrationStatus | undefined> {
    const state = await scheduler.getInstance(HUB, instanceId, { payloads: true });
    return state?.orchestrationStatus;
  }

  it('carries an instance from start to end', async () => {
    const worker = connect();
    assert.equal(await start('a', '"in"'), 'a');
    const first = await worker.next();
    await scheduler.completeOrchestration(HUB, respond(first, { actions: [scheduleTask(1)] }));
    const activity = await worker.next(2);
    const { completionToken } = activity;
    const answer = create(ActivityResponseSchema, { completionToken, result: '1' });
    await scheduler.completeActivity(HUB, answer);
    const last = await worker.next(3);
    await scheduler.completeOrchestration(HUB, respond(last, { actions: [complete('"out"')] }));
    const state = await scheduler.getInstance(HUB, 'a', { payloads: true });
    assert.equal(state?.orchestrationStatus, OrchestrationStatus.COMPLETED);
    assert.deepEqual([state.input, state.output], ['"in"', '"out"']);
  });

  it('says once for each hub that events do not reach entities, and goes on', async () => {
    const worker = connect();
    await start('a');
    const actions = [sendEvent(1, '@counter@a', 'op'), sendEvent(2, '@counter@b', 'op')];
    await scheduler.completeOrchestration(HUB, respond(await worker.next(), { actions }));
    await scheduler.raiseEvent(
      HUB,
      create(RaiseEventRequestSchema, { instanceId: 'a', name: 'E' }),
    );
    const last = [sendEvent(3, '@counter@a', 'op'), complete('"out"')];
    await scheduler.completeOrchestration(HUB, respond(await worker.next(2), { actions: last }));

    assert.equal(await statusOf('a'), OrchestrationStatus.COMPLETED);
    const sentence = 'dropped an event to an entity: entities take signals and calls';
    const fields = { eventId: 2006, taskHub: HUB, instanceId: '@counter@a' };
    assert.deepEqual(warned, [{ sentence, ...fields }]);
  });

  it('makes an id of 32 hex digits where the client gives none', async () => {
    assert.match(await start(''), /^[0-9a-f]{32}$/);
  });

  it('passes raise, suspend, resume and terminate on, in order', async () => {
    await start('a');
    const instanceId = 'a';
    await scheduler.raiseEvent(HUB, create(RaiseEventRequestSchema, { instanceId, name: 'x' }));
    await scheduler.suspend(HUB, create(SuspendRequestSchema, { instanceId }));
    await scheduler.resume(HUB, create(ResumeRequestSchema, { instanceId }));
    const item = await connect().next();
    assert.ok(item.request.case === 'orchestratorRequest');
    assert.deepEqual(
      item.request.value.newEvents.map(({ eventType }) => eventType.case),
      [
        'orchestratorStarted',
        'executionStarted',
        'eventRaised',
        'executionSuspended',
        'executionResumed',
      ],
    );
    await start('b');
    await scheduler.terminate(HUB, create(TerminateRequestSchema, { instanceId: 'none' })).then(
      () => assert.fail('there is no such instance'),
      (error: unknown) => assert.equal((error as { code: string }).code, 'INSTANCE_NOT_FOUND'),
    );
  });

  it('resolves a wait when the instance ends', async () => {
    const worker = connect();
    await start('a');
    const item = await worker.next();
    const { signal } = new AbortController();
    const options = { until: 'completed' as const, payloads: true, signal };
    const waiting = scheduler.waitForInstance(HUB, 'a', options);
    await scheduler.completeOrchestration(HUB, respond(item, { actions: [complete('1')] }));
    assert.equal((await waiting)?.output, '1');
  });

  it('streams the history as chunks that decode', async () => {
    const worker = connect();
    await start('a');
    await scheduler.completeOrchestration(HUB, respond(await worker.next()));
    const request = create(StreamInstanceHistoryRequestSchema, { instanceId: 'a' });
    const { signal } = new AbortController();
    const chunks = await Array.fromAsync(scheduler.streamHistory(HUB, request, { signal }));
    const events = chunks.flatMap((bytes) => fromBinary(HistoryChunkSchema, bytes).events);
    assert.deepEqual(
      events.map(({ eventType }) => eventType.case),
      ['orchestratorStarted', 'executionStarted'],
    );
  });

  it('hands a lost worker’s item to another after the grace period', async () => {
    const lost = connect();
    await start('a');
    await lost.next();
    lost.stream?.close();
    const other = connect();
    await settle();
    assert.deepEqual(other.items, []);
    clock.advance(SETTINGS.graceMs.orchestration);
    const item = await other.next();
    assert.ok(item.request.case === 'orchestratorRequest');
    assert.equal(item.request.value.instanceId, 'a');
  });

  it('refuses completions without a token', async () => {
    const none = { completionToken: '' };
    const turn = scheduler.completeOrchestration(HUB, create(OrchestratorResponseSchema, none));
    await assert.rejects(turn, { code: 'INVALID_ARGUMENT' });
    const activity = scheduler.completeActivity(HUB, create(ActivityResponseSchema, none));
    await assert.rejects(activity, { code: 'INVALID_ARGUMENT' });
  });

  it('refuses hubs that do not exist and names that cannot be', async () => {
    assert.throws(() => scheduler.assertTaskHub('nope'), { code: 'TASK_HUB_NOT_FOUND' });
    for (const name of ['', '-a', 'a b', 'x'.repeat(65)]) {
      const made = scheduler.createTaskHub(name, { recreate: false });
      await assert.rejects(made, { code: 'INVALID_ARGUMENT' });
    }
  });

  it('ends the streams of a hub that is deleted', async () => {
    const worker = connect();
    await scheduler.deleteTaskHub(HUB);
    assert.equal(worker.isEnded, true);
    assert.deepEqual(scheduler.taskHubs(), []);
    assert.deepEqual(scheduler.workers(), []);
  });

  describe('a completion in chunks', () => {
    it('commits once, when the last is there', async () => {
      const worker = connect();
      await start('a');
      const item = await worker.next();
      const part = { isPartial: true, chunkIndex: 0, actions: [scheduleTask(1)] };
      await scheduler.completeOrchestration(HUB, respond(item, part));
      assert.equal(await statusOf('a'), OrchestrationStatus.PENDING);
      const last = { chunkIndex: 1, actions: [complete('1')] };
      await scheduler.completeOrchestration(HUB, respond(item, last));
      assert.equal(await statusOf('a'), OrchestrationStatus.COMPLETED);
      const activity = await worker.next(2);
      assert.equal(activity.request.case, 'activityRequest');
    });

    it('whose beginning was lost with the stream is refused, and the item handed out again', async () => {
      const lost = connect();
      await start('a');
      const item = await lost.next();
      const part = { isPartial: true, chunkIndex: 0, actions: [scheduleTask(1)] };
      await scheduler.completeOrchestration(HUB, respond(item, part));
      lost.stream?.close();
      await settle();
      const last = respond(item, { chunkIndex: 1, actions: [complete('1')] });
      await assert.rejects(scheduler.completeOrchestration(HUB, last), { code: 'WRONG_STATE' });
      assert.equal(await statusOf('a'), OrchestrationStatus.PENDING);
      const other = connect();
      await settle();
      clock.advance(SETTINGS.graceMs.orchestration);
      assert.equal((await other.next()).request.case, 'orchestratorRequest');
    });

    it('is whole when its last chunk comes again after the store failed', async () => {
      const worker = connect();
      await start('a');
      const item = await worker.next();
      const part = { isPartial: true, chunkIndex: 0, actions: [scheduleTask(1)] };
      await scheduler.completeOrchestration(HUB, respond(item, part));
      const last = respond(item, { chunkIndex: 1, actions: [complete('1')] });
      isFailing = true;
      await assert.rejects(scheduler.completeOrchestration(HUB, last), { code: 'UNAVAILABLE' });
      isFailing = false;
      await scheduler.completeOrchestration(HUB, last);
      assert.equal((await worker.next(2)).request.case, 'activityRequest');
    });
  });

  describe('a worker that goes while the store is away', () => {
    it('gives back what it held as soon as the store is there again', async () => {
      const first = connect();
      await start('a');
      await first.next();
      isFailing = true;
      first.stream?.close();
      await settle();
      isFailing = false;
      const second = connect();
      for (const ms of [1000, SETTINGS.graceMs.orchestration]) {
        clock.advance(ms);
        await settle();
      }
      assert.equal((await second.next()).request.case, 'orchestratorRequest');
    });
  });

  describe('closing', () => {
    it('ends the streams with OK and lets workers finish what they hold', async () => {
      const worker = connect();
      worker.closesItself = false;
      await start('a');
      const item = await worker.next();
      const closing = scheduler.close();
      assert.equal(worker.isEnded, true);
      await settle();
      await scheduler.completeOrchestration(HUB, respond(item, { actions: [complete('1')] }));
      clock.advance(20);
      await closing;
      const record = await store.getInstance(HUB, 'a', { payloads: true });
      assert.equal(record?.output, '1');
    });

    it('hands out nothing more', async () => {
      const worker = connect();
      worker.closesItself = false;
      const closing = scheduler.close();
      await start('a').catch(() => undefined);
      await settle();
      assert.deepEqual(worker.items, []);
      clock.advance(1000);
      await closing;
    });

    it('gives back at the deadline what nobody finished', async () => {
      const worker = connect();
      worker.closesItself = false;
      await start('a');
      await worker.next();
      const closing = scheduler.close();
      for (let step = 0; step < 60; step += 1) {
        await settle();
        clock.advance(20);
      }
      await closing;
      const { wakeAt } = await store.exchange({ now: clock.now(), commits: [], takers: [] });
      assert.equal(wakeAt, undefined);
    });

    it('rejects those who wait, and refuses what comes later', async () => {
      await start('a');
      const { signal } = new AbortController();
      const options = { until: 'completed' as const, payloads: false, signal };
      const waiting = scheduler.waitForInstance(HUB, 'a', options);
      const rejected = assert.rejects(waiting, { code: 'UNAVAILABLE' });
      await settle();
      await scheduler.close();
      await rejected;
      await assert.rejects(start('b'), { code: 'UNAVAILABLE' });
      assert.throws(() => connect(), { code: 'UNAVAILABLE' });
    });

    it('twice is closing once', async () => {
      await Promise.all([scheduler.close(), scheduler.close()]);
    });
  });
});
