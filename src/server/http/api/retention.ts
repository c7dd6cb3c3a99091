/** How long ended instances are kept, in all task hubs. */
import { assertRetention, expiries, type RetentionPolicy } from '../../../core/retention.ts';
import { optional } from '../../../core/optional.ts';
import type { HttpAppOptions, HttpRoute } from '../http-app.ts';
import {
  retentionPreviewSchema,
  retentionSchema,
  type RetentionJson,
  type RetentionPreviewJson,
  type StatusWord,
} from './contract.ts';
import { filterSchema, rowFilter } from './list-query.ts';
import { api, iso } from './route.ts';
import { statusOf, statusWord } from './status-words.ts';

/** A preview counts up to this, of one status in one hub. */
const COUNTED_MAX = 10_000;

export const RETENTION_ROUTES: readonly HttpRoute[] = [
  api({
    method: 'GET',
    path: '/retention',
    permission: 'inspect',
    summary: 'How long ended instances are kept',
    answer: retentionSchema,
    handle: async ({ engine, context }) =>
      context.json(retentionJson(await engine.retention.policy())),
  }),
  api({
    method: 'PUT',
    path: '/retention',
    permission: 'manage',
    summary: 'Sets how long they are kept; no rule keeps everything',
    body: retentionSchema,
    answer: retentionSchema,
    handle: async ({ engine, body, context }) => {
      await engine.retention.setPolicy(policyOf(body));
      return context.json(retentionJson(await engine.retention.policy()));
    },
  }),
  api({
    method: 'POST',
    path: '/retention/preview',
    permission: 'inspect',
    summary: 'How many instances a policy would delete at its first sweep; changes nothing',
    body: retentionSchema,
    answer: retentionPreviewSchema,
    handle: async ({ body, context, options }) =>
      context.json(await previewJson(options, policyOf(body))),
  }),
  api({
    method: 'DELETE',
    path: '/retention',
    permission: 'manage',
    summary: 'Keeps everything from now on',
    answer: retentionSchema,
    handle: async ({ engine, context }) => {
      await engine.retention.setPolicy([]);
      return context.json(retentionJson([]));
    },
  }),
];

function policyOf({ retentionPolicies }: RetentionJson): RetentionPolicy {
  return retentionPolicies.map(({ retentionPeriodInDays: days, orchestrationState: state }) => ({
    days,
    status: state === undefined ? undefined : statusOf(state),
  }));
}

async function previewJson(
  { engine, clock }: Pick<HttpAppOptions, 'engine' | 'clock'>,
  policy: RetentionPolicy,
): Promise<RetentionPreviewJson> {
  assertRetention(policy);
  const now = clock.now();
  const items: RetentionPreviewJson['items'] = [];
  for (const { status, before } of expiries(policy, now)) {
    const state = statusWord(status) as RetentionState;
    const query = { status: [state], completedTo: iso(before), children: 'show' };
    const filter = rowFilter(filterSchema.parse(query), now);
    const item = { orchestrationState: state, endedBefore: iso(before), count: 0, isCapped: false };
    for (const hub of engine.taskHubs()) {
      const { count, isCapped } = await engine.inspector.stored.count(hub, filter, COUNTED_MAX);
      item.count += count;
      item.isCapped ||= isCapped;
    }
    items.push(item);
  }
  return { items };
}

type RetentionState = NonNullable<RetentionJson['retentionPolicies'][number]['orchestrationState']>;

function retentionJson(policy: RetentionPolicy): RetentionJson {
  return {
    retentionPolicies: policy.map(({ status, days }) => ({
      retentionPeriodInDays: days,
      ...optional(
        'orchestrationState',
        status === undefined
          ? undefined
          : (statusWord(status) satisfies StatusWord as RetentionState),
      ),
    })),
  };
}
