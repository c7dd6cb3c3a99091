import type { ActivityHandler } from 'durable-functions';
import { systemClock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import { nextLoop } from '../base/yield.ts';
import { TaskHubClient } from '../client/task-hub-client.ts';
import { invalidArgument, TaskHubError } from '../core/errors.ts';
import { isTerminal, statusName } from '../core/instance.ts';
import type { AsyncOrchestrationHandler, OrchestrationHandler } from '../functions/app.ts';
import { addAppFunctions, unknownText } from '../functions/app-functions.ts';
import type { DurableClient } from '../functions/durable-client.ts';
import type { EntityFunction } from '../functions/entity-invocation.ts';
import { durableRegistry } from '../functions/registry.ts';
import type { OrchestratorFunction } from '../functions/registry.ts';
import { addStandInClient } from '../functions/stand-in-client.ts';
import type { Logger } from '../telemetry/logger.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { TaskHubWorker } from '../worker/task-hub-worker.ts';
import { createDurableClient, givenClient } from './app-client.ts';
import { InProcessScheduler } from './in-process-scheduler.ts';
import { ManualClock } from './manual-clock.ts';
import { resultOf } from './orchestration-result.ts';
import type { OrchestrationResult } from './orchestration-result.ts';
import { seededIds } from './random.ts';
import { durationMs } from './time-span.ts';
import type { TimeSpan } from './time-span.ts';

/** An orchestrator as for `app.orchestration`: a generator function, an async one, a plain function. */
export type TestOrchestrator = OrchestrationHandler | AsyncOrchestrationHandler;

export interface TestHubOptions {
  /** Orchestrators by name. */
  readonly orchestrators?: Readonly<Record<string, TestOrchestrator>> | undefined;
  /** Activities by name, as for `app.activity`: `(input, context)`. */
  readonly activities?: Readonly<Record<string, ActivityHandler>> | undefined;
  /** Entities by name, as for `app.entity`. */
  readonly entities?: Readonly<Record<string, EntityFunction<never>>> | undefined;
  /** Also serves what the app has registered through `app.orchestration` and its siblings. */
  readonly includesApp?: boolean | undefined;
  /** The hub's time at first. Default 2026-01-01T00:00:00Z. */
  readonly startAt?: Date | undefined;
  /** Ids are the same for the same seed. Default 1. */
  readonly seed?: number | undefined;
  /**
   * Asked before each transaction of the store, which then does nothing and is tried again later: true
   * now and then shows what activities that run twice do. `() => random.chance(0.1)`, with `Random`.
   */
  readonly storeFails?: (() => boolean) | undefined;
  /** How long activities and other code may take in real time before a wait gives up. Default 10,000. */
  readonly patienceMs?: number | undefined;
  /** Default: silent. */
  readonly logger?: Logger | undefined;
}

/** What `TestHub.run` starts with. */
export interface RunOptions {
  /** Default: a seeded UUID. */
  readonly instanceId?: string | undefined;
  readonly version?: string | undefined;
}

const TASK_HUB = 'test';
const PATIENCE_MS = 10_000;
/** Longer than any test: a stream within the process does not die in silence. */
const NEVER_MS = 2 ** 31;
/** News travels through promises and `setImmediate`; quiet for so many turns of the loop is quiet. */
const QUIET_TURNS = 4;
/** What takes more turns waits for the outside world: then there is time to look less often. */
const BUSY_TURNS = 200;

interface Parts {
  readonly scheduler: InProcessScheduler;
  readonly client: TaskHubClient;
  readonly durableClient: DurableClient;
  readonly worker: TaskHubWorker;
  readonly clock: ManualClock;
  readonly patienceMs: number;
}

/**
 * A task hub in this process, for tests: the real scheduler on a store in memory, a worker and a client,
 * no sockets, and a clock that stands still until the test moves it. Timers, retries and delayed starts
 * follow that clock; activities run in real time.
 */
export class TestHub implements AsyncDisposable {
  /** Starts, watches and steers orchestrations. Its time-outs are in real time. */
  readonly client: TaskHubClient;
  /**
   * The client that functions of an app are given: `(request, client, context)`. While the hub is open,
   * `df.getClient()` returns it, too; with several open, that of the hub whose code asks, or the newest.
   */
  readonly durableClient: DurableClient;
  /** For code that is registered as with `durabletask-scheduler/worker` (core style). */
  readonly worker: TaskHubWorker;
  /** The scheduler's clock; `advance` moves it and lets everything happen on the way. */
  readonly clock: ManualClock;
  readonly #scheduler: InProcessScheduler;
  readonly #patienceMs: number;
  readonly #stopStandingIn: () => void;
  #closed: Promise<void> | undefined;

  private constructor(parts: Parts) {
    this.client = parts.client;
    this.durableClient = parts.durableClient;
    this.#stopStandingIn = addStandInClient(parts.durableClient);
    this.worker = parts.worker;
    this.clock = parts.clock;
    this.#scheduler = parts.scheduler;
    this.#patienceMs = parts.patienceMs;
  }

  /** Opens a hub that serves the given functions; close it at the end of the test. */
  static async open(options: TestHubOptions = {}): Promise<TestHub> {
    const {
      startAt,
      seed = 1,
      logger = silentLogger,
      patienceMs = PATIENCE_MS,
      storeFails,
    } = options;
    const clock = new ManualClock(startAt?.getTime());
    const ids = seededIds(seed);
    const scheduler = await InProcessScheduler.open({
      taskHub: TASK_HUB,
      clock,
      ids,
      logger,
      storeFails,
    });
    const worker = new TaskHubWorker({
      connection: scheduler.connect(),
      ignoresNameCase: true,
      unknownText,
      silentLimitMs: NEVER_MS,
      ids,
      logger,
    });
    const client = TaskHubClient.open({ connection: scheduler.connect(), ids });
    const durableClient = createDurableClient({ client, taskHub: TASK_HUB, clock });
    const hub = new TestHub({ scheduler, client, durableClient, worker, clock, patienceMs });
    try {
      addFunctions(worker, options, { durableClient, clock, ids });
      await worker.connected();
      await hub.idle();
      return hub;
    } catch (error) {
      await hub.close();
      throw error;
    }
  }

  /** The hub's time. */
  get now(): Date {
    return new Date(this.clock.now());
  }

  /**
   * Runs an orchestration to its end and returns how it ended. The clock jumps to each timer that is
   * due next. Rejects (WRONG_STATE) when it waits for something that no timer brings, as an event.
   */
  async run(name: string, input?: unknown, options: RunOptions = {}): Promise<OrchestrationResult> {
    const instanceId = await this.client.scheduleNewOrchestration(name, input, options);
    return this.complete(instanceId);
  }

  /** The same for an orchestration that was started before. */
  async complete(instanceId: string): Promise<OrchestrationResult> {
    for (;;) {
      await this.idle();
      const state = await this.client.getOrchestrationState(instanceId, true);
      if (state === undefined) {
        throw new TaskHubError('INSTANCE_NOT_FOUND', `There is no instance '${instanceId}'.`);
      }
      if (isTerminal(state.runtimeStatus)) return resultOf(state);
      const dueAt = this.#dueAt;
      if (dueAt === undefined) {
        throw new TaskHubError(
          'WRONG_STATE',
          `Instance '${instanceId}' (${state.name}) is ${statusName(state.runtimeStatus)} and waits for ` +
            'something that no timer brings: raise the event that it waits for, resume or terminate it.',
        );
      }
      this.clock.advanceTo(dueAt);
    }
  }

  /**
   * Moves the clock on by milliseconds or `{ days: 30 }`. Whatever is due on the way happens at its own
   * time, in order, with all that follows from it. Resolves when everything is quiet again.
   */
  async advance(by: TimeSpan): Promise<void> {
    await this.advanceTo(new Date(this.clock.now() + durationMs(by)));
  }

  /** As `advance`, to an instant. */
  async advanceTo(time: Date): Promise<void> {
    const endAt = time.getTime();
    if (Number.isNaN(endAt)) throw invalidArgument('advanceTo needs a valid Date');
    for (;;) {
      await this.idle();
      const dueAt = this.#dueAt;
      const isLast = dueAt === undefined || dueAt > endAt;
      this.clock.advanceTo(isLast ? endAt : dueAt);
      if (isLast) break;
    }
    await this.idle();
  }

  /** Resolves when nothing more happens unless the clock is moved or the test does something. */
  async idle(): Promise<void> {
    const { work } = this.#scheduler;
    const lateAt = systemClock.now() + this.#patienceMs;
    let quietTurns = 0;
    for (let turn = 0; quietTurns < QUIET_TURNS; turn += 1) {
      await (turn < BUSY_TURNS ? nextLoop() : sleep(1));
      quietTurns = work.isIdle ? quietTurns + 1 : 0;
      if (quietTurns > 0 || systemClock.now() < lateAt) continue;
      throw new TaskHubError(
        'UNAVAILABLE',
        `After ${this.#patienceMs} ms of real time ${work.leasedCount} work items are still running: an ` +
          'activity that takes so long needs a larger patienceMs.',
      );
    }
  }

  get #dueAt(): number | undefined {
    const { work } = this.#scheduler;
    return work.hasFailed ? this.clock.sleepers[0] : work.dueAt;
  }

  /** Ends the worker, the client and the scheduler; everything in the hub is gone. May be repeated. */
  close(): Promise<void> {
    this.#stopStandingIn();
    this.#closed ??= (async () => {
      await this.worker.stop();
      await this.client.close();
      await this.#scheduler.close();
    })();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function sleep(ms: number): Promise<void> {
  const { signal } = new AbortController();
  return systemClock.sleepUntil(systemClock.now() + ms, { signal });
}

function addFunctions(
  worker: TaskHubWorker,
  options: TestHubOptions,
  parts: {
    readonly durableClient: DurableClient;
    readonly clock: ManualClock;
    readonly ids: IdSource;
  },
): void {
  const { orchestrators = {}, activities = {}, entities = {}, includesApp = false } = options;
  const app = durableRegistry();
  const functions = {
    orchestrators: new Map<string, OrchestratorFunction>([
      ...(includesApp ? app.orchestrators : []),
      ...Object.entries(orchestrators),
    ]),
    activities: new Map(
      [...(includesApp ? app.activities : []), ...Object.entries(activities)].map(
        ([name, handler]) => [name, givenClient(handler, parts.durableClient)],
      ),
    ),
    entities: new Map([...(includesApp ? app.entities : []), ...Object.entries(entities)]),
  };
  const { clock, ids } = parts;
  addAppFunctions(worker, { functions, defaultVersion: undefined, clock, ids });
}
