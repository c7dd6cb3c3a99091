import type { MessageInitShape } from '@bufbuild/protobuf';
import { EntityInstanceId } from '../core/entity-instance-id.ts';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type {
  EntityMetadata as EntityMetadataMessage,
  EntityQuerySchema,
} from '../proto/orchestrator_service_pb.ts';
import { encodeDate, isGiven, readPageSize } from './orchestration-query.ts';

/** Which entities `getEntities` lists (names of durabletask-js); what is left out does not matter. */
export interface EntityQuery {
  /** How ids begin; the `@` in front may be left out, and the case of the name does not count. */
  readonly instanceIdStartsWith?: string | undefined;
  /** Inclusive. */
  readonly lastModifiedFrom?: Date | undefined;
  /** Exclusive with our scheduler. */
  readonly lastModifiedTo?: Date | undefined;
  /** Default true. */
  readonly includeState?: boolean | undefined;
  /** Also entities without state: locked, or with messages in their queue. Default false. */
  readonly includeTransient?: boolean | undefined;
  /** Entities on one page, at most. Default 100; a page may be shorter and not be the last. */
  readonly pageSize?: number | undefined;
  /** Of an earlier page: where to begin. */
  readonly continuationToken?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An entity as the scheduler knows it. */
export interface EntityMetadata<T = unknown> {
  readonly id: EntityInstanceId;
  /** When its last batch of operations was committed. */
  readonly lastModifiedTime: Date;
  /** Messages that wait for it. */
  readonly backlogQueueSize: number;
  /** The orchestration that has locked it. */
  readonly lockedBy: string | undefined;
  /** False when the state was not asked for, and when there is none. */
  readonly includesState: boolean;
  /** Throws when `includesState` is false. */
  readonly state: T;
}

/** @throws TaskHubError INVALID_ARGUMENT for a page size or a date that is none. */
export function encodeEntityQuery(query: EntityQuery): MessageInitShape<typeof EntityQuerySchema> {
  const { instanceIdStartsWith, lastModifiedFrom, lastModifiedTo, continuationToken } = query;
  return {
    includeState: query.includeState ?? true,
    includeTransient: query.includeTransient ?? false,
    pageSize: readPageSize(query.pageSize),
    ...(isGiven(instanceIdStartsWith) && {
      instanceIdStartsWith: normalizeInstanceIdPrefix(instanceIdStartsWith),
    }),
    ...(lastModifiedFrom && {
      lastModifiedFrom: encodeDate('lastModifiedFrom', lastModifiedFrom),
    }),
    ...(lastModifiedTo && { lastModifiedTo: encodeDate('lastModifiedTo', lastModifiedTo) }),
    ...(isGiven(continuationToken) && { continuationToken }),
  };
}

/** The prefix as ids are written: `@` in front, the name in lower case, the key as it is. */
function normalizeInstanceIdPrefix(prefix: string): string {
  const text = prefix.startsWith('@') ? prefix : `@${prefix}`;
  const separator = text.indexOf('@', 1);
  if (separator === -1) return text.toLowerCase();
  return text.slice(0, separator).toLowerCase() + text.slice(separator);
}

/** What a scheduler says of an entity. A state that is no JSON is left out, as in durabletask-js. */
export function decodeEntity<T>(message: EntityMetadataMessage): EntityMetadata<T> {
  const { lastModifiedTime, backlogQueueSize, lockedBy } = message;
  const state = readState(message.serializedState);
  return {
    id: EntityInstanceId.fromString(message.instanceId),
    lastModifiedTime:
      lastModifiedTime === undefined ? new Date(0) : timestampDate(lastModifiedTime),
    backlogQueueSize,
    lockedBy,
    includesState: state !== undefined,
    get state() {
      if (state === undefined) {
        throw new Error('Cannot retrieve state when includesState is false');
      }
      return state.value as T;
    },
  };
}

function readState(text: string | undefined): { readonly value: unknown } | undefined {
  if (!isGiven(text)) return undefined;
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    // Whatever wrote it: the rest of what is known about the entity is still worth having.
    return undefined;
  }
}
