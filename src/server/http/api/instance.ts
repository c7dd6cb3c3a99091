/** One orchestration: what it is, its history, its payloads, what it waits for. */
import { z } from 'zod';
import { isTerminal } from '../../../core/instance.ts';
import { optional } from '../../../core/optional.ts';
import type { HistoryPosition } from '../../../storage/inspection.ts';
import type { HttpRoute } from '../http-app.ts';
import { historySchema, instanceSchema, waitingSchema, rowPageSchema } from './contract.ts';
import type { HistoryJson, InstanceJson, RowPageJson, StatusWord } from './contract.ts';
import { decodeEntry, eventJson, failureJson, parseRef, payloadsOf, refOf } from './event-json.ts';
import { historyExport, historyLines } from './history-export.ts';
import { api, iso, notFound, type ApiCall } from './route.ts';
import { rowJson } from './row-json.ts';
import { statusWord } from './status-words.ts';
import { textAnswer, textQuery, type TextQuery } from './text-answer.ts';
import { waitingJson } from './waiting-json.ts';
import { invalidArgument } from '../../../core/errors.ts';

const ANCESTORS_MAX = 8;
const CHILDREN_MAX = 1000;

const historyQuery = z.strictObject({
  after: z.string().optional().describe('The ref of the last event that is known'),
  limit: z.coerce.number().int().min(1).max(2000).default(500),
  payload: z.enum(['none', 'summary']).default('none'),
});

const BASE = '/hubs/:hub/orchestrations/:id';

export const INSTANCE_ROUTES: readonly HttpRoute[] = [
  api({
    method: 'GET',
    path: BASE,
    permission: 'read',
    summary: 'One orchestration with its ancestors and the number of its children',
    answer: instanceSchema,
    handle: getInstance,
  }),
  api({
    method: 'GET',
    path: `${BASE}/history`,
    permission: 'read',
    summary: 'Events of the current execution, in order',
    query: historyQuery,
    answer: historySchema,
    handle: getHistory,
  }),
  api({
    method: 'GET',
    path: `${BASE}/history.json`,
    permission: 'read',
    summary: 'The whole history with all payloads, as a file',
    handle: historyExport,
  }),
  api({
    method: 'GET',
    path: `${BASE}/history.jsonl`,
    permission: 'read',
    summary: 'The same, an event a line',
    handle: historyLines,
  }),
  api({
    method: 'GET',
    path: `${BASE}/history/:ref/payload/:field`,
    permission: 'read',
    summary: 'One payload of one event, as text',
    query: textQuery,
    handle: getEventPayload,
  }),
  api({
    method: 'GET',
    path: `${BASE}/children`,
    permission: 'read',
    summary: `Direct children, oldest first, at most ${CHILDREN_MAX}`,
    answer: rowPageSchema,
    handle: async ({ engine, hub, instanceId, context, options }) => {
      const rows = await engine.inspector.stored.children(hub, instanceId, CHILDREN_MAX);
      const items = rows.map(rowJson);
      const asOf = iso(options.clock.now());
      return context.json({ items, isPartial: false, asOf } satisfies RowPageJson);
    },
  }),
  api({
    method: 'GET',
    path: `${BASE}/waiting`,
    permission: 'read',
    summary: 'What it waits for, and which connected worker would take it',
    answer: waitingSchema,
    handle: async ({ engine, hub, instanceId, context, options }) => {
      const report = await engine.inspector.waiting(hub, instanceId);
      if (!report) throw notFound(instanceId);
      const now = options.clock.now();
      return context.json(waitingJson(report, { hub, now, workers: engine.workers() }));
    },
  }),
  api({
    method: 'GET',
    path: `${BASE}/data/:part`,
    permission: 'read',
    summary: 'Its input, output, customStatus or failure',
    query: textQuery,
    handle: getData,
  }),
];

async function getInstance({
  engine,
  hub,
  instanceId,
  context,
  options,
}: ApiCall<unknown, unknown>): Promise<Response> {
  const { stored } = engine.inspector;
  const [row] = await stored.rowsById(hub, [instanceId]);
  if (!row) throw notFound(instanceId);
  const children = await stored.children(hub, instanceId, CHILDREN_MAX);
  const counts: Partial<Record<StatusWord, number>> = {};
  for (const { status } of children) {
    counts[statusWord(status)] = (counts[statusWord(status)] ?? 0) + 1;
  }
  const state = await engine.getInstance(hub, instanceId, { payloads: true });
  const size = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : Buffer.byteLength(text);
  const answer: InstanceJson = {
    instance: rowJson(row),
    ancestors: (await stored.ancestors(hub, instanceId, ANCESTORS_MAX)).map(rowJson),
    children: counts,
    sizes: {
      ...optional('input', size(state?.input)),
      ...optional('output', isTerminal(row.status) ? size(state?.output) : undefined),
      ...optional('customStatus', size(state?.customStatus)),
    },
    asOf: iso(options.clock.now()),
  };
  return context.json(answer);
}

async function getHistory({
  engine,
  hub,
  instanceId,
  query,
  context,
}: ApiCall<z.infer<typeof historyQuery>, unknown>): Promise<Response> {
  const { limit, payload } = query;
  const after = query.after === undefined ? undefined : refIn(query.after);
  const page = await engine.inspector.stored.historyPage(hub, instanceId, { after, limit });
  if (!page) throw notFound(instanceId);
  const last = page.items.at(-1);
  const answer: HistoryJson = {
    executionId: page.executionId,
    items: page.items.map((entry) => eventJson(entry, { previews: payload === 'summary' })),
    ...(page.hasMore && last && { next: refOf(last) }),
  };
  return context.json(answer);
}

function refIn(ref: string): HistoryPosition & { position: number } {
  const position = parseRef(ref);
  if (position) return position;
  throw invalidArgument(`'${ref.slice(0, 40)}' names no event; use the ref that came with one`);
}

async function getEventPayload({
  engine,
  hub,
  instanceId,
  query,
  context,
}: ApiCall<TextQuery, unknown>): Promise<Response> {
  const position = refIn(context.req.param('ref') ?? '');
  const bytes = await engine.inspector.stored.historyEvent(hub, instanceId, position);
  const field = context.req.param('field') ?? '';
  const text = bytes && payloadsOf(decodeEntry({ bytes }))[field];
  if (text === undefined) throw notFound(instanceId);
  return textAnswer(text, { query, name: field });
}

async function getData({
  engine,
  hub,
  instanceId,
  query,
  context,
}: ApiCall<TextQuery, unknown>): Promise<Response> {
  const part = context.req.param('part') ?? '';
  const state = await engine.getInstance(hub, instanceId, { payloads: true });
  if (!state) throw notFound(instanceId);
  const failure = state.failureDetails && JSON.stringify(failureJson(state.failureDetails));
  const parts: Readonly<Record<string, string | undefined>> = {
    input: state.input,
    output: state.output,
    customStatus: state.customStatus,
    failure,
  };
  const text = parts[part];
  if (text === undefined) {
    const known = Object.keys(parts).join(', ');
    throw invalidArgument(`the instance has no '${part.slice(0, 40)}'; there may be ${known}`);
  }
  return textAnswer(text, { query, name: part });
}
