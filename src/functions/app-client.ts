import azureFunctions from '@azure/functions';
import type { FunctionInput, FunctionTrigger, InvocationContext } from '@azure/functions';
import type * as types from './client-types.ts';
import { getClient } from './get-client.ts';
import { isDurableClientInput } from './host-only-bindings.ts';
import { durableClient } from './input.ts';

/** What all options of client functions have in common; each kind knows the types of its handler. */
interface ClientFunctionOptions {
  extraInputs?: FunctionInput[];
  handler: (trigger: never, client: never, context: InvocationContext) => unknown;
}

/**
 * Registers a client function as an ordinary one whose handler is passed the durable client. The
 * extra input is added to the caller's own object, as durable-functions does, so that code which
 * looks there finds it.
 */
function register(
  registerWithHost: (functionName: string, options: never) => void,
  functionName: string,
  options: ClientFunctionOptions,
): void {
  options.extraInputs ??= [];
  if (!options.extraInputs.some(isDurableClientInput)) options.extraInputs.push(durableClient());
  const { handler } = options;
  const hostOptions = {
    ...options,
    handler: (trigger: never, context: InvocationContext) =>
      handler(trigger, getClient(context) as never, context),
  };
  registerWithHost(functionName, hostOptions as never);
}

const { app } = azureFunctions;

/** Registers an HTTP function whose handler gets a durable client: `(request, client, context)`. */
export function http(functionName: string, options: types.HttpDurableClientOptions): void {
  register(app.http, functionName, options);
}

/** Registers a timer function whose handler gets a durable client. */
export function timer(functionName: string, options: types.TimerDurableClientOptions): void {
  register(app.timer, functionName, options);
}

/** Registers a blob function whose handler gets a durable client. */
export function storageBlob(
  functionName: string,
  options: types.StorageBlobDurableClientOptions,
): void {
  register(app.storageBlob, functionName, options);
}

/** Registers a storage queue function whose handler gets a durable client. */
export function storageQueue(
  functionName: string,
  options: types.StorageQueueDurableClientOptions,
): void {
  register(app.storageQueue, functionName, options);
}

/** Registers a Service Bus queue function whose handler gets a durable client. */
export function serviceBusQueue(
  functionName: string,
  options: types.ServiceBusQueueDurableClientOptions,
): void {
  register(app.serviceBusQueue, functionName, options);
}

/** Registers a Service Bus topic function whose handler gets a durable client. */
export function serviceBusTopic(
  functionName: string,
  options: types.ServiceBusTopicDurableClientOptions,
): void {
  register(app.serviceBusTopic, functionName, options);
}

/** Registers an Event Hub function whose handler gets a durable client. */
export function eventHub(functionName: string, options: types.EventHubDurableClientOptions): void {
  register(app.eventHub, functionName, options);
}

/** Registers an Event Grid function whose handler gets a durable client. */
export function eventGrid(
  functionName: string,
  options: types.EventGridDurableClientOptions,
): void {
  register(app.eventGrid, functionName, options);
}

/** Registers a Cosmos DB function whose handler gets a durable client. */
export function cosmosDB(functionName: string, options: types.CosmosDBDurableClientOptions): void {
  register(app.cosmosDB, functionName, options);
}

/** Registers a function with any trigger whose handler gets a durable client. */
export function generic(
  functionName: string,
  options: types.DurableClientOptions & { trigger: FunctionTrigger },
): void {
  register(app.generic, functionName, options);
}
