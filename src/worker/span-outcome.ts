import type { TaskFailureDetails } from '../proto/orchestrator_service_pb.ts';
import { OrchestrationStatus } from '../proto/orchestrator_service_pb.ts';
import type { SpanFailure } from '../telemetry/spans.ts';

/** A failure as a span shows it. */
export function failureOf(details: TaskFailureDetails | undefined): SpanFailure | undefined {
  if (details === undefined) return undefined;
  const { errorType, errorMessage, stackTrace } = details;
  return { type: errorType, message: errorMessage, stack: stackTrace };
}

/** A status as the product writes it: `Completed`, `ContinuedAsNew`. */
export function statusNameOf(status: OrchestrationStatus): string {
  const name = Object.entries(OrchestrationStatus).find(([, value]) => value === status)?.[0] ?? '';
  return name
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('');
}
