import type * as df from 'durable-functions';
import type { DurableClient } from './durable-client.ts';

/** The same handler, given our client: that of durable-functions and more. */
type WithClient<Handler> = Handler extends (
  trigger: infer Trigger,
  client: df.DurableClient,
  context: infer Context,
) => infer Result
  ? (trigger: Trigger, client: DurableClient, context: Context) => Result
  : never;

/** The same options with another handler. */
type WithHandler<Options, Handler> = Omit<Options, 'handler'> & { handler: Handler };

/** A function with any trigger that is passed a durable client: `(trigger, client, context)`. */
export type DurableClientHandler = WithClient<df.DurableClientHandler>;
export type DurableClientOptions = WithHandler<df.DurableClientOptions, DurableClientHandler>;

export type HttpDurableClientHandler = WithClient<df.HttpDurableClientHandler>;
export type HttpDurableClientOptions = WithHandler<
  df.HttpDurableClientOptions,
  HttpDurableClientHandler
>;

export type TimerDurableClientHandler = WithClient<df.TimerDurableClientHandler>;
export type TimerDurableClientOptions = WithHandler<
  df.TimerDurableClientOptions,
  TimerDurableClientHandler
>;

export type StorageBlobDurableClientHandler = WithClient<df.StorageBlobDurableClientHandler>;
export type StorageBlobDurableClientOptions = WithHandler<
  df.StorageBlobDurableClientOptions,
  StorageBlobDurableClientHandler
>;

export type StorageQueueDurableClientHandler = WithClient<df.StorageQueueDurableClientHandler>;
export type StorageQueueDurableClientOptions = WithHandler<
  df.StorageQueueDurableClientOptions,
  StorageQueueDurableClientHandler
>;

export type ServiceBusQueueDurableClientHandler =
  WithClient<df.ServiceBusQueueDurableClientHandler>;
export type ServiceBusQueueDurableClientOptions = WithHandler<
  df.ServiceBusQueueDurableClientOptions,
  ServiceBusQueueDurableClientHandler
>;

export type ServiceBusTopicDurableClientHandler =
  WithClient<df.ServiceBusTopicDurableClientHandler>;
export type ServiceBusTopicDurableClientOptions = WithHandler<
  df.ServiceBusTopicDurableClientOptions,
  ServiceBusTopicDurableClientHandler
>;

export type EventHubDurableClientHandler = WithClient<df.EventHubDurableClientHandler>;
export type EventHubDurableClientOptions = WithHandler<
  df.EventHubDurableClientOptions,
  EventHubDurableClientHandler
>;

export type EventGridDurableClientHandler = WithClient<df.EventGridDurableClientHandler>;
export type EventGridDurableClientOptions = WithHandler<
  df.EventGridDurableClientOptions,
  EventGridDurableClientHandler
>;

export type CosmosDBDurableClientHandler = WithClient<df.CosmosDBDurableClientHandler>;
export type CosmosDBv3DurableClientOptions = WithHandler<
  df.CosmosDBv3DurableClientOptions,
  CosmosDBDurableClientHandler
>;
export type CosmosDBv4DurableClientOptions = WithHandler<
  df.CosmosDBv4DurableClientOptions,
  CosmosDBDurableClientHandler
>;
export type CosmosDBDurableClientOptions =
  CosmosDBv3DurableClientOptions | CosmosDBv4DurableClientOptions;
