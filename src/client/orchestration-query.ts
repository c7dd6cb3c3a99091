import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { invalidArgument } from '../core/errors.ts';
import type {
  InstanceQuerySchema,
  ListInstanceIdsRequestSchema,
  OrchestrationStatus,
} from '../proto/orchestrator_service_pb.ts';

/** Which instances `getAllInstances` lists; what is left out does not matter. */
export interface OrchestrationQuery {
  /** Inclusive. */
  readonly createdFrom?: Date | undefined;
  /** Exclusive with our scheduler. */
  readonly createdTo?: Date | undefined;
  readonly statuses?: readonly OrchestrationStatus[] | undefined;
  /** A list without the client's own hub finds nothing. */
  readonly taskHubNames?: readonly string[] | undefined;
  /** Case matters. */
  readonly instanceIdPrefix?: string | undefined;
  /** Instances on one page, at most. Default 100; a page may be shorter and not be the last. */
  readonly pageSize?: number | undefined;
  /** Default false. Custom status is a payload too. */
  readonly fetchInputsAndOutputs?: boolean | undefined;
  /** Of an earlier page: where to begin. */
  readonly continuationToken?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Which ended instances `listInstanceIds` lists. */
export interface ListInstanceIdsOptions {
  readonly runtimeStatus?: readonly OrchestrationStatus[] | undefined;
  /** Inclusive. */
  readonly completedTimeFrom?: Date | undefined;
  /** Exclusive with our scheduler. */
  readonly completedTimeTo?: Date | undefined;
  /** Default 100. */
  readonly pageSize?: number | undefined;
  /** `continuationToken` of the page before. */
  readonly lastInstanceKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const PAGE_SIZE = 100;

/** @throws TaskHubError INVALID_ARGUMENT for a page size or a date that is none. */
export function encodeQuery(
  query: OrchestrationQuery,
): MessageInitShape<typeof InstanceQuerySchema> {
  const { createdFrom, createdTo, instanceIdPrefix, continuationToken } = query;
  return {
    runtimeStatus: [...(query.statuses ?? [])],
    taskHubNames: (query.taskHubNames ?? []).map((value) => ({ value })),
    maxInstanceCount: readPageSize(query.pageSize),
    fetchInputsAndOutputs: query.fetchInputsAndOutputs ?? false,
    ...(createdFrom && { createdTimeFrom: encodeDate('createdFrom', createdFrom) }),
    ...(createdTo && { createdTimeTo: encodeDate('createdTo', createdTo) }),
    ...(isGiven(instanceIdPrefix) && { instanceIdPrefix }),
    ...(isGiven(continuationToken) && { continuationToken }),
  };
}

/** @throws TaskHubError INVALID_ARGUMENT for a page size or a date that is none. */
export function encodeListRequest(
  options: ListInstanceIdsOptions,
): MessageInitShape<typeof ListInstanceIdsRequestSchema> {
  const { completedTimeFrom, completedTimeTo, lastInstanceKey } = options;
  return {
    runtimeStatus: [...(options.runtimeStatus ?? [])],
    pageSize: readPageSize(options.pageSize),
    ...(completedTimeFrom && {
      completedTimeFrom: encodeDate('completedTimeFrom', completedTimeFrom),
    }),
    ...(completedTimeTo && { completedTimeTo: encodeDate('completedTimeTo', completedTimeTo) }),
    ...(isGiven(lastInstanceKey) && { lastInstanceKey }),
  };
}

/** The wire form of a date. @throws TaskHubError INVALID_ARGUMENT naming one that is invalid. */
export function encodeDate(name: string, date: Date): Timestamp {
  if (Number.isNaN(date.getTime())) throw invalidArgument(`${name} is an invalid Date`);
  return timestampFromDate(date);
}

/** An empty token or prefix means none, as it does for the published client. */
export function isGiven(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

/** @throws TaskHubError INVALID_ARGUMENT for what is no page size. */
export function readPageSize(pageSize = PAGE_SIZE): number {
  if (Number.isInteger(pageSize) && pageSize > 0 && pageSize <= INT32_MAX) return pageSize;
  throw invalidArgument(`pageSize must be a whole number from 1 on, got ${pageSize}`);
}

const INT32_MAX = 2 ** 31 - 1;
