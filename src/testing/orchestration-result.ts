import type { FailureDetails } from '../client/failure-details.ts';
import type { OrchestrationState } from '../client/orchestration-state.ts';
import { OrchestrationStatus } from '../proto/orchestrator_service_pb.ts';

/** How an orchestration ended, with its payloads decoded. */
export interface OrchestrationResult {
  readonly instanceId: string;
  readonly runtimeStatus: 'Completed' | 'Failed' | 'Terminated' | 'Canceled';
  /** What the orchestrator returned; `undefined` unless it completed or was terminated with an output. */
  readonly output: unknown;
  readonly customStatus: unknown;
  /** Why it failed. */
  readonly failure: FailureDetails | undefined;
}

/** The result that the state of an ended instance stands for. */
export function resultOf(state: OrchestrationState): OrchestrationResult {
  const { instanceId, failureDetails } = state;
  return {
    instanceId,
    runtimeStatus: nameOf(state.runtimeStatus),
    output: decode(state.serializedOutput),
    customStatus: decode(state.serializedCustomStatus),
    failure: failureDetails,
  };
}

function nameOf(status: OrchestrationStatus): OrchestrationResult['runtimeStatus'] {
  switch (status) {
    case OrchestrationStatus.COMPLETED:
      return 'Completed';
    case OrchestrationStatus.TERMINATED:
      return 'Terminated';
    case OrchestrationStatus.CANCELED:
      return 'Canceled';
    default:
      return 'Failed';
  }
}

function decode(text: string | undefined): unknown {
  return text === undefined || text === '' ? undefined : (JSON.parse(text) as unknown);
}
