import azureFunctions from '@azure/functions';
import type { InvocationContext } from '@azure/functions';
import type { ActivityHandler } from 'durable-functions';
import type { IdSource } from '../base/ids.ts';
import { decodePayload, encodePayload } from '../replay/json.ts';
import type { ActivityInvocation, ActivityInvoker } from '../worker/registry.ts';
import { createUserLogHandler } from './host-log.ts';
import { callWithHooks } from './invocation-hooks.ts';
import { durableRegistry } from './registry.ts';

/** Runs a durable-functions activity: `handler(input, context)`, JSON in and out. */
export function activityInvoker(handler: ActivityHandler, ids: IdSource): ActivityInvoker {
  return async (invocation) => {
    const what = `activity '${invocation.name}'`;
    const input = decodePayload(invocation.serializedInput, `The input of ${what}`);
    try {
      const context = createActivityContext(invocation, ids);
      const result = await callWithHooks({ context, inputs: [input], callback: handler });
      return encodePayload(result, `The result of ${what}`);
    } catch (error) {
      throw withProperties(error);
    }
  };
}

/** What an activity is given as its second argument. */
export function createActivityContext(
  invocation: Pick<ActivityInvocation, 'name' | 'instanceId' | 'traceParent' | 'traceState'>,
  ids: IdSource,
): InvocationContext {
  const { name, instanceId, traceParent, traceState } = invocation;
  return new azureFunctions.InvocationContext({
    invocationId: ids.uuid(),
    functionName: name,
    triggerMetadata: { instanceId },
    options: { trigger: { type: 'activityTrigger', name: 'input' } },
    ...(traceParent !== undefined && {
      traceContext: { traceParent, ...(traceState !== undefined && { traceState }) },
    }),
    logHandler: createUserLogHandler(name),
  });
}

/** Lets the app's provider add facts to a failure; they reach the orchestrator as `properties`. */
function withProperties(error: unknown): unknown {
  const properties = provideProperties(error);
  if (properties === undefined) return error;
  const original = error instanceof Error ? error : new Error(String(error));
  const copy = new Error(original.message, { cause: original.cause });
  return Object.assign(copy, {
    name: original.name,
    stack: original.stack,
    properties: { ...properties },
  });
}

function provideProperties(error: unknown): Record<string, unknown> | undefined {
  try {
    return durableRegistry().exceptionPropertiesProvider?.getExceptionProperties(error);
  } catch {
    // A provider's own fault must not hide the failure that it was asked about.
    return undefined;
  }
}
