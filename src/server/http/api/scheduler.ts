/** What concerns the whole scheduler: retention and configuration; and a hub's numbers. */
import type { RetentionPolicy } from '../../../core/retention.ts';
import { optional } from '../../../core/optional.ts';
import { shownConfig } from '../../../config/shown-config.ts';
import type { HttpRoute } from '../http-app.ts';
import {
  configSchema,
  metricsSchema,
  retentionSchema,
  type ConfigJson,
  type MetricsJson,
  type RetentionJson,
  type StatusWord,
} from './contract.ts';
import { api } from './route.ts';
import { statusOf, statusWord } from './status-words.ts';

export const SCHEDULER_ROUTES: readonly HttpRoute[] = [
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
      const policy = body.retentionPolicies.map((rule) => ({
        days: rule.retentionPeriodInDays,
        status:
          rule.orchestrationState === undefined ? undefined : statusOf(rule.orchestrationState),
      }));
      await engine.retention.setPolicy(policy);
      return context.json(retentionJson(await engine.retention.policy()));
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
  api({
    method: 'GET',
    path: '/config',
    permission: 'inspect',
    summary: 'The configuration in force; secrets are masked',
    answer: configSchema,
    handle: ({ context, options }) =>
      context.json({ items: [...shownConfig(options.config)] } satisfies ConfigJson),
  }),
  api({
    method: 'GET',
    path: '/hubs/:hub/metrics',
    permission: 'read',
    summary: 'Numbers of the last hour, one every five seconds, as this node saw them',
    answer: metricsSchema,
    handle: ({ engine, hub, context }) => {
      const { stepMs, at, series } = engine.metrics.series(hub);
      return context.json({ stepMs, at: [...at], series: copied(series) } satisfies MetricsJson);
    },
  }),
];

function copied(series: Readonly<Record<string, readonly number[]>>): Record<string, number[]> {
  return Object.fromEntries(Object.entries(series).map(([name, values]) => [name, [...values]]));
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
