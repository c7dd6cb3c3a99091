/** Public entry `durabletask-scheduler/worker`: hosts orchestrators, activities and entities. */
export { EntityInstanceId } from '../core/entity-instance-id.ts';
export type { EntityTarget } from '../core/entity-instance-id.ts';
export { TaskHubError } from '../core/errors.ts';
export type { ErrorCode } from '../core/errors.ts';
export type { SchedulerAddress } from '../client/open-connection.ts';
export { CoreOrchestrationContext, whenAll, whenAny } from '../replay/core-context.ts';
export type {
  OrchestrationLogger,
  SubOrchestrationOptions,
  TaskOptions,
} from '../replay/core-context.ts';
export { CoreEntities } from '../replay/core-entities.ts';
export type { CriticalSectionInfo, LockHandle, SignalOptions } from '../replay/core-entities.ts';
export { EntityOperationFailedException, TaskFailedError } from '../replay/errors.ts';
export type { FailureDetails } from '../replay/failure.ts';
export type { Logger } from '../telemetry/logger.ts';
export type { ActivityContext, ActivityHandler } from './activity-context.ts';
export type {
  ActivityInvocation,
  ActivityInvoker,
  OrchestratorHandler,
  OrchestratorStyle,
} from './registry.ts';
export { TaskEntity } from './task-entity.ts';
export type {
  EntityFactory,
  EntityStartOptions,
  ITaskEntity,
  TaskEntityContext,
  TaskEntityOperation,
  TaskEntityState,
} from './task-entity.ts';
export { TaskHubWorker } from './task-hub-worker.ts';
export type {
  AddOrchestratorOptions,
  AddVersionOptions,
  CoreOrchestrator,
} from './task-hub-worker.ts';
export { VersionFailureStrategy, VersionMatchStrategy } from './versioning.ts';
export type { VersioningOptions } from './versioning.ts';
export type { TaskHubWorkerOptions, WorkItemFilter, WorkItemFilters } from './worker-options.ts';
