import { decodePayload, encodePayload } from '../replay/json.ts';
import type { ActivityInvocation, ActivityInvoker } from './registry.ts';

/** What an activity is told besides its input. */
export interface ActivityContext {
  /** Instance id of the orchestration that asked for it. */
  readonly orchestrationId: string;
  /** Number of the task within that orchestration; a retry has another. */
  readonly taskId: number;
  readonly name: string;
  readonly version: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** Aborts when the worker stops waiting for its activities: nobody takes the result any more. */
  readonly signal: AbortSignal;
}

/** An activity's code: takes a JSON value, gives one, now or later. */
export type ActivityHandler<T = never> = (context: ActivityContext, input: T) => unknown;

/** Runs a plain function as an activity: JSON in, JSON out. */
export function functionInvoker(handler: ActivityHandler): ActivityInvoker {
  return async (invocation) => {
    const what = `activity '${invocation.name}'`;
    const input = decodePayload(invocation.serializedInput, `The input of ${what}`);
    // The caller says what the input is; nothing at run time can check it.
    const result: unknown = await handler(contextOf(invocation), input as never);
    return encodePayload(result, `The result of ${what}`);
  };
}

function contextOf(invocation: ActivityInvocation): ActivityContext {
  const { instanceId, taskId, name, version, tags } = invocation;
  return {
    orchestrationId: instanceId,
    taskId,
    name,
    version,
    tags,
    // Made only for those who ask.
    get signal() {
      return invocation.signal;
    },
  };
}
