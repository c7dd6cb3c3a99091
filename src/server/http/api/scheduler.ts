/** The configuration in force, and a hub's numbers. */
import { shownConfig } from '../../../config/shown-config.ts';
import type { HttpRoute } from '../http-app.ts';
import { configSchema, metricsSchema, type ConfigJson, type MetricsJson } from './contract.ts';
import { api } from './route.ts';

export const SCHEDULER_ROUTES: readonly HttpRoute[] = [
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
