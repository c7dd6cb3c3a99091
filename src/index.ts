/**
 * Public entry `durabletask-scheduler`: the Azure Functions extension, a drop-in for
 * `durable-functions` 3.5.0. Importing it ties durable functions to the scheduler (see
 * functions/install.ts); outside a Functions host it only offers its values.
 */
import { OrchestrationAlreadyExistsError } from './functions/already-exists.ts';
import * as appModule from './functions/app.ts';
import { DummyEntityContext, DummyOrchestrationContext } from './functions/dummy-context.ts';
import { DurableClient } from './functions/durable-client.ts';
import { getClient } from './functions/get-client.ts';
import { isDurableClientInput } from './functions/host-only-bindings.ts';
import * as inputModule from './functions/input.ts';
import { installExtension } from './functions/install.ts';
import { DurableOrchestrationContext } from './functions/orchestration-context.ts';
import * as triggerModule from './functions/trigger.ts';
import {
  AggregatedError,
  DurableError,
  DurableLock,
  DurableOrchestrationStatus,
  EntityId,
  EntityStateResponse,
  HttpManagementPayload,
  LockingRulesViolationError,
  LockState,
  ManagedIdentityTokenSource,
  OrchestrationRuntimeStatus,
  PurgeHistoryResult,
  RetryOptions,
  TaskFailedError,
} from './functions/value-classes.ts';
import { EntityInstanceId } from './core/entity-instance-id.ts';
import { EntityOperationFailedException } from './replay/errors.ts';
import { TaskEntity } from './worker/task-entity.ts';
import { DurableHttpResponse } from './replay/http-call.ts';

installExtension();

// Plain objects, as in the CommonJS original: tests of an app replace their members.
const app = { ...appModule, client: { ...appModule.client } };
const input = { ...inputModule };
const trigger = { ...triggerModule };

// The names that durable-functions 4 gives what is ours under the names of 3.5.0.
const DurableFunctionsClient = DurableClient;
type DurableFunctionsClient = DurableClient;
const DurableOrchestrationClient = DurableClient;
type DurableOrchestrationClient = DurableClient;
export type {
  OrchestrationContext as ClassicOrchestrationContext,
  OrchestrationHandler as ClassicOrchestrator,
} from './functions/app.ts';
export type { EntityContext as ClassicEntityContext } from './functions/entity-context.ts';
export type { EntityHandler as ClassicEntity } from './functions/entity-invocation.ts';
export type { StartOrchestrationOptions } from './client/client-options.ts';

export type { CallHttpOptions } from './functions/orchestration-context.ts';
export type {
  ActivityHandler,
  ActivityOptions,
  AsyncOrchestrationHandler,
  AsyncOrchestrationOptions,
  OrchestrationContext,
  OrchestrationHandler,
  OrchestrationOptions,
} from './functions/app.ts';
export type { DurableEntityContext, EntityContext } from './functions/entity-context.ts';
export type {
  EntityClass,
  EntityFunction,
  EntityHandler,
  EntityMaker,
  EntityOptions,
} from './functions/entity-invocation.ts';
export type {
  ITaskEntity,
  TaskEntityContext,
  TaskEntityOperation,
  TaskEntityState,
} from './worker/task-entity.ts';
export type {
  CosmosDBDurableClientHandler,
  CosmosDBDurableClientOptions,
  CosmosDBv3DurableClientOptions,
  CosmosDBv4DurableClientOptions,
  DurableClientHandler,
  DurableClientOptions,
  EventGridDurableClientHandler,
  EventGridDurableClientOptions,
  EventHubDurableClientHandler,
  EventHubDurableClientOptions,
  HttpDurableClientHandler,
  HttpDurableClientOptions,
  ServiceBusQueueDurableClientHandler,
  ServiceBusQueueDurableClientOptions,
  ServiceBusTopicDurableClientHandler,
  ServiceBusTopicDurableClientOptions,
  StorageBlobDurableClientHandler,
  StorageBlobDurableClientOptions,
  StorageQueueDurableClientHandler,
  StorageQueueDurableClientOptions,
  TimerDurableClientHandler,
  TimerDurableClientOptions,
} from './functions/client-types.ts';
export type { StartNewOptions } from './functions/durable-client.ts';
export type {
  ActivityTrigger,
  DurableClientInput,
  EntityTrigger,
  ExceptionPropertiesProvider,
  FailureDetails,
  GetStatusOptions,
  OrchestrationFilter,
  OrchestrationTrigger,
  RegisteredActivity,
  RegisteredActivityTask,
  RegisteredOrchestration,
  RegisteredOrchestrationTask,
  Task,
  TaskHubOptions,
  TimerTask,
  TokenSource,
  WaitForCompletionOptions,
} from 'durable-functions';
export type { HttpRetryOptions } from './replay/http-call.ts';

export {
  AggregatedError,
  app,
  DummyEntityContext,
  DummyOrchestrationContext,
  DurableClient,
  DurableError,
  DurableFunctionsClient,
  DurableHttpResponse,
  DurableLock,
  DurableOrchestrationClient,
  DurableOrchestrationContext,
  DurableOrchestrationStatus,
  EntityId,
  EntityInstanceId,
  EntityOperationFailedException,
  EntityStateResponse,
  getClient,
  HttpManagementPayload,
  input,
  isDurableClientInput,
  LockingRulesViolationError,
  LockState,
  ManagedIdentityTokenSource,
  OrchestrationAlreadyExistsError,
  OrchestrationRuntimeStatus,
  PurgeHistoryResult,
  RetryOptions,
  TaskEntity,
  TaskFailedError,
  trigger,
};

/** What `require` and a default import get: one plain object, as with the CommonJS original. */
const durableFunctions = {
  AggregatedError,
  app,
  DummyEntityContext,
  DummyOrchestrationContext,
  DurableClient,
  DurableError,
  DurableFunctionsClient,
  DurableHttpResponse,
  DurableLock,
  DurableOrchestrationClient,
  DurableOrchestrationContext,
  DurableOrchestrationStatus,
  EntityId,
  EntityInstanceId,
  EntityOperationFailedException,
  EntityStateResponse,
  getClient,
  HttpManagementPayload,
  input,
  isDurableClientInput,
  LockingRulesViolationError,
  LockState,
  ManagedIdentityTokenSource,
  OrchestrationAlreadyExistsError,
  OrchestrationRuntimeStatus,
  PurgeHistoryResult,
  RetryOptions,
  TaskEntity,
  TaskFailedError,
  trigger,
};
export { durableFunctions as default, durableFunctions as 'module.exports' };
