/** What a commit can come to, in the words that clients see. */
import { TaskHubError } from '../../core/errors.ts';
import { statusName, type RuntimeStatus } from '../../core/instance.ts';
import type { PayloadLimits } from '../../core/limits.ts';
import type { Outcome } from '../store.ts';

export interface ApplyContext {
  readonly hub: number;
  readonly limits: PayloadLimits;
}

export const OK: Outcome = { ok: true };

export function instanceNotFound(instanceId: string): TaskHubError {
  return new TaskHubError('INSTANCE_NOT_FOUND', `No instance with ID '${instanceId}' found.`);
}

/** The product's own text for a stale completion (wire-protocol 4.5). */
export function leaseLost(token: string): TaskHubError {
  return new TaskHubError(
    'LEASE_LOST',
    `Work item '${token.slice(0, 200)}' with completion count '0' not found`,
  );
}

export function stillLive(verb: string, instanceId: string, status: RuntimeStatus): TaskHubError {
  return new TaskHubError(
    'WRONG_STATE',
    `${verb} does not allow instance '${instanceId}' in state ${statusName(status)}: terminate it first, or wait until it has ended`,
  );
}
