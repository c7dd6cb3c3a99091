/** Public entry `durabletask-scheduler/client`: the management client of a task hub. */
export { formatConnectionString, parseConnectionString } from '../config/connection-string.ts';
export type { Authentication, ConnectionString } from '../config/connection-string.ts';
export { EntityInstanceId } from '../core/entity-instance-id.ts';
export type { EntityTarget } from '../core/entity-instance-id.ts';
export { TaskHubError } from '../core/errors.ts';
export type { ErrorCode } from '../core/errors.ts';
export { OrchestrationStatus } from '../proto/orchestrator_service_pb.ts';
export type { HistoryEvent } from '../proto/orchestrator_service_pb.ts';
export { TimeoutError } from './connection.ts';
export type { CallOptions, Connection } from './connection.ts';
export type {
  CleanEntityStorageRequest,
  CleanEntityStorageResult,
  SignalEntityOptions,
} from './entity-client.ts';
export type { EntityMetadata, EntityQuery } from './entity-query.ts';
export { FailureDetails } from './failure-details.ts';
export type { FailureDetailsOptions } from './failure-details.ts';
export type { AccessToken, Credential } from './credential.ts';
export type { SchedulerAddress } from './open-connection.ts';
export { OrchestrationFailedError, OrchestrationState } from './orchestration-state.ts';
export { TaskHubClient } from './task-hub-client.ts';
export type {
  NamedFunction,
  RequestOptions,
  SendOptions,
  StartOrchestrationOptions,
  TaskHubClientOptions,
  TraceParentOptions,
  WaitOptions,
} from './client-options.ts';
export type { ForceTerminateOptions, PurgeOptions } from './instance-management.ts';
export type { ListInstanceIdsOptions, OrchestrationQuery } from './orchestration-query.ts';
export { createAsyncPageable, Page } from './page.ts';
export type { AsyncPageable, PageSource } from './page.ts';
export { PurgeResult } from './purge.ts';
export type { PublishedPurgeCriteria, PurgeCriteria } from './purge.ts';
export { terminateOptions } from './terminate-options.ts';
export type { TerminateInstanceOptions } from './terminate-options.ts';
