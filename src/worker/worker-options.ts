import type { Clock } from '../base/clock.ts';
import { systemClock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import { systemIds } from '../base/ids.ts';
import type { SchedulerAddress } from '../client/open-connection.ts';
import { invalidArgument } from '../core/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { taskHubOf } from '../client/open-connection.ts';
import { silentLogger } from '../telemetry/logger.ts';
import type { UnknownText } from './registry.ts';
import { resolveVersioning } from './versioning.ts';
import type { Versioning, VersioningOptions } from './versioning.ts';

/** One kind of work that a worker asks for; no versions means every version. */
export interface WorkItemFilter {
  readonly name: string;
  readonly versions?: readonly string[] | undefined;
}

export interface WorkItemFilters {
  readonly orchestrations?: readonly WorkItemFilter[] | undefined;
  readonly activities?: readonly WorkItemFilter[] | undefined;
  /** Without versions, which entities do not have; the case of names does not count. */
  readonly entities?: readonly Pick<WorkItemFilter, 'name'>[] | undefined;
}

export interface TaskHubWorkerOptions extends SchedulerAddress {
  /** Turns that run at once. Default 100. */
  readonly maxConcurrentOrchestrations?: number | undefined;
  /** Activities that run at once. Default 100. */
  readonly maxConcurrentActivities?: number | undefined;
  /** Entities that run at once; each runs its operations one by one. Default 100. */
  readonly maxConcurrentEntities?: number | undefined;
  /**
   * Which work to take. Default: all, so that a name that is registered nowhere fails instead of
   * waiting for ever. `auto`: what is registered when the worker starts.
   */
  readonly workItemFilters?: WorkItemFilters | 'auto' | undefined;
  /**
   * Compares names without case, as Functions hosts do. Default false. Work item filters compare
   * exactly all the same: the scheduler applies them.
   */
  readonly ignoresNameCase?: boolean | undefined;
  /** The failure of what nothing is registered for. Default: the texts of durabletask-js. */
  readonly unknownText?: UnknownText | undefined;
  /** Which versions of orchestrations to run, and what to do about others. Default: all. */
  readonly versioning?: VersioningOptions | undefined;
  /** How long `stop()` waits for what is in hand. Default 30,000. */
  readonly drainTimeoutMs?: number | undefined;
  /** Orchestrations kept in memory between their turns. Default 1,000; 0 replays every turn. */
  readonly cachedOrchestrationsMax?: number | undefined;
  /** How long one is kept without a turn. Default 300,000. */
  readonly cachedOrchestrationIdleMs?: number | undefined;
  /**
   * Memory for states of entities between their batches, so that they need not travel each time. Default 67,108,864;
   * 0 keeps none, and neither does a worker that keeps no orchestrations.
   */
  readonly cachedEntityBytesMax?: number | undefined;
  /** Actions that one turn may ask for. Default 100,000. */
  readonly actionsMax?: number | undefined;
  /** How long an async orchestrator may wait for something that is not durable. Default 1,000. */
  readonly nonDurableWaitMs?: number | undefined;
  /** A stream without a message for so long is dead. Default 120,000. */
  readonly silentLimitMs?: number | undefined;
  /** How long a completion without an answer is repeated. Default 300,000. */
  readonly completionRetryMs?: number | undefined;
  /** Default: host, process id and a random id. */
  readonly workerId?: string | undefined;
  readonly logger?: Logger | undefined;
  readonly clock?: Clock | undefined;
  readonly ids?: IdSource | undefined;
}

/** The settings of a worker, checked and complete. */
export interface WorkerSettings {
  readonly maxConcurrentOrchestrations: number;
  readonly maxConcurrentActivities: number;
  readonly maxConcurrentEntities: number;
  readonly workItemFilters: WorkItemFilters | 'auto' | undefined;
  readonly ignoresNameCase: boolean;
  readonly versioning: Versioning;
  readonly drainTimeoutMs: number;
  readonly cachedOrchestrationsMax: number;
  readonly cachedOrchestrationIdleMs: number;
  readonly cachedEntityBytesMax: number;
  readonly actionsMax: number;
  readonly nonDurableWaitMs: number;
  readonly silentLimitMs: number;
  readonly completionRetryMs: number;
  /** Of the metrics; not known of a connection that the caller made. */
  readonly taskHub: string | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/**
 * Fills in what a caller left out.
 *
 * @throws TaskHubError INVALID_ARGUMENT naming a number that is not a whole one or is too small.
 */
export function resolveWorkerOptions(options: TaskHubWorkerOptions): WorkerSettings {
  const whole = (name: NumberOption, fallback: number, least: number): number => {
    const value = options[name] ?? fallback;
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw invalidArgument(`${name} must be a whole number >= ${least}, got ${value}`);
  };
  return {
    maxConcurrentOrchestrations: whole('maxConcurrentOrchestrations', 100, 1),
    maxConcurrentActivities: whole('maxConcurrentActivities', 100, 1),
    maxConcurrentEntities: whole('maxConcurrentEntities', 100, 1),
    workItemFilters: options.workItemFilters,
    ignoresNameCase: options.ignoresNameCase ?? false,
    versioning: resolveVersioning(options.versioning),
    drainTimeoutMs: whole('drainTimeoutMs', 30_000, 0),
    cachedOrchestrationsMax: whole('cachedOrchestrationsMax', 1_000, 0),
    cachedOrchestrationIdleMs: whole('cachedOrchestrationIdleMs', 300_000, 0),
    cachedEntityBytesMax: whole('cachedEntityBytesMax', 64 * 1024 * 1024, 0),
    actionsMax: whole('actionsMax', 100_000, 1),
    nonDurableWaitMs: whole('nonDurableWaitMs', 1_000, 1),
    silentLimitMs: whole('silentLimitMs', 120_000, 1),
    completionRetryMs: whole('completionRetryMs', 300_000, 0),
    taskHub: taskHubOf(options),
    logger: options.logger ?? silentLogger,
    clock: options.clock ?? systemClock,
    ids: options.ids ?? systemIds,
  };
}

type NumberOption = {
  [K in keyof TaskHubWorkerOptions]-?: Exclude<TaskHubWorkerOptions[K], undefined> extends number
    ? K
    : never;
}[keyof TaskHubWorkerOptions];
