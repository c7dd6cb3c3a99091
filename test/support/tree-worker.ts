/** A worker in this process that runs generated trees on the replay engine, against a scheduler on a manual clock. */
import assert from 'node:assert/strict';
import { create, fromBinary } from '@bufbuild/protobuf';
import { systemIds } from '../../src/base/ids.ts';
import type { RuntimeStatus } from '../../src/core/instance.ts';
import {
  ActivityResponseSchema,
  CreateInstanceRequestSchema,
  GetWorkItemsRequestSchema,
  OrchestrationStatus,
  OrchestratorResponseSchema,
  PurgeInstancesRequestSchema,
  RaiseEventRequestSchema,
  RewindInstanceRequestSchema,
  SkipGracefulOrchestrationTerminationsRequestSchema,
  WorkItemSchema,
  type ActivityRequest,
  type OrchestrationState,
  type OrchestratorRequest,
  type WorkItem,
} from '../../src/proto/orchestrator_service_pb.ts';
import { whenAll, whenAny } from '../../src/replay/core-context.ts';
import { RetryPolicy } from '../../src/replay/core-retry.ts';
import type { OrchestratorOptions } from '../../src/replay/options.ts';
import { OrchestratorSession } from '../../src/replay/session.ts';
import type { Task } from '../../src/replay/tasks.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import { DEFAULT_SCHEDULER_SETTINGS } from '../../src/scheduler/settings.ts';
import type { WorkItemSink } from '../../src/scheduler/worker-stream.ts';
import type { WorkerStream } from '../../src/scheduler/workers.ts';
import { openStore } from '../../src/storage/open-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { classicOptions, coreOptions } from '../replay/support/orchestrators.ts';
import { settle } from './eventually.ts';
import { runTree, type Call, type Tree } from './failing-tree.ts';
import { ManualClock } from './manual-clock.ts';

export type Style = 'classic' | 'core';

const HUB = 'default';
const RETRY = { firstRetryIntervalInMilliseconds: 1000, backoffCoefficient: 1 };

/** Child ids that a parent gives: the same in every replay. */
function childNames(instanceId: string): (name: string | undefined) => string | undefined {
  let count = 0;
  return (name) => {
    count += 1;
    return name === undefined ? undefined : `${instanceId}/${name}${count}`;
  };
}

const classic = classicOptions(function* ({ df }): Generator {
  const nameOf = childNames(df.instanceId);
  return yield* runTree<Task>(df.getInput<Tree>(), {
    activity: (call) =>
      df.callActivityWithRetry('Work', { ...RETRY, maxNumberOfAttempts: call.attempts }, call),
    undo: () => df.callActivity('Undo'),
    child: ({ steps, attempts, name }) =>
      df.callSubOrchestratorWithRetry(
        'Tree',
        { ...RETRY, maxNumberOfAttempts: attempts },
        steps,
        nameOf(name),
      ),
    timer: (seconds) => df.createTimer(new Date(df.currentUtcDateTime.getTime() + seconds * 1000)),
    event: (name) => df.waitForExternalEvent(name),
    all: (tasks) => df.Task.all(tasks),
    any: (tasks) => df.Task.any(tasks),
  });
});

const core = coreOptions(async function* (context, input): AsyncGenerator {
  const nameOf = childNames(context.instanceId);
  const retryOf = (maxNumberOfAttempts: number): RetryPolicy =>
    new RetryPolicy({ ...RETRY, maxNumberOfAttempts });
  await Promise.resolve();
  return yield* runTree<Task>(input as Tree, {
    activity: (call) => context.callActivity('Work', call, { retry: retryOf(call.attempts) }),
    undo: () => context.callActivity('Undo'),
    child: ({ steps, attempts, name }) => {
      const instanceId = nameOf(name);
      const retry = retryOf(attempts);
      return context.callSubOrchestrator('Tree', steps, {
        retry,
        ...(instanceId !== undefined && { instanceId }),
      });
    },
    timer: (seconds) => context.createTimer(seconds),
    event: (name) => context.waitForExternalEvent(name),
    all: (tasks) => whenAll(tasks),
    any: (tasks) => whenAny(tasks),
  });
});

const OPTIONS: Readonly<Record<Style, OrchestratorOptions>> = { classic, core };

/** Seconds after which a tree counts as stuck: the longest has far less to wait for. */
const STUCK_AFTER_S = 200;

export class TreeWorld implements WorkItemSink {
  readonly isBlocked = false;
  readonly store: Store;
  readonly scheduler: Scheduler;
  /** Broken activities fail while it is on. */
  isFaulty = true;
  /** How often activities ran, by key. */
  readonly runs = new Map<string, number>();
  readonly #clock: ManualClock;
  readonly #style: Style;
  readonly #busy = new Set<Promise<void>>();
  readonly #errors: unknown[] = [];
  #stream: WorkerStream | undefined;

  private constructor(
    style: Style,
    parts: { readonly clock: ManualClock; readonly store: Store; readonly scheduler: Scheduler },
  ) {
    this.#style = style;
    this.#clock = parts.clock;
    this.store = parts.store;
    this.scheduler = parts.scheduler;
  }

