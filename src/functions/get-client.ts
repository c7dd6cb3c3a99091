import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from './durable-client.ts';
import { extensionRuntime } from './runtime.ts';
import { standInClient } from './stand-in-client.ts';

/**
 * The durable client of this app's task hub. Works in any function, with or without the extra input
 * `input.durableClient()`; what it starts belongs to the trace of the invocation whose context it is
 * given. In a test of the app it is the client of the test's hub (`durabletask-scheduler/testing`).
 * Throws INVALID_ARGUMENT when host.json or the connection setting is wrong.
 */
export const getClient: (context?: InvocationContext) => DurableClient = (context) =>
  standInClient() ?? extensionRuntime().durableClient(context?.traceContext);
