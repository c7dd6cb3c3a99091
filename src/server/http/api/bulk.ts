import { z } from 'zod';
import { invalidArgument } from '../../../core/errors.ts';
import type { HttpRoute } from '../http-app.ts';
import { actionBody } from './actions.ts';
import {
  bulkActionSchema,
  bulkJobSchema,
  bulkJobsSchema,
  bulkResultsSchema,
  type BulkJobsJson,
} from './contract.ts';
import { filterSchema, rowFilter } from './list-query.ts';
import { api } from './route.ts';

const IDS_MAX = 10_000;
const BASE = '/hubs/:hub/bulk-jobs';

const jobBody = z
  .strictObject({
    action: bulkActionSchema,
    ids: z.array(z.string()).max(IDS_MAX).optional(),
    filter: filterSchema.optional().describe('Everything that matches, as in the list'),
    args: actionBody.prefault({}),
  })
  .refine((body) => (body.ids === undefined) !== (body.filter === undefined), {
    error: 'needs either ids or a filter',
  });

export const BULK_ROUTES: readonly HttpRoute[] = [
  api({
    method: 'POST',
    path: BASE,
    permission: 'write',
    summary: 'Starts one action on many orchestrations: the ids given, or everything that matches',
    body: jobBody,
    answer: bulkJobSchema,
    status: 202,
    handle: ({ hub, body, context, options }) => {
      const { action, ids, filter, args } = body;
      const now = options.clock.now();
      const target = filter ? { filter: rowFilter(filter, now) } : { ids: ids ?? [] };
      return context.json(options.bulkJobs.start({ hub, action, target, args }), 202);
    },
  }),
  api({
    method: 'GET',
    path: BASE,
    permission: 'read',
    summary: 'Bulk jobs since this node started, newest first',
    answer: bulkJobsSchema,
    handle: ({ hub, context, options }) =>
      context.json({ items: [...options.bulkJobs.list(hub)] } satisfies BulkJobsJson),
  }),
  api({
    method: 'GET',
    path: `${BASE}/:job`,
    permission: 'read',
    summary: 'How far a bulk job is',
    answer: bulkJobSchema,
    handle: ({ hub, context, options }) =>
      context.json(found(options.bulkJobs.get(hub, context.req.param('job') ?? ''))),
  }),
  api({
    method: 'GET',
    path: `${BASE}/:job/results`,
    permission: 'read',
    summary: 'Which instances it skipped or failed on, and why',
    answer: bulkResultsSchema,
    handle: ({ hub, context, options }) =>
      context.json(found(options.bulkJobs.results(hub, context.req.param('job') ?? ''))),
  }),
  api({
    method: 'POST',
    path: `${BASE}/:job/cancel`,
    permission: 'write',
    summary: 'Leaves the rest untouched',
    body: z.strictObject({}),
    answer: bulkJobSchema,
    handle: ({ hub, context, options }) =>
      context.json(found(options.bulkJobs.cancel(hub, context.req.param('job') ?? ''))),
  }),
];

function found<T>(value: T | undefined): T {
  if (value === undefined) {
    throw invalidArgument('there is no such bulk job on this node; jobs end with the scheduler');
  }
  return value;
}
