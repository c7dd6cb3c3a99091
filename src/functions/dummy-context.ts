import { randomUUID } from 'node:crypto';
import azureFunctions from '@azure/functions';
import type { LogHandler } from '@azure/functions';
import type * as df from 'durable-functions';
import type { OrchestrationContext } from './app.ts';
import type { DurableEntityContext, EntityContext } from './entity-context.ts';
import type { DurableOrchestrationContext } from './orchestration-context.ts';

/**
 * A test double for the unit tests of an app: an invocation context whose `df` the test sets, so that a
 * generator can be driven by hand. Its type has the members of durabletask-js as well, since orchestrators
 * ask for them; like `df` they are there once the test has set them. Ours rather than that of
 * durable-functions, which would load its replay engine (some 30 ms) into every cold start.
 */
export const DummyOrchestrationContext = class DummyOrchestrationContext
  extends azureFunctions.InvocationContext
  implements df.OrchestrationContext
{
  df = undefined as unknown as DurableOrchestrationContext;

  constructor(functionName?: string, invocationId?: string, logHandler?: LogHandler) {
    super(dummyInit(functionName, invocationId, logHandler));
  }
} as unknown as new (
  functionName?: string,
  invocationId?: string,
  logHandler?: LogHandler,
) => DummyOrchestrationContext;
export type DummyOrchestrationContext = Omit<OrchestrationContext, 'df'> & {
  df: DurableOrchestrationContext;
};

/** The same for an entity function. */
export const DummyEntityContext = class DummyEntityContext<T = unknown>
  extends azureFunctions.InvocationContext
  implements EntityContext<T>
{
  df = undefined as unknown as DurableEntityContext<T>;

  constructor(functionName?: string, invocationId?: string, logHandler?: LogHandler) {
    super(dummyInit(functionName, invocationId, logHandler));
  }
} as new <T = unknown>(
  functionName?: string,
  invocationId?: string,
  logHandler?: LogHandler,
) => DummyEntityContext<T>;
export type DummyEntityContext<T = unknown> = EntityContext<T>;

function dummyInit(
  functionName = 'dummyContextFunctionName',
  invocationId: string = randomUUID(),
  logHandler: LogHandler = (_level, ...args) => {
    // A test's own output, as with durable-functions.
    // eslint-disable-next-line no-restricted-globals
    console.log(...args);
  },
): { functionName: string; invocationId: string; logHandler: LogHandler } {
  return { functionName, invocationId, logHandler };
}
