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
  type EntityMetadata,
  type EntityQuery,
  type GetEntityRequest,
  type SignalEntityRequest,
} from '../proto/orchestrator_service_pb.ts';
import type { EntityRecord, SignalCommit, Store } from '../storage/store.ts';

export interface EntityPage {
  readonly entities: readonly EntityMetadata[];
  /** `undefined` on the last page; never empty: .NET reads an empty one as another page. */
  readonly continuationToken: string | undefined;
}

/** INVALID_ARGUMENT for a text that names no entity, an empty operation, an input over the limit. */
export function signalCommit(
  hub: string,
  request: SignalEntityRequest,
  { ids, limits }: { readonly ids: IdSource; readonly limits: PayloadLimits },
): SignalCommit {
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
  });
  return { kind: 'signal', hub, message };
}

export async function getEntity(
  store: Store,
  hub: string,
  { instanceId, includeState }: GetEntityRequest,
): Promise<EntityMetadata | undefined> {
  const entityId = readEntityId(instanceId);
  const record = await store.getEntity(hub, entityId, { state: includeState });
  return record && metadataOf(record);
}

export async function queryEntities(
  store: Store,
  hub: string,
  query: EntityQuery,
): Promise<EntityPage> {
  const asked = query.pageSize ?? 0;
  const page = await store.queryEntities({
    hub,
    idPrefix: query.instanceIdStartsWith ?? '',
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
