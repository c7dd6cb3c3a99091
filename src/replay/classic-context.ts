import { ClassicEntities } from './classic-entities.ts';
import type { ClassicEntityId, LockingValues, LockState } from './classic-entities.ts';
import type { ClassicRetryOptions } from './classic-tasks.ts';
import { assertNotBlank, classicRetryPolicy, subOrchestrationWork } from './classic-tasks.ts';
import type { OrchestrationEngine } from './engine.ts';
import { httpCallWork } from './http-call.ts';
import type { CallHttpOptions } from './http-call.ts';
import { AnyTask, AtomicTask, FailFastAllTask, Task, TimerTask } from './tasks.ts';

/** What the classic facade needs from host.json and from durable-functions. */
export interface ClassicContextOptions {
  /** Version of sub-orchestrations that name none. */
  readonly defaultVersion: string | undefined;
  readonly locking: LockingValues;
  /** Between the polls of `callHttp` where the server does not say. Default 30,000. */
  readonly httpSleepMs?: number | undefined;
}

/** The host's default. */
const HTTP_SLEEP_MS = 30_000;

/** `context.df.Task` of durable-functions. */
export interface ClassicTaskFactory {
  readonly all: (tasks: readonly Task[]) => Task;
  readonly any: (tasks: readonly Task[]) => Task;
}

/**
 * `context.df` of durable-functions 3.x on our engine: same names, defaults and error texts. Made for
 * lazy scheduling; with an eager engine every task is scheduled where it is created.
 */
export class ClassicOrchestrationContext {
  readonly #engine: OrchestrationEngine;
  readonly #options: ClassicContextOptions;
  readonly #entities: ClassicEntities;

  readonly Task: ClassicTaskFactory = {
    all: (tasks) => this.#offer(new FailFastAllTask('classic', checkedTasks(tasks, 'all'))),
    any: (tasks) => this.#offer(new AnyTask('classic', checkedTasks(tasks, 'any'))),
  };

  constructor(engine: OrchestrationEngine, options: ClassicContextOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#entities = new ClassicEntities(engine, options.locking);
  }

  get instanceId(): string {
    return this.#engine.instanceId;
  }

  /** Undefined for an orchestration that no other one started. */
  get parentInstanceId(): string | undefined {
    return this.#engine.parent?.instanceId;
  }

  get version(): string | undefined {
    return this.#engine.version;
  }

  /** True while the code runs over what it has already done. */
  get isReplaying(): boolean {
    return this.#engine.isReplaying;
  }

