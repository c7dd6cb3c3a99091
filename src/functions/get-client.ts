import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from './durable-client.ts';
import { extensionRuntime } from './runtime.ts';

/**
 * The durable client of this app's task hub. Works in any function, with or without the extra input
 * `input.durableClient()`; what it starts belongs to the trace of the invocation whose context it is
 * given. Throws INVALID_ARGUMENT when host.json or the connection setting is wrong.
 */
export const getClient: (context?: InvocationContext) => DurableClient = (context) =>
  extensionRuntime().durableClient(context?.traceContext);
