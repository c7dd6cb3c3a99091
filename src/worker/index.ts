/** Public entry `durabletask-scheduler/worker`: hosts orchestrators and activities. */
export { TaskHubError } from '../core/errors.ts';
export type { ErrorCode } from '../core/errors.ts';
export type { SchedulerAddress } from '../client/open-connection.ts';
export { CoreOrchestrationContext, whenAll, whenAny } from '../replay/core-context.ts';
export type {
  OrchestrationLogger,
  SubOrchestrationOptions,
  TaskOptions,
} from '../replay/core-context.ts';
export { TaskFailedError } from '../replay/errors.ts';
export type { FailureDetails } from '../replay/failure.ts';
export type { Logger } from '../telemetry/logger.ts';
export type { ActivityContext, ActivityHandler } from './activity-context.ts';
export type {
  ActivityInvocation,
  ActivityInvoker,
  OrchestratorHandler,
  OrchestratorStyle,
} from './registry.ts';
export { TaskHubWorker } from './task-hub-worker.ts';
export type {
  AddOrchestratorOptions,
  AddVersionOptions,
  CoreOrchestrator,
} from './task-hub-worker.ts';
export { VersionFailureStrategy, VersionMatchStrategy } from './versioning.ts';
export type { VersioningOptions } from './versioning.ts';
export type { TaskHubWorkerOptions, WorkItemFilter, WorkItemFilters } from './worker-options.ts';
