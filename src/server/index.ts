/** Public entry `durabletask-scheduler/scheduler`: the scheduler, embedded in the caller's process. */
export { openScheduler } from './open-scheduler.ts';
export type {
  OpenSchedulerOptions,
  RoleAssignmentOption,
  RunningScheduler,
} from './open-scheduler.ts';
export type { ConfigSources } from '../config/shown-config.ts';
export { TaskHubError } from '../core/errors.ts';
export type { ErrorCode } from '../core/errors.ts';
export type { Logger, LogFields, LogLevel } from '../telemetry/logger.ts';
