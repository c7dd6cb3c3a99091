/** Signals to entities, and what clients see of them. */
import { create } from '@bufbuild/protobuf';
import { timestampFromMs, timestampMs, type Timestamp } from '@bufbuild/protobuf/wkt';
import type { IdSource } from '../base/ids.ts';
import { readEntityId } from '../core/entity-id.ts';
import { signalMessage } from '../core/entity-message.ts';
import type { PayloadLimits } from '../core/limits.ts';
import { PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from '../core/limits.ts';
import { optional } from '../core/optional.ts';
import { decodePageToken, encodePageToken } from '../core/page-token.ts';
import { assertName, assertPayload } from '../core/validation.ts';
import {
  EntityMetadataSchema,
  type CleanEntityStorageRequest,
  type EntityMetadata,
  type EntityQuery,
  type GetEntityRequest,
  type SignalEntityRequest,
} from '../proto/orchestrator_service_pb.ts';
import type { Commit, EntityRecord, Outcome, Store } from '../storage/store.ts';

export interface EntityPage {
  readonly entities: readonly EntityMetadata[];
  /** `undefined` on the last page; never empty: .NET reads an empty one as another page. */
  readonly continuationToken: string | undefined;
}

export interface CleanedStorage {
  readonly locksReleased: number;
  /** Where to go on; `undefined`: all is done. */
  readonly continuationToken: string | undefined;
}

export interface EntitiesOptions {
  readonly store: Store;
  readonly ids: IdSource;
  readonly limits: PayloadLimits;
  readonly submit: (commit: Commit) => Promise<Outcome>;
}

/** Entities with orphaned locks that are freed in one call. */
const CLEAN_PER_CALL = 500;

export class Entities {
  readonly #options: EntitiesOptions;

  constructor(options: EntitiesOptions) {
    this.#options = options;
  }

  /** INVALID_ARGUMENT for a text that names no entity, an empty operation, an input over the limit. */
  async signal(hub: string, request: SignalEntityRequest): Promise<void> {
    const { ids, limits, submit } = this.#options;
    const entityId = readEntityId(request.instanceId);
    assertName(request.name, 'name');
    assertPayload(request.input, 'entityInput', limits);
    const { name: operation, input, scheduledTime } = request;
    const requestId = request.requestId === '' ? ids.uuid() : request.requestId;
    const message = signalMessage(entityId, {
      requestId,
      operation,
      ...optional('input', input),
      ...optional('scheduledTime', scheduledTime),
      trace: request.parentTraceContext,
    });
    countOf(await submit({ kind: 'signal', hub, message }));
  }

  async get(
    hub: string,
    { instanceId, includeState }: GetEntityRequest,
  ): Promise<EntityMetadata | undefined> {
    const entityId = readEntityId(instanceId);
    const record = await this.#options.store.getEntity(hub, entityId, { state: includeState });
    return record && metadataOf(record);
  }

  async query(hub: string, query: EntityQuery): Promise<EntityPage> {
    const asked = query.pageSize ?? 0;
    const page = await this.#options.store.queryEntities({
      hub,
      idPrefix: normalPrefix(query.instanceIdStartsWith ?? ''),
      modifiedFrom: atOf(query.lastModifiedFrom),
      modifiedTo: atOf(query.lastModifiedTo),
      includeTransient: query.includeTransient,
      state: query.includeState,
      after: decodePageToken(query.continuationToken),
      limit: asked > 0 ? Math.min(asked, PAGE_SIZE_MAX) : PAGE_SIZE_DEFAULT,
    });
    return {
      entities: page.items.map(metadataOf),
      continuationToken: page.next && encodePageToken(page.next),
    };
  }

  /**
   * Releases locks of executions that are over. Both kinds of cleaning happen by themselves: an empty entity is gone
   * for every reader at once, and a lock goes with its owner; so the counts are zero unless something went wrong.
   */
  async clean(hub: string, request: CleanEntityStorageRequest): Promise<CleanedStorage> {
    const { store, submit } = this.#options;
    const [after] = decodePageToken(request.continuationToken) ?? [''];
    if (!request.releaseOrphanedLocks) return { locksReleased: 0, continuationToken: undefined };
    const limit = CLEAN_PER_CALL;
    const ids = await store.orphanedLocks(hub, { after: String(after), limit });
    let locksReleased = 0;
    for (const entityId of ids) {
      locksReleased += countOf(await submit({ kind: 'freeLocks', hub, entityId }));
    }
    const last = ids.length === limit ? ids.at(-1) : undefined;
    return {
      locksReleased,
      continuationToken: last === undefined ? last : encodePageToken([last]),
    };
  }
}

/** The name in a prefix is in lower case, as in ids; a key is left as it is. */
function normalPrefix(prefix: string): string {
  const key = prefix.indexOf('@', 1);
  return key < 0 ? prefix.toLowerCase() : prefix.slice(0, key).toLowerCase() + prefix.slice(key);
}

function countOf(outcome: Outcome): number {
  if (!outcome.ok) throw outcome.error;
  return outcome.count ?? 0;
}

function atOf(time: Timestamp | undefined): number | undefined {
  return time && timestampMs(time);
}

function metadataOf(record: EntityRecord): EntityMetadata {
  return create(EntityMetadataSchema, {
    instanceId: record.instanceId,
    lastModifiedTime: timestampFromMs(record.modifiedAt),
    backlogQueueSize: record.backlog,
    ...optional('lockedBy', record.lockedBy),
    ...optional('serializedState', record.state),
  });
}
