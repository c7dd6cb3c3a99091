import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import { EntityInstanceId } from '../core/entity-instance-id.ts';
import type { EntityTarget } from '../core/entity-instance-id.ts';
import { invalidArgument } from '../core/errors.ts';
import { TaskHubSidecarService } from '../proto/orchestrator_service_pb.ts';
import type { RequestOptions, SendOptions } from './client-options.ts';
import type { Connection } from './connection.ts';
import { ATTRIBUTE, entitySpanName } from '../telemetry/span-names.ts';
import { withClientSpan } from './client-span.ts';
import { decodeEntity, encodeEntityQuery } from './entity-query.ts';
import type { EntityMetadata, EntityQuery } from './entity-query.ts';
import { encodeJson } from './json.ts';
import { encodeDate } from './orchestration-query.ts';
import { createAsyncPageable, Page, tokenOf } from './page.ts';
import type { AsyncPageable } from './page.ts';

const rpc = TaskHubSidecarService.method;

export interface SignalEntityOptions extends SendOptions {
  /** When the entity gets it. Default: at once; so is a time in the past. */
  readonly signalTime?: Date | undefined;
}

/** What `cleanEntityStorage` looks for (names of durabletask-js). */
export interface CleanEntityStorageRequest {
  /** Default true. */
  readonly removeEmptyEntities?: boolean | undefined;
  /** Default true. */
  readonly releaseOrphanedLocks?: boolean | undefined;
  /** Of an earlier result: where to go on. */
  readonly continuationToken?: string | undefined;
}

export interface CleanEntityStorageResult {
  readonly emptyEntitiesRemoved: number;
  readonly orphanedLocksReleased: number;
  /** Set when there is more to clean. */
  readonly continuationToken: string | undefined;
}

export interface EntityClientOptions {
  /** Sends with the client's own time limit. */
  readonly unary: Connection['unary'];
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** The calls of `TaskHubClient` that concern entities. */
export class EntityClient {
  readonly #options: EntityClientOptions;

  constructor(options: EntityClientOptions) {
    this.#options = options;
  }

  async signal(
    target: EntityTarget,
    operationName: string,
    input: unknown,
    { signalTime, signal, traceParent, traceState }: SignalEntityOptions,
  ): Promise<void> {
    const { unary, clock, ids } = this.#options;
    if (operationName === '') throw invalidArgument('operationName must not be empty');
    const text = encodeJson(input, 'The input of the operation');
    const request = {
      instanceId: idOf(target),
      // Ours, so that the request counts once however often it is sent.
      requestId: ids.uuid(),
      name: operationName,
      requestTime: timestampFromMs(clock.now()),
      ...(text !== undefined && { input: text }),
      ...(signalTime && { scheduledTime: encodeDate('signalTime', signalTime) }),
    };
    const attributes = {
      [ATTRIBUTE.type]: 'entity',
      [ATTRIBUTE.operation]: operationName,
      [ATTRIBUTE.entityId]: request.instanceId,
    };
    const name = entitySpanName('signal_entity', operationName);
    const span = { name, attributes, traceParent, traceState };
    await withClientSpan(span, (parentTraceContext) =>
      unary(
        rpc.signalEntity,
        { ...request, ...(parentTraceContext !== undefined && { parentTraceContext }) },
        { signal },
      ),
    );
  }

  async get<T>(
    target: EntityTarget,
    includeState: boolean,
    { signal }: RequestOptions,
  ): Promise<EntityMetadata<T> | undefined> {
    const request = { instanceId: idOf(target), includeState };
    const { exists, entity } = await this.#options.unary(rpc.getEntity, request, { signal });
    return exists && entity !== undefined ? decodeEntity<T>(entity) : undefined;
  }

  list<T>(query: EntityQuery): AsyncPageable<EntityMetadata<T>> {
    const { signal } = query;
    return createAsyncPageable(async (token, pageSize) => {
      const asked = {
        ...query,
        pageSize: pageSize ?? query.pageSize,
        continuationToken: token ?? query.continuationToken,
      };
      const request = { query: encodeEntityQuery(asked) };
      const reply = await this.#options.unary(rpc.queryEntities, request, { signal });
      const entities = reply.entities.map((entity) => decodeEntity<T>(entity));
      return new Page(entities, tokenOf(reply.continuationToken));
    });
  }

  async clean(
    { removeEmptyEntities = true, releaseOrphanedLocks = true, ...from }: CleanEntityStorageRequest,
    isUntilComplete: boolean,
    { signal }: RequestOptions,
  ): Promise<CleanEntityStorageResult> {
    let continuationToken = tokenOf(from.continuationToken);
    let emptyEntitiesRemoved = 0;
    let orphanedLocksReleased = 0;
    do {
      const request = {
        removeEmptyEntities,
        releaseOrphanedLocks,
        ...(continuationToken !== undefined && { continuationToken }),
      };
      const reply = await this.#options.unary(rpc.cleanEntityStorage, request, { signal });
      emptyEntitiesRemoved += reply.emptyEntitiesRemoved;
      orphanedLocksReleased += reply.orphanedLocksReleased;
      continuationToken = tokenOf(reply.continuationToken);
    } while (isUntilComplete && continuationToken !== undefined);
    return { emptyEntitiesRemoved, orphanedLocksReleased, continuationToken };
  }
}

function idOf(target: EntityTarget): string {
  try {
    return EntityInstanceId.of(target).toString();
  } catch (error) {
    throw invalidArgument((error as Error).message);
  }
}
