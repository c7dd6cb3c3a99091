/** Entities: lists, one of them with its state and the owner of its lock, signals, and cleaning. */
import { create } from '@bufbuild/protobuf';
import { timestampDate, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { z } from 'zod';
import { parseEntityId } from '../../../core/entity-id.ts';
import { TaskHubError } from '../../../core/errors.ts';
import { PAGE_SIZE_MAX } from '../../../core/limits.ts';
import { optional } from '../../../core/optional.ts';
import {
  CleanEntityStorageRequestSchema,
  EntityQuerySchema,
  GetEntityRequestSchema,
  SignalEntityRequestSchema,
  type EntityMetadata,
} from '../../../proto/orchestrator_service_pb.ts';
import type { HttpRoute } from '../http-app.ts';
import {
  cleanedSchema,
  entityPageSchema,
  entitySchema,
  signalledSchema,
  type CleanedJson,
  type EntityJson,
  type EntityPageJson,
  type EntityRowJson,
} from './entity-contract.ts';
import { timeOf, timeQuery } from './list-query.ts';
import { api, iso, type ApiCall } from './route.ts';
import { rowJson } from './row-json.ts';
import { textAnswer, textQuery, type TextQuery } from './text-answer.ts';

/** Characters of a state that a list shows. */
const PREVIEW = 200;
const BASE = '/hubs/:hub/entities';

const listQuery = z.strictObject({
  prefix: z.string().default('').describe('Beginning of the id: @name@key'),
  modifiedFrom: timeQuery,
  modifiedTo: timeQuery,
  transient: z
    .enum(['true', 'false'])
    .default('false')
    .describe('Those too that have no state but messages or a lock'),
  size: z.coerce.number().int().min(1).max(PAGE_SIZE_MAX).default(50),
  cursor: z.string().optional(),
});

export const ENTITY_ROUTES: readonly HttpRoute[] = [
  api({
    method: 'GET',
    path: BASE,
    permission: 'read',
    summary: 'A page of entities, in the order of their ids',
    query: listQuery,
    answer: entityPageSchema,
    handle: listEntities,
  }),
  api({
    method: 'POST',
    path: `${BASE}/clean`,
    permission: 'write',
    summary: 'Releases locks of orchestrations that are over; empty entities are gone without it',
    body: z.strictObject({ cursor: z.string().optional() }),
    answer: cleanedSchema,
    handle: async ({ engine, hub, body, context }) => {
      const request = create(CleanEntityStorageRequestSchema, {
        releaseOrphanedLocks: true,
        removeEmptyEntities: true,
        ...optional('continuationToken', body.cursor),
      });
      const { locksReleased, continuationToken } = await engine.entities.clean(hub, request);
      const next = optional('next', continuationToken);
      return context.json({ locksReleased, ...next } satisfies CleanedJson);
    },
  }),
  api({
    method: 'GET',
    path: `${BASE}/:id`,
    permission: 'read',
    summary: 'One entity, and the orchestration that holds its lock',
    answer: entitySchema,
    handle: getEntity,
  }),
  api({
    method: 'GET',
    path: `${BASE}/:id/state`,
    permission: 'read',
    summary: 'Its state, as text',
    query: textQuery,
    handle: getState,
  }),
  api({
    method: 'POST',
    path: `${BASE}/:id/signal`,
    permission: 'write',
    summary: 'Sends it an operation without waiting for a result',
    body: z.strictObject({
      operation: z.string().min(1),
      input: z.string().optional().describe('JSON text'),
      scheduledAt: z.iso.datetime({ offset: true }).optional(),
    }),
    answer: signalledSchema,
    status: 202,
    handle: async ({ engine, hub, instanceId, body, context, options }) => {
      const { operation: name, input, scheduledAt } = body;
      const request = create(SignalEntityRequestSchema, {
        ...{ instanceId, name },
        ...optional('input', input),
        ...(scheduledAt !== undefined && {
          scheduledTime: timestampFromMs(Date.parse(scheduledAt)),
        }),
      });
      await engine.entities.signal(hub, request);
      return context.json({ acceptedAt: iso(options.clock.now()) }, 202);
    },
  }),
];

async function listEntities({
  engine,
  hub,
  query,
  context,
  options,
}: ApiCall<z.infer<typeof listQuery>, unknown>): Promise<Response> {
  const now = options.clock.now();
  const at = (text: string | undefined) =>
    text === undefined ? undefined : timestampFromMs(timeOf(text, now));
  const request = create(EntityQuerySchema, {
    instanceIdStartsWith: query.prefix,
    includeState: true,
    includeTransient: query.transient === 'true',
    pageSize: query.size,
    ...optional('lastModifiedFrom', at(query.modifiedFrom)),
    ...optional('lastModifiedTo', at(query.modifiedTo)),
    ...optional('continuationToken', query.cursor),
  });
  const { entities, continuationToken } = await engine.entities.query(hub, request);
  const answer: EntityPageJson = {
    items: entities.map(entityRow),
    ...optional('next', continuationToken),
    asOf: iso(now),
  };
  return context.json(answer);
}

async function getEntity(call: ApiCall<unknown, unknown>): Promise<Response> {
  const { engine, hub, context, options } = call;
  const entity = await entityOf(call);
  const { lockedBy } = entity;
  const { stored } = engine.inspector;
  const [owner] = lockedBy === undefined ? [] : await stored.rowsById(hub, [lockedBy]);
  const answer: EntityJson = {
    entity: entityRow(entity),
    ...optional('owner', owner && rowJson(owner)),
    asOf: iso(options.clock.now()),
  };
  return context.json(answer);
}

async function getState(call: ApiCall<TextQuery, unknown>): Promise<Response> {
  const { serializedState } = await entityOf(call);
  if (serializedState === undefined) throw noEntity(`'${call.instanceId}' has no state`);
  return textAnswer(serializedState, { query: call.query, name: 'state' });
}

async function entityOf({
  engine,
  hub,
  instanceId,
}: ApiCall<unknown, unknown>): Promise<EntityMetadata> {
  const request = create(GetEntityRequestSchema, { instanceId, includeState: true });
  const entity = await engine.entities.get(hub, request);
  if (entity) return entity;
  throw noEntity(`there is no entity '${instanceId}', or it has neither state nor lock`);
}

function noEntity(message: string): TaskHubError {
  return new TaskHubError('INSTANCE_NOT_FOUND', message);
}

function entityRow(entity: EntityMetadata): EntityRowJson {
  const { instanceId: id, lastModifiedTime, lockedBy, serializedState: state } = entity;
  const { name, key } = parseEntityId(id) ?? { name: '', key: id };
  return {
    ...{ id, name, key, backlog: entity.backlogQueueSize },
    ...(state !== undefined && {
      statePreview: state.slice(0, PREVIEW),
      stateBytes: Buffer.byteLength(state),
    }),
    ...optional('lockedBy', lockedBy),
    modifiedAt: (lastModifiedTime ? timestampDate(lastModifiedTime) : new Date(0)).toISOString(),
  };
}
