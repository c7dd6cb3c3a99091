import type * as df from 'durable-functions';
import { ClassicOrchestrationContext } from '../replay/classic-context.ts';
import type { HttpRetryOptions } from '../replay/http-call.ts';

/** Options of `callHttp`: those of durable-functions, and two that it has in .NET only. */
export interface CallHttpOptions extends df.CallHttpOptions {
  /** Without them a request that cannot be sent fails at once. */
  retryOptions?: HttpRetryOptions;
  /** For the request and all polling together. Default: none. */
  timeoutInMilliseconds?: number;
}

/** `context.df`: that of durable-functions 3, and what version 4 and the protocol add. */
export interface DurableOrchestrationContext extends df.DurableOrchestrationContext {
  callHttp(options: CallHttpOptions): df.Task;
  /** `saveEvents`: events that nobody has waited for come along. Default false. */
  continueAsNew(input: unknown, saveEvents?: boolean): void;
  /** `signalTime`: when the entity gets it. Default: at once. Not to be yielded. */
  signalEntity(
    entityId: df.EntityId,
    operationName: string,
    operationInput?: unknown,
    options?: { readonly signalTime?: Date | undefined },
  ): void;
  /** Sends an event to another instance, at once. Not to be yielded. */
  sendEvent(instanceId: string, eventName: string, eventData?: unknown): void;
}

/** The class behind it; declared by durable-functions, absent there at run time. */
export const DurableOrchestrationContext =
  ClassicOrchestrationContext as unknown as new () => DurableOrchestrationContext;
