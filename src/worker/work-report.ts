import type { OrchestratorAction } from '../proto/orchestrator_service_pb.ts';
import { OrchestrationStatus } from '../proto/orchestrator_service_pb.ts';

/** How a work item left its worker; `waiting`: a turn after which the orchestration goes on. */
export type WorkOutcome =
  'completed' | 'failed' | 'terminated' | 'continuedAsNew' | 'waiting' | 'gaveBack' | 'refused';

/** What became of a work item, for those who count. */
export interface WorkReport {
  /** Of the function; empty when it was not known. */
  readonly name: string;
  readonly outcome: WorkOutcome;
}

const ENDS: ReadonlyMap<OrchestrationStatus, WorkOutcome> = new Map([
  [OrchestrationStatus.COMPLETED, 'completed'],
  [OrchestrationStatus.FAILED, 'failed'],
  [OrchestrationStatus.TERMINATED, 'terminated'],
  [OrchestrationStatus.CONTINUED_AS_NEW, 'continuedAsNew'],
]);

/** What the actions of a turn make of its orchestration. */
export function turnOutcome(actions: readonly OrchestratorAction[]): WorkOutcome {
  for (const { orchestratorActionType: action } of actions) {
    if (action.case !== 'completeOrchestration') continue;
    return ENDS.get(action.value.orchestrationStatus) ?? 'completed';
  }
  return 'waiting';
}
