import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { invalidArgument } from '../core/errors.ts';
import type {
  OrchestrationStatus,
  PurgeInstanceFilterSchema,
} from '../proto/orchestrator_service_pb.ts';
import { encodeDate } from './orchestration-query.ts';

/** Which ended instances a purge deletes; what is left out does not matter. */
export interface PurgeCriteria {
  /** Inclusive. */
  readonly createdTimeFrom?: Date | undefined;
  /** Exclusive with our scheduler. */
  readonly createdTimeTo?: Date | undefined;
  /** Instances that have not ended are never deleted. */
  readonly runtimeStatusList?: readonly OrchestrationStatus[] | undefined;
  /** How long the scheduler may go on, in ms. Default: until everything is deleted. */
  readonly timeoutMs?: number | undefined;
}

/** `PurgeInstanceCriteria` of `@microsoft/durabletask-js`, or anything with its getters. */
export interface PublishedPurgeCriteria {
  getCreatedTimeFrom(): Date | undefined;
  getCreatedTimeTo(): Date | undefined;
  getRuntimeStatusList(): readonly number[];
  /** Milliseconds. */
  getTimeout(): number;
}

/** What a purge has done. */
export class PurgeResult {
  readonly deletedInstanceCount: number;
  /** False when the time was over first: the same purge again deletes the rest. */
  readonly isComplete: boolean;

  constructor(deletedInstanceCount: number, isComplete = true) {
    this.deletedInstanceCount = deletedInstanceCount;
    this.isComplete = isComplete;
  }
}

/** The wire form of criteria; `sliceMs` is how long one call may go on. */
export function encodePurgeFilter(
  criteria: PurgeCriteria,
  sliceMs: number,
): MessageInitShape<typeof PurgeInstanceFilterSchema> {
  const { createdTimeFrom, createdTimeTo, runtimeStatusList } = criteria;
  return {
    runtimeStatus: [...(runtimeStatusList ?? [])],
    timeout: durationFromMs(Math.max(1, Math.floor(sliceMs))),
    ...(createdTimeFrom && { createdTimeFrom: encodeDate('createdTimeFrom', createdTimeFrom) }),
    ...(createdTimeTo && { createdTimeTo: encodeDate('createdTimeTo', createdTimeTo) }),
  };
}

/**
 * Criteria in our form.
 *
 * @throws TaskHubError INVALID_ARGUMENT for a time that is none.
 */
export function readCriteria(criteria: PurgeCriteria | PublishedPurgeCriteria): PurgeCriteria {
  if (!('getRuntimeStatusList' in criteria)) {
    const { timeoutMs = 0 } = criteria;
    if (Number.isFinite(timeoutMs) && timeoutMs >= 0) return criteria;
    throw invalidArgument(`timeoutMs must be a finite number >= 0, got ${timeoutMs}`);
  }
  const timeoutMs = criteria.getTimeout();
  return {
    createdTimeFrom: criteria.getCreatedTimeFrom(),
    createdTimeTo: criteria.getCreatedTimeTo(),
    // The same numbers; the published enumeration is another type.
    runtimeStatusList: criteria.getRuntimeStatusList() as readonly OrchestrationStatus[],
    timeoutMs: timeoutMs > 0 ? timeoutMs : undefined,
  };
}
