/** Two controllers that know of a task hub only what the scheduler tells whoever scales by it. */
import { ExternalScaler } from '../../../src/proto/external_scaler_pb.ts';
import { scaleSchema } from '../../../src/server/http/api/contract.ts';
import type { RawClient } from '../../server/support/raw-client.ts';

/** Tells how many workers to have, given how many there are. */
export type Controller = (workers: number) => Promise<number>;

/** Obeys the target of the JSON API. */
export function endpointController(httpEndpoint: string, query: string): Controller {
  return async (workers) => {
    const answer = await fetch(
      `${httpEndpoint}/api/v1/hubs/default/scale?workers=${workers}&${query}`,
    );
    return scaleSchema.parse(await answer.json()).target;
  };
}

export interface KedaOptions {
  readonly maxReplicas: number;
  readonly maxConcurrentWorkItems: number;
  /** How long recommendations, and activity, hold workers that are no longer needed. */
  readonly windowMs: number;
}

/**
 * As KEDA's operator and the autoscaler behind it: none while not active, otherwise the largest ceil(metric / target),
 * which falls no faster than the largest recommendation of the stabilisation window.
 */
export function kedaController(client: RawClient, options: KedaOptions): Controller {
  const { isActive, getMetricSpec, getMetrics } = ExternalScaler.method;
  const count = String(options.maxConcurrentWorkItems);
  const ref = {
    ...{ name: 'app', namespace: 'default' },
    scalerMetadata: { taskhubName: 'default', maxConcurrentWorkItemsCount: count },
  };
  let recommended: { readonly at: number; readonly replicas: number }[] = [];

  async function desired(): Promise<number> {
    const { result } = await client.call(isActive, ref);
    if (!result) return 0;
    const { metricSpecs } = await client.call(getMetricSpec, ref);
    const needs = await Promise.all(
      metricSpecs.map(async ({ metricName, targetSizeFloat }) => {
        const asked = { scaledObjectRef: ref, metricName };
        const { metricValues } = await client.call(getMetrics, asked);
        return Math.ceil((metricValues[0]?.metricValueFloat ?? 0) / targetSizeFloat);
      }),
    );
    return Math.min(Math.max(1, ...needs), options.maxReplicas);
  }

  return async () => {
    const replicas = await desired();
    const at = performance.now();
    recommended = [
      ...recommended.filter((each) => each.at > at - options.windowMs),
      { at, replicas },
    ];
    return Math.max(...recommended.map((each) => each.replicas));
  };
}
