/** Where what we export differs from durable-functions 3.5.0 on purpose. */
export interface AllowedApiDifference {
  readonly id: string;
  readonly reason: string;
  /** Type checks left out for it: `name`, or `typeof name` for the value. */
  readonly types?: readonly string[];
  /** Run-time members left out for it: `owner.member`. */
  readonly members?: readonly string[];
}

export const ALLOWED_API_DIFFERENCES: readonly AllowedApiDifference[] = [
  {
    id: 'constructors of what the library makes',
    reason:
      'declared without parameters there, absent at run time: apps get these objects and cannot make them',
    types: ['typeof DurableClient', 'typeof DurableOrchestrationStatus'],
  },
  {
    id: 'workings of the client',
    reason:
      'not declared: how 3.x builds URLs and reads HTTP answers; ours speaks to the scheduler',
    members: [
      'DurableClient.clientData',
      'DurableClient.eventNamePlaceholder',
      'DurableClient.functionNamePlaceholder',
      'DurableClient.instanceIdPlaceholder',
      'DurableClient.reasonPlaceholder',
      'DurableClient.createdTimeFromQueryKey',
      'DurableClient.createdTimeToQueryKey',
      'DurableClient.runtimeStatusQueryKey',
      'DurableClient.showHistoryQueryKey',
      'DurableClient.showHistoryOutputQueryKey',
      'DurableClient.showInputQueryKey',
      'DurableClient.urlValidationOptions',
      'DurableClient.axiosInstance',
      'DurableClient.getDistributedTracingHeaders',
      'DurableClient.createHttpResponse',
      'DurableClient.hasValidRequestUrl',
      'DurableClient.extractUniqueWebhookOrigins',
      'DurableClient.extractWebhookOrigins',
      'DurableClient.getStatusInternal',
      'DurableClient.createGenericError',
    ],
  },
  {
    id: 'workings of the context',
    reason: 'not declared: what the host hands to the replay of 3.x, which is not ours',
    members: [
      'DurableOrchestrationContext.taskOrchestratorExecutor',
      'DurableOrchestrationContext.state',
      'DurableOrchestrationContext.longRunningTimerIntervalDuration',
      'DurableOrchestrationContext.maximumShortTimerDuration',
      'DurableOrchestrationContext.defaultHttpAsyncRequestSleepTimeMillseconds',
      'DurableOrchestrationContext.schemaVersion',
      'DurableOrchestrationContext.input',
      'DurableOrchestrationContext.newGuidCounter',
      'DurableOrchestrationContext.isDFTaskArray',
      'DurableOrchestrationContext.extractVersionFromHistory',
    ],
  },
  {
    id: 'wrapper of activities',
    reason: 'not declared: a helper that the module of app exports by oversight',
    members: ['app.wrapActivityHandler'],
  },
];
