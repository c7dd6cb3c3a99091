import type { ActivityHandler } from 'durable-functions';
import type { OrchestrationResult } from './orchestration-result.ts';
import { TestHub } from './test-hub.ts';
import type { TestHubOptions, TestOrchestrator } from './test-hub.ts';

export interface RunOrchestratorOptions extends Pick<
  TestHubOptions,
  'startAt' | 'seed' | 'patienceMs' | 'logger'
> {
  readonly input?: unknown;
  readonly instanceId?: string | undefined;
  /** Stand-ins for the activities that it calls, by name: `(input, context)`. */
  readonly activities?: Readonly<Record<string, ActivityHandler>> | undefined;
  /** Stand-ins for the sub-orchestrators that it calls, by name. */
  readonly orchestrators?: Readonly<Record<string, TestOrchestrator>> | undefined;
  /** Entities that it calls, signals and locks, by name. */
  readonly entities?: TestHubOptions['entities'];
  /** Events that it finds when it looks for them, in this order. */
  readonly events?: readonly { readonly name: string; readonly data?: unknown }[] | undefined;
}

/** The name under which a function without one runs. */
const NAMELESS = 'orchestrator';

/**
 * Runs one orchestrator to its end in a hub of its own, and says how it ended. Timers cost no time. What
 * it calls and is given no stand-in for fails, as an unknown function does.
 */
export async function runOrchestrator(
  orchestrator: TestOrchestrator,
  options: RunOrchestratorOptions = {},
): Promise<OrchestrationResult> {
  const { input, instanceId, orchestrators, events = [], ...hubOptions } = options;
  const name = orchestrator.name === '' ? NAMELESS : orchestrator.name;
  const hub = await TestHub.open({
    ...hubOptions,
    orchestrators: { ...orchestrators, [name]: orchestrator },
  });
  try {
    const id = await hub.client.scheduleNewOrchestration(name, input, { instanceId });
    for (const event of events) {
      await hub.client.raiseOrchestrationEvent(id, event.name, event.data);
    }
    return await hub.complete(id);
  } finally {
    await hub.close();
  }
}
