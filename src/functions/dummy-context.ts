import { randomUUID } from 'node:crypto';
import azureFunctions from '@azure/functions';
import type { LogHandler } from '@azure/functions';
import type {
  DurableEntityContext,
  DurableOrchestrationContext,
  EntityContext,
  OrchestrationContext,
} from 'durable-functions';

/**
 * Test doubles for the unit tests of an app: an invocation context whose `df` the test sets, so that
 * a generator can be driven by hand. Ours rather than those of durable-functions, which would load
 * its replay engine (some 30 ms) into every cold start.
 */
export class DummyOrchestrationContext
  extends azureFunctions.InvocationContext
  implements OrchestrationContext
{
  df = undefined as unknown as DurableOrchestrationContext;

  constructor(functionName?: string, invocationId?: string, logHandler?: LogHandler) {
    super(dummyInit(functionName, invocationId, logHandler));
  }
}

/** The same for an entity function. */
export class DummyEntityContext<T = unknown>
  extends azureFunctions.InvocationContext
  implements EntityContext<T>
{
  df = undefined as unknown as DurableEntityContext<T>;

  constructor(functionName?: string, invocationId?: string, logHandler?: LogHandler) {
    super(dummyInit(functionName, invocationId, logHandler));
  }
}

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
