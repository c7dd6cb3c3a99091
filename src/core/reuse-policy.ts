/**
 * A start whose instance id is taken. Terminal instances are replaced unless the client says otherwise;
 * live ones only if it lists their state (wire-protocol 3.3.1).
 */
import {
  OrchestrationStatus,
  type OrchestrationIdReusePolicy,
} from '../proto/orchestrator_service_pb.ts';
import { invalidArgument, TaskHubError } from './errors.ts';
import { isTerminal, type RuntimeStatus } from './instance.ts';

const LIVE = [
  OrchestrationStatus.PENDING,
  OrchestrationStatus.RUNNING,
  OrchestrationStatus.SUSPENDED,
];

/** Refuses a list that could replace a running instance but not the terminated one it becomes. */
export function assertReusePolicy(policy: OrchestrationIdReusePolicy | undefined): void {
  const replaceable = policy?.replaceableStatus ?? [];
  const allowsLive = LIVE.some((status) => replaceable.includes(status));
  if (allowsLive && !replaceable.includes(OrchestrationStatus.TERMINATED)) {
    throw invalidArgument(
      `Invalid reusable statuses: cannot exclude 'Terminated' while also allowing reuse of running instances`,
    );
  }
}

/** Whether an instance in `status` gives way to a start with this policy. */
export function mayReplace(
  status: RuntimeStatus,
  policy: OrchestrationIdReusePolicy | undefined,
): boolean {
  return policy ? policy.replaceableStatus.includes(status) : isTerminal(status);
}

export function alreadyExists(instanceId: string): TaskHubError {
  return new TaskHubError(
    'INSTANCE_ALREADY_EXISTS',
    `An Orchestration instance with the ID ${instanceId} already exists.`,
  );
}
