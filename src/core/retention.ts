/** How long instances that have ended are kept (product: autopurge). */
import { OrchestrationStatus } from '../proto/orchestrator_service_pb.ts';
import { invalidArgument } from './errors.ts';
import { isTerminal, statusName, type RuntimeStatus } from './instance.ts';

/** Days that ended instances are kept; without a status the rule is for all that have none of their own. */
export interface RetentionRule {
  readonly status: RuntimeStatus | undefined;
  readonly days: number;
}

/** No rules: everything is kept. */
export type RetentionPolicy = readonly RetentionRule[];

export const RETENTION_DAYS_MAX = 90;

/** What holds until somebody sets something else (product default). */
export const DEFAULT_RETENTION: RetentionPolicy = [{ status: undefined, days: 30 }];

const ENDED: readonly RuntimeStatus[] = [
  OrchestrationStatus.COMPLETED,
  OrchestrationStatus.FAILED,
  OrchestrationStatus.CANCELED,
  OrchestrationStatus.TERMINATED,
];

/** INVALID_ARGUMENT for a rule that cannot be kept. */
export function assertRetention(policy: RetentionPolicy): void {
  const seen = new Set<RuntimeStatus | undefined>();
  for (const { status, days } of policy) {
    const name = status === undefined ? 'the default' : statusName(status);
    if (status !== undefined && !isTerminal(status)) {
      throw invalidArgument(
        `retention of ${name}: only instances that have ended are deleted; use COMPLETED, FAILED, CANCELED or TERMINATED`,
      );
    }
    if (!Number.isInteger(days) || days < 0 || days > RETENTION_DAYS_MAX) {
      throw invalidArgument(
        `retention of ${name} must be a whole number of days from 0 to ${RETENTION_DAYS_MAX}, got ${days}`,
      );
    }
    if (seen.has(status))
      throw invalidArgument(`retention of ${name} is given twice; give it once`);
    seen.add(status);
  }
}

const DAY_MS = 86_400_000;

export interface Expiry {
  readonly status: RuntimeStatus;
  /** Epoch ms: what ended before is to be deleted. */
  readonly before: number;
}

/** What is to be deleted now; a rule of a status outranks the default. */
export function expiries(policy: RetentionPolicy, now: number): readonly Expiry[] {
  const days = new Map(policy.map((rule) => [rule.status, rule.days]));
  return ENDED.flatMap((status) => {
    const kept = days.get(status) ?? days.get(undefined);
    return kept === undefined ? [] : [{ status, before: now - kept * DAY_MS }];
  });
}
