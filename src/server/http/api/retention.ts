/** How long ended instances are kept, in all task hubs. */
import type { RetentionPolicy } from '../../../core/retention.ts';
import { optional } from '../../../core/optional.ts';
import type { HttpRoute } from '../http-app.ts';
import {
  retentionPreviewSchema,
  retentionSchema,
  type RetentionJson,
  type RetentionPreviewJson,
  type StatusWord,
} from './contract.ts';
import { api, iso } from './route.ts';
import { statusOf, statusWord } from './status-words.ts';

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
    handle: async ({ engine, body, context }) => {
      const doomed = await engine.retention.preview(policyOf(body));
      const items = doomed.map(({ status, before, count, isCapped }) => ({
        orchestrationState: statusWord(status) as RetentionState,
        endedBefore: iso(before),
        ...{ count, isCapped },
      }));
      return context.json({ items } satisfies RetentionPreviewJson);
    },
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
