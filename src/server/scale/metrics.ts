import type { Context } from 'hono';
import { decideScale, SCALE_WINDOW_MS } from '../../core/scale.ts';
import type { Figures, HubFigures, KindFigures } from '../../scheduler/figures.ts';
import { WORK_KINDS } from '../../storage/store.ts';
import { METRICS } from '../../telemetry/metrics.ts';
import type { Readings } from '../../telemetry/observed-metrics.ts';
import {
  PROMETHEUS_CONTENT_TYPE,
  renderPrometheus,
  type MetricValue,
} from '../../telemetry/prometheus.ts';
import { admissionOf } from '../http/admission.ts';
import type { HttpAppOptions } from '../http/http-app.ts';

/** What Prometheus reads: of the hubs that the caller may connect to. */
export async function answerMetrics(
  context: Context,
  { engine }: HttpAppOptions,
): Promise<Response> {
  const admission = admissionOf(context);
  const { hubs, rounds } = await engine.inspector.figures.read();
  const visible = admission ? hubs.filter(({ hub }) => admission.permits('connect', hub)) : hubs;
  return context.body(renderPrometheus(readingsOf({ rounds, hubs: visible })), 200, {
    'Content-Type': PROMETHEUS_CONTENT_TYPE,
    'Cache-Control': 'no-store',
  });
}

/** What a figure of each family is, in the order in which they are shown. */
export function readingsOf({ hubs, rounds }: Figures): Readings {
  const byKind = (valueOf: (figures: KindFigures) => number): readonly MetricValue[] =>
    hubs.flatMap(({ hub, kinds }) =>
      WORK_KINDS.map((kind) => ({ labels: [hub, kind], value: valueOf(kinds[kind]) })),
    );
  const byHub = (valueOf: (figures: HubFigures) => number): readonly MetricValue[] =>
    hubs.map((figures) => ({ labels: [figures.hub], value: valueOf(figures) }));
  const single = (value: number): readonly MetricValue[] => [{ labels: [], value }];
  return [
    [METRICS.pending, byKind(({ pending }) => pending)],
    [METRICS.active, byKind(({ activeHere }) => activeHere)],
    [METRICS.oldestAge, byKind(({ oldestAgeMs }) => (oldestAgeMs ?? 0) / 1000)],
    [METRICS.parked, byKind(({ parked }) => parked)],
    [METRICS.delivered, byKind(({ delivered }) => delivered)],
    [METRICS.redelivered, byKind(({ redelivered }) => redelivered)],
    [METRICS.workers, byHub(({ connectedHere }) => connectedHere)],
    [METRICS.targetWorkers, byHub(targetOf)],
    [METRICS.rounds, single(rounds.rounds)],
    [METRICS.failedRounds, single(rounds.failed)],
    [METRICS.commits, single(rounds.commits)],
  ];
}

function targetOf({ samples, at, connectedWorkers }: HubFigures): number {
  const bounds = { min: 0, max: Number.MAX_SAFE_INTEGER };
  const options = { ...bounds, now: at, windowMs: SCALE_WINDOW_MS, workers: connectedWorkers };
  return decideScale(samples, options).target;
}
