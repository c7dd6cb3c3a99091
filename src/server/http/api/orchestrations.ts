/** Lists of orchestrations, and the start of one. */
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { z } from 'zod';
import { optional } from '../../../core/optional.ts';
import {
  CreateInstanceRequestSchema,
  OrchestrationStatus,
} from '../../../proto/orchestrator_service_pb.ts';
import { keyOf, type RowKey, type RowPage, type RowQuery } from '../../../storage/inspection.ts';
import type { HttpRoute } from '../http-app.ts';
import {
  countSchema,
  facetsSchema,
  rowPageSchema,
  startedSchema,
  type CountJson,
  type FacetsJson,
  type RowPageJson,
} from './contract.ts';
import {
  encodeCursor,
  filterSchema,
  listName,
  listSchema,
  rowFilter,
  rowQuery,
  type ListQuery,
} from './list-query.ts';
import { api, iso, type ApiCall } from './route.ts';
import { rowJson } from './row-json.ts';
import { statusWord } from './status-words.ts';

/** Instances that a count or a summary looks at. */
const COUNTED_MAX = 10_000;

export const ORCHESTRATION_ROUTES: readonly HttpRoute[] = [
  api({
    method: 'GET',
    path: '/hubs/:hub/orchestrations',
    permission: 'read',
    summary: 'A page of orchestrations',
    query: listSchema,
    answer: rowPageSchema,
    handle: listOrchestrations,
  }),
  api({
    method: 'GET',
    path: '/hubs/:hub/orchestrations/count',
    permission: 'read',
    summary: `How many match, counted up to ${COUNTED_MAX}`,
    query: filterSchema,
    answer: countSchema,
    handle: async ({ engine, hub, query, context, options }) => {
      const filter = rowFilter(query, options.clock.now());
      const count = await engine.inspector.stored.count(hub, filter, COUNTED_MAX);
      return context.json(count satisfies CountJson);
    },
  }),
  api({
    method: 'GET',
    path: '/hubs/:hub/orchestrations/facets',
    permission: 'read',
    summary: `Counts by status, name, version and error type among at most ${COUNTED_MAX} matches`,
    query: filterSchema,
    answer: facetsSchema,
    handle: async ({ engine, hub, query, context, options }) => {
      const filter = rowFilter(query, options.clock.now());
      const found = await engine.inspector.stored.facets(hub, filter, COUNTED_MAX);
      const facets = found.map(({ by, value, count }) => ({
        ...{ by, count },
        value: by === 'status' ? statusWord(Number(value) as OrchestrationStatus) : value,
      }));
      return context.json({ facets } satisfies FacetsJson);
    },
  }),
  api({
    method: 'POST',
    path: '/hubs/:hub/orchestrations',
    permission: 'write',
    summary: 'Starts an orchestration; 409 when the id is taken',
    body: z.strictObject({
      name: z.string().min(1),
      id: z.string().optional(),
      version: z.string().optional(),
      input: z.string().optional().describe('JSON text'),
      scheduledAt: z.iso.datetime({ offset: true }).optional(),
      tags: z.record(z.string(), z.string()).optional(),
      ifExists: z.enum(['refuse', 'replaceFinished']).default('refuse'),
    }),
    answer: startedSchema,
    status: 201,
    handle: async ({ engine, hub, body, context }) => {
      const { scheduledAt } = body;
      const request = create(CreateInstanceRequestSchema, {
        name: body.name,
        instanceId: body.id ?? '',
        tags: body.tags ?? {},
        ...optional('version', body.version),
        ...optional('input', body.input),
        ...(scheduledAt !== undefined && {
          scheduledStartTimestamp: timestampFromMs(Date.parse(scheduledAt)),
        }),
        orchestrationIdReusePolicy: {
          replaceableStatus: body.ifExists === 'refuse' ? [] : FINISHED,
        },
      });
      return context.json({ id: await engine.startInstance(hub, request) }, 201);
    },
  }),
];

const FINISHED = [
  OrchestrationStatus.COMPLETED,
  OrchestrationStatus.FAILED,
  OrchestrationStatus.TERMINATED,
  OrchestrationStatus.CANCELED,
];

async function listOrchestrations(call: ApiCall<ListQuery, unknown>): Promise<Response> {
  const { engine, hub, query, context, options } = call;
  const now = options.clock.now();
  const asked = rowQuery(hub, query, now);
  const page = await engine.inspector.stored.rows(asked);
  const { next, prev } = neighbours(asked, page);
  const list = listName(query);
  const cursor = (key: RowKey | undefined, isBackwards: boolean): string | undefined =>
    key && encodeCursor({ key, isBackwards }, list);
  const answer: RowPageJson = {
    items: page.items.map(rowJson),
    ...optional('next', cursor(next, false)),
    ...optional('prev', cursor(prev, true)),
    isPartial: page.isPartial,
    asOf: iso(now),
  };
  return context.json(answer);
}

/** Where the pages on both sides begin. */
function neighbours(
  { sort, after, isBackwards }: RowQuery,
  { items, next }: RowPage,
): { readonly next: RowKey | undefined; readonly prev: RowKey | undefined } {
  const [first] = items;
  const last = items.at(-1);
  if (isBackwards) return { prev: next, next: last && keyOf(last, sort) };
  return { next, prev: after && first && keyOf(first, sort) };
}
