import azureFunctions from '@azure/functions';
import type { ActivityTrigger, EntityTrigger, OrchestrationTrigger } from 'durable-functions';

/** The trigger of an activity, for `app.generic`. */
export function activity(): ActivityTrigger {
  return azureFunctions.trigger.generic({ type: 'activityTrigger' }) as ActivityTrigger;
}

/** The trigger of an orchestration, for `app.generic`. */
export function orchestration(): OrchestrationTrigger {
  return azureFunctions.trigger.generic({ type: 'orchestrationTrigger' }) as OrchestrationTrigger;
}

/** The trigger of an entity, for `app.generic`. */
export function entity(): EntityTrigger {
  return azureFunctions.trigger.generic({ type: 'entityTrigger' }) as EntityTrigger;
}