  /** The same in every replay: the time at which the newest turn began. */
  get currentUtcDateTime(): Date {
    return new Date(this.#engine.currentTimeAt);
  }

  /** The value last set in this execution. */
  get customStatus(): unknown {
    return this.#engine.customStatus;
  }

  set customStatus(value: unknown) {
    this.#engine.setCustomStatus(value);
  }

  /** The decoded input. The type is the caller's word, as in durable-functions. */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- public signature
  getInput<T>(): T {
    return this.#engine.input as T;
  }

  setCustomStatus(value: unknown): void {
    this.#engine.setCustomStatus(value);
  }

  /** A UUID that is the same in every replay; the argument is part of its seed. */
  newGuid(instanceId: string): string {
    return this.#engine.newClassicGuid(instanceId);
  }

  callActivity(name: string, input?: unknown): Task {
    assertNotBlank(name, 'functionName');
    return this.#offer(new AtomicTask('classic', { kind: 'activity', name, input }));
  }

  callActivityWithRetry(name: string, retryOptions: ClassicRetryOptions, input?: unknown): Task {
    assertNotBlank(name, 'functionName');
    const retry = classicRetryPolicy(retryOptions);
    return this.#offer(new AtomicTask('classic', { kind: 'activity', name, input, retry }));
  }

  callSubOrchestrator(name: string, input?: unknown, instanceId?: string, version?: string): Task {
    return this.#offer(new AtomicTask('classic', this.#child(name, input, instanceId, version)));
  }

  callSubOrchestratorWithRetry(
    name: string,
    retryOptions: ClassicRetryOptions,
    input?: unknown,
    instanceId?: string,
    version?: string,
  ): Task {
    const child = this.#child(name, input, instanceId, version);
    const retry = classicRetryPolicy(retryOptions);
    return this.#offer(new AtomicTask('classic', { ...child, retry }));
  }

  createTimer(fireAt: Date): TimerTask {
    if (!isDate(fireAt) || Number.isNaN(fireAt.getTime())) {
      throw new TypeError(`fireAt: Expected valid Date object but got ${String(fireAt)}`);
    }
    return this.#offer(new TimerTask('classic', fireAt.getTime()));
  }

  /** The payload of the next event of that name; names are compared without case. */
  waitForExternalEvent(name: string): Task {
    assertNotBlank(name, 'externalEventName');
    return this.#offer(new AtomicTask('classic', { kind: 'externalEvent', name }));
  }

  /** Sends an event to another instance, at once. Not to be yielded. (Not in durable-functions 3.x.) */
  sendEvent(instanceId: string, eventName: string, eventData?: unknown): void {
    assertNotBlank(instanceId, 'instanceId');
    assertNotBlank(eventName, 'eventName');
    this.#engine.sendEvent(instanceId, eventName, eventData);
  }

  /**
   * Starts over with a new input and an empty history, at the next yield or the end of the code. Not to
   * be yielded. Events that arrived and were not waited for are lost unless `saveEvents` is true.
   */
  continueAsNew(input: unknown, saveEvents = false): void {
    this.#engine.continueAsNew(input, { shouldSaveEvents: saveEvents });
  }

  /** Calls an operation of an entity; the task gives what it returns, or throws what it threw. */
  callEntity(entityId: ClassicEntityId, operationName: string, operationInput?: unknown): Task {
    return this.#entities.call(entityId, operationName, operationInput);
  }

  /**
   * Sends an operation to an entity without waiting for it, at once or at `signalTime` (which
   * durable-functions 3.x does not have). Not to be yielded.
   */
  signalEntity(
    entityId: ClassicEntityId,
    operationName: string,
    operationInput?: unknown,
    options: { readonly signalTime?: Date | undefined } = {},
  ): void {
    this.#entities.signal(entityId, operationName, operationInput, options.signalTime);
  }

  /** Begins a critical section; the task gives the `DurableLock` that ends it. */
  lock(...entities: readonly (ClassicEntityId | readonly ClassicEntityId[])[]): Task {
    return this.#entities.lock(entities);
  }

  /** Whether the code is in a critical section, from the call of `lock` on. */
  isLocked(): LockState {
    return this.#entities.lockState();
  }

  /**
   * Sends an HTTP request; the answer is a `DurableHttpResponse` whatever its status. A 202 with a
   * `Location` is polled until it is something else. Fails when the request cannot be sent.
   */
  callHttp(options: CallHttpOptions): Task {
    const { currentTimeAt: now, version } = this.#engine;
    const { httpSleepMs: sleepMs = HTTP_SLEEP_MS } = this.#options;
    const work = httpCallWork(options, { now, version, sleepMs });
    return this.#offer(new AtomicTask('classic', work));
  }

  #offer<T extends Task>(task: T): T {
    return this.#engine.offer(task);
  }

  #child(
    name: string,
    input: unknown,
    instanceId: string | undefined,
    version: string | undefined,
  ): ReturnType<typeof subOrchestrationWork> {
    const { defaultVersion } = this.#options;
    const options = { input, instanceId, version: version ?? defaultVersion };
    const work = subOrchestrationWork(name, options);
    this.#entities.assertNoSection();
    return work;
  }
}

function checkedTasks(tasks: unknown, method: 'all' | 'any'): readonly Task[] {
  if (!Array.isArray(tasks) || !tasks.every((task) => task instanceof Task)) {
    throw new Error(
      `Task.${method} received a non-valid input. ` +
        'This may occur if it somehow received a non-list input, ' +
        "or if the input list's Tasks were corrupted. " +
        'Please review your orchestrator code and/or file an issue.',
    );
  }
  if (tasks.length === 0) {
    throw new Error(
      'When constructing a CompoundTask (such as Task.all() or Task.any()), ' +
        'you must specify at least one Task.',
    );
  }
  return tasks;
}

/** Also dates of another realm, as test runners and sandboxes make them. */
function isDate(value: unknown): value is Date {
  return Object.prototype.toString.call(value) === '[object Date]';
}
