import { compareVersions } from './compare-versions.ts';
import type { CoreRetryOptions } from './core-retry.ts';
import { CoreEntities } from './core-entities.ts';
import { coreRetrySpec } from './core-retry.ts';
import type { OrchestrationEngine, ParentInstance } from './engine.ts';
import { AnyTask, AtomicTask, TimerTask, WaitForAllTask } from './tasks.ts';
import type { Task } from './tasks.ts';

/** Options of `callActivity` (names of durabletask-js). */
export interface TaskOptions {
  readonly retry?: CoreRetryOptions;
  readonly tags?: Readonly<Record<string, string>>;
  readonly version?: string;
}

/** Options of `callSubOrchestrator`. */
export interface SubOrchestrationOptions extends TaskOptions {
  readonly instanceId?: string;
}

/** A function that is registered under its own name, or that name. */
export type NamedFunction = string | ((...args: never[]) => unknown);

/** The logger that `createReplaySafeLogger` wraps. */
export interface OrchestrationLogger {
  error(message: string, ...args: unknown[]): void;
  warn(message: string, ...args: unknown[]): void;
  info(message: string, ...args: unknown[]): void;
  debug(message: string, ...args: unknown[]): void;
}

/**
 * `OrchestrationContext` of `@microsoft/durabletask-js` on our engine. Made for eager scheduling: a call
 * is on its way when it returns, and yielding it only waits for it.
 */
export class CoreOrchestrationContext {
  readonly #engine: OrchestrationEngine;
  readonly #defaultVersion: string | undefined;
  #entities: CoreEntities | undefined;

  /** `defaultVersion` is that of sub-orchestrations that are called without one. */
  constructor(
    engine: OrchestrationEngine,
    options: { readonly defaultVersion?: string | undefined } = {},
  ) {
    this.#engine = engine;
    this.#defaultVersion = options.defaultVersion;
  }

  get instanceId(): string {
    return this.#engine.instanceId;
  }

  /** Undefined for an orchestration that no other one started. */
  get parent(): ParentInstance | undefined {
    return this.#engine.parent;
  }

  /** The same in every replay: the time at which the newest turn began. */
  get currentUtcDateTime(): Date {
    return new Date(this.#engine.currentTimeAt);
  }

  /** True while the code runs over what it has already done. */
  get isReplaying(): boolean {
    return this.#engine.isReplaying;
  }

  /** Empty when the instance was started without a version. */
  get version(): string {
    return this.#engine.version ?? '';
  }

  /** Calls, signals and locks entities. */
  get entities(): CoreEntities {
    this.#entities ??= new CoreEntities(this.#engine);
    return this.#entities;
  }

  /** Negative, zero or positive as this instance's version is older than, equal to or newer than it. */
  compareVersionTo(version: string): number {
    return compareVersions(this.version, version);
  }

  /** A timer that fires at a date, or after a number of seconds. */
  createTimer(fireAt: Date | number): TimerTask {
    const at =
      fireAt instanceof Date ? fireAt.getTime() : this.#engine.currentTimeAt + secondsToMs(fireAt);
    if (Number.isNaN(new Date(at).getTime())) {
      throw new TypeError(
        'createTimer was given an invalid Date, or more seconds than a Date can hold',
      );
    }
    return this.#engine.offer(new TimerTask('core', at));
  }

  callActivity(activity: NamedFunction, input?: unknown, options: TaskOptions = {}): Task {
    const { tags, version } = options;
    const retry = coreRetrySpec(options.retry);
    const name = nameOf(activity);
    const work = { kind: 'activity', name, input, retry, tags, version } as const;
    return this.#engine.offer(new AtomicTask('core', work));
  }

  callSubOrchestrator(
    orchestrator: NamedFunction,
    input?: unknown,
    options: SubOrchestrationOptions = {},
  ): Task {
    const { instanceId, tags, version = this.#defaultVersion } = options;
    const work = {
      kind: 'subOrchestration',
      name: nameOf(orchestrator),
      input,
      // An empty id means "make one", as in durabletask-js.
      instanceId: instanceId === '' ? undefined : instanceId,
      retry: coreRetrySpec(options.retry),
      tags,
      version,
    } as const;
    return this.#engine.offer(new AtomicTask('core', work));
  }

  /** The payload of the next event of that name; names are compared without case. */
  waitForExternalEvent(name: string): Task {
    assertGiven(name, 'waitForExternalEvent', 'name');
    return this.#engine.offer(new AtomicTask('core', { kind: 'externalEvent', name }));
  }

  /** Starts over with a new input; unconsumed events come along when `saveEvents` is true. */
  continueAsNew(newInput: unknown, saveEvents = false): void {
    this.#engine.continueAsNew(newInput, { shouldSaveEvents: saveEvents });
  }

  /** `undefined` and null clear it. */
  setCustomStatus(customStatus: unknown): void {
    this.#engine.setCustomStatus(customStatus);
  }

  /** Sends an event to another instance; a missing or ended one drops it. */
  sendEvent(instanceId: string, eventName: string, eventData?: unknown): void {
    assertGiven(instanceId, 'sendEvent', 'instanceId');
    assertGiven(eventName, 'sendEvent', 'eventName');
    this.#engine.sendEvent(instanceId, eventName, eventData);
  }

  /** A UUID that is the same in every replay. */
  newGuid(): string {
    return this.#engine.newCoreGuid();
  }

  /** A logger that is silent while the code is replayed. */
  createReplaySafeLogger(logger: OrchestrationLogger): OrchestrationLogger {
    const live =
      (level: keyof OrchestrationLogger) =>
      (message: string, ...args: unknown[]): void => {
        if (!this.isReplaying) logger[level](message, ...args);
      };
    return { error: live('error'), warn: live('warn'), info: live('info'), debug: live('debug') };
  }
}

/** All values in input order, once every task has completed; failures as one `AggregateError`. */
export function whenAll(tasks: readonly Task[]): Task {
  return new WaitForAllTask('core', tasks);
}

/** The first task that completes, succeeded or failed. Throws on an empty list. */
export function whenAny(tasks: readonly Task[]): Task {
  if (tasks.length === 0) throw new Error('whenAny requires at least one task');
  const task = new AnyTask('core', tasks);
  task.evaluate();
  return task;
}

/** The name under which a function is registered. Throws for functions without one. */
export function nameOf(target: NamedFunction): string {
  const name = typeof target === 'string' ? target : target.name;
  if (name === '') {
    throw new Error(
      'Cannot infer a name from a lambda function. Please provide a name explicitly.',
    );
  }
  return name;
}

function secondsToMs(seconds: unknown): number {
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) {
    throw new TypeError(
      'createTimer requires a finite number (seconds) or a valid Date, ' +
        `but received ${String(seconds)}`,
    );
  }
  return seconds * 1000;
}

function assertGiven(value: string, method: string, name: string): void {
  if (!value) throw new Error(`${method}: '${name}' is required and cannot be empty.`);
}
