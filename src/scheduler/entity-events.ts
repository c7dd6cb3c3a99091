/**
 * Events for entities. Classic workers (and .NET ones without entity support) signal and call entities by events to the
 * entity's id; here they reach nobody (wire-protocol 7.8), and who calls so waits for ever. So it is said, once for
 * each hub: an orchestration that does it does it in every turn.
 */
import { parseEntityId } from '../core/entity-id.ts';
import type { OrchestratorAction } from '../proto/orchestrator_service_pb.ts';
import { logEvent } from '../telemetry/log-events.ts';
import type { Logger } from '../telemetry/logger.ts';

export class EntityEvents {
  readonly #logger: Logger;
  readonly #told = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Looks at whom a turn sends events to. */
  notice(taskHub: string, actions: readonly OrchestratorAction[]): void {
    for (const { orchestratorActionType: type } of actions) {
      if (type.case === 'sendEvent') this.raised(taskHub, type.value.instance?.instanceId ?? '');
    }
  }

  /** Somebody sends an event to this id. */
  raised(taskHub: string, instanceId: string): void {
    if (!parseEntityId(instanceId) || this.#told.has(taskHub)) return;
    this.#told.add(taskHub);
    logEvent(this.#logger, 'entityEventDropped', { taskHub, instanceId });
  }
}
