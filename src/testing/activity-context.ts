import type { ActivityHandler } from 'durable-functions';
import { systemIds } from '../base/ids.ts';
import { createActivityContext as createContext } from '../functions/activity-invocation.ts';

export interface ActivityContextOptions {
  /** The orchestration that asked for the activity, in `triggerMetadata`. Default `instance`. */
  readonly instanceId?: string | undefined;
  /** Of the orchestrator's call, for code that reads `traceContext`. */
  readonly traceParent?: string | undefined;
}

/** What an activity is given as its second argument, to call its handler by hand: `handler(input, context)`. */
export function createActivityContext(
  name: string,
  { instanceId = 'instance', traceParent }: ActivityContextOptions = {},
): Parameters<ActivityHandler>[1] {
  return createContext({ name, instanceId, traceParent, traceState: undefined }, systemIds);
}