  static async open(style: Style): Promise<TreeWorld> {
    const clock = new ManualClock();
    const common = { logger: silentLogger, clock, ids: systemIds };
    const store = await openStore({ storage: 'memory', ...common });
    const settings = { ...DEFAULT_SCHEDULER_SETTINGS, drainMs: 0 };
    const scheduler = await Scheduler.open({ store, ...common, settings });
    await scheduler.createTaskHub(HUB, { recreate: false });
    const world = new TreeWorld(style, { clock, store, scheduler });
    world.#stream = scheduler.openWorkerStream(HUB, {
      request: create(GetWorkItemsRequestSchema),
      workerId: undefined,
      userAgent: undefined,
      isSticky: false,
      sink: world,
    });
    return world;
  }

  async close(): Promise<void> {
    await this.scheduler.close();
    await this.store.close();
    assert.deepEqual(this.#errors, []);
  }

  push(bytes: Uint8Array): void {
    const item = fromBinary(WorkItemSchema, bytes);
    const work = this.#work(item).catch((error: unknown) => {
      this.#errors.push(error);
    });
    this.#busy.add(work);
    void work.finally(() => this.#busy.delete(work));
  }

  onDrain(): void {
    // This sink is never blocked.
  }

  end(): void {
    this.#stream?.close();
  }

  async #work({ request, completionToken }: WorkItem): Promise<void> {
    if (request.case === 'orchestratorRequest') {
      await this.#turn(request.value, completionToken);
    } else if (request.case === 'activityRequest') {
      await this.#activity(request.value, completionToken);
    }
  }

  async #turn(request: OrchestratorRequest, completionToken: string): Promise<void> {
    const { instanceId, executionId = '', pastEvents, newEvents } = request;
    const seen = [...pastEvents, ...newEvents].map(({ eventType }) => eventType.case);
    assert.ok(!seen.includes('executionRewound'), 'a worker was told of a rewind');
    const session = new OrchestratorSession(OPTIONS[this.#style], { instanceId, executionId });
    const { actions } = await session.turn({ pastEvents, newEvents });
    session.close();
    await this.scheduler.completeOrchestration(
      HUB,
      create(OrchestratorResponseSchema, { instanceId, completionToken, actions }),
    );
  }

  async #activity({ name, input }: ActivityRequest, completionToken: string): Promise<void> {
    const call = name === 'Work' ? (JSON.parse(input ?? '') as Call) : undefined;
    const key = call?.key ?? name;
    this.runs.set(key, (this.runs.get(key) ?? 0) + 1);
    const outcome =
      call?.breaks && this.isFaulty
        ? { failureDetails: { errorType: 'Broken', errorMessage: `${key} is broken` } }
        : { result: JSON.stringify(key) };
    const response = create(ActivityResponseSchema, { completionToken, ...outcome });
    await this.scheduler.completeActivity(HUB, response);
  }

  async start(instanceId: string, tree: Tree): Promise<void> {
    const input = JSON.stringify(tree);
    const request = create(CreateInstanceRequestSchema, { instanceId, name: 'Tree', input });
    await this.scheduler.startInstance(HUB, request);
  }

  async rewind(instanceId: string): Promise<void> {
    const request = create(RewindInstanceRequestSchema, { instanceId, reason: 'mended' });
    await this.scheduler.rewindInstance(HUB, request);
  }

  /** Takes everything but one instance away: what has ended is purged, or what lives is ended by force. */
  async meddle(how: 'purge' | 'end', spared: string): Promise<void> {
    const instanceIds = (await this.#list([])).filter((id) => id !== spared);
    if (how === 'purge') {
      const request = { case: 'instanceBatch' as const, value: { instanceIds } };
      await this.scheduler.purgeInstances(HUB, create(PurgeInstancesRequestSchema, { request }));
    } else {
      const batch = { instanceBatch: { instanceIds } };
      const request = create(SkipGracefulOrchestrationTerminationsRequestSchema, batch);
      await this.scheduler.forceEnd(HUB, request);
    }
  }

  async state(instanceId: string): Promise<OrchestrationState> {
    const state = await this.scheduler.getInstance(HUB, instanceId, { payloads: true });
    assert.ok(state);
    return state;
  }

  /** Until it has ended, however long that takes on its clock; every event that it may wait for is sent. */
  async ended(instanceId: string): Promise<OrchestrationState> {
    await this.#until(async () => {
      const { orchestrationStatus } = await this.state(instanceId);
      return orchestrationStatus !== OrchestrationStatus.RUNNING;
    });
    return this.state(instanceId);
  }

  /** Until nothing runs any more, children that nobody waits for included. */
  async allEnded(): Promise<void> {
    await this.#until(async () => (await this.#live()).length === 0);
  }

  async #until(isOver: () => Promise<boolean>): Promise<void> {
    for (let second = 0; second < STUCK_AFTER_S; second += 1) {
      await this.#quiet();
      if (await isOver()) return;
      if (second % 4 === 3) await this.#raiseAll();
      this.#clock.advance(1000);
    }
    assert.fail('stuck');
  }

  #live(): Promise<readonly string[]> {
    return this.#list([OrchestrationStatus.PENDING, OrchestrationStatus.RUNNING]);
  }

  async #list(statuses: readonly RuntimeStatus[]): Promise<readonly string[]> {
    const page = await this.store.queryInstances({
      ...{ hub: HUB, statuses, createdFrom: undefined, createdTo: undefined },
      ...{ idPrefix: undefined, after: undefined, limit: 1000, payloads: false },
    });
    return page.items.map(({ instanceId }) => instanceId);
  }

  async #raiseAll(): Promise<void> {
    for (const instanceId of await this.#live()) {
      for (const name of ['go', 'stop']) {
        const request = create(RaiseEventRequestSchema, { instanceId, name, input: '"event"' });
        await this.scheduler.raiseEvent(HUB, request);
      }
    }
  }

  /** Nothing is under way that needs no time to pass. */
  async #quiet(): Promise<void> {
    await settle();
    while (this.#busy.size > 0) {
      await Promise.all(this.#busy);
      await settle();
    }
  }
}
