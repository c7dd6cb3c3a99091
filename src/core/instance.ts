/** What an orchestration instance is between two turns, and the states it passes through. */
import { OrchestrationStatus } from '../proto/orchestrator_service_pb.ts';

/** The protocol's status; `CONTINUED_AS_NEW` and `CANCELED` are never set by this scheduler. */
export type RuntimeStatus = OrchestrationStatus;

const TERMINAL: ReadonlySet<OrchestrationStatus> = new Set([
  OrchestrationStatus.COMPLETED,
  OrchestrationStatus.FAILED,
  OrchestrationStatus.TERMINATED,
  OrchestrationStatus.CANCELED,
]);

export function isTerminal(status: RuntimeStatus): boolean {
  return TERMINAL.has(status);
}

const NAMES = new Map<number, string>(
  Object.entries(OrchestrationStatus).map(([name, status]) => [status, name]),
);

/** `RUNNING`, `FAILED` …: the word for logs and messages. */
export function statusName(status: RuntimeStatus): string {
  return NAMES.get(status) ?? `status ${status}`;
}
