/** Two controllers that know of a task hub only what the scheduler tells whoever scales by it. */
import { ExternalScaler } from '../../src/proto/external_scaler_pb.ts';
import { scaleSchema } from '../../src/server/http/api/contract.ts';
import type { RawClient, RawStream } from '../../test/server/support/raw-client.ts';

/** How many workers to have. */
export interface Decision {
  /** What the load of this moment asks for. */
  readonly rawTarget: number;
  readonly target: number;
}

export interface Controller {
  /** Tells how many workers to have, given how many there are. */
  decide(workers: number): Promise<Decision>;
  close(): void;
}

/** Obeys the target of the JSON API. */
export function endpointController(httpEndpoint: string, query: string): Controller {
  const url = `${httpEndpoint}/api/v1/hubs/default/scale?${query}`;
  return {
    async decide(workers) {
      const answer = await fetch(`${url}&workers=${workers}`);
      return scaleSchema.parse(await answer.json());
    },
    close: () => undefined,
  };
}

export interface KedaOptions {
  readonly maxReplicas: number;
  readonly maxConcurrentWorkItems: number;
  /** How often the autoscaler looks: 15 s in Kubernetes. */
  readonly syncMs: number;
  /** How long recommendations hold workers that are no longer needed: 300 s in Kubernetes. */
  readonly windowMs: number;
  /** How long there must be no work before the last worker goes: 300 s by default. */
  readonly cooldownMs: number;
}

/** What the autoscaler does not follow: a load this close to what the workers are for. */
const TOLERANCE = 0.1;

/**
 * As KEDA's operator and the autoscaler behind it do for a trigger `external-push`. The operator hears of activity from
 * the stream and asks for it, starts the first worker, and takes the last one away after the cool-down. Between them
 * the autoscaler has its way: the largest ceil(metric / target), at most 4 more or twice as many at a time, and fewer
 * only when all recommendations of a window agree.
 */
export class KedaController implements Controller {
  readonly #client: RawClient;
  readonly #options: KedaOptions;
  readonly #ref;
  readonly #stream: RawStream<typeof ExternalScaler.method.streamIsActive.output>;
  #isPushed = false;
  #activeAt = -Infinity;
  #syncedAt = -Infinity;
  #last: Decision = { rawTarget: 0, target: 0 };
  #recommended: readonly { readonly at: number; readonly replicas: number }[] = [];

  constructor(client: RawClient, options: KedaOptions) {
    this.#client = client;
    this.#options = options;
    const maxConcurrentWorkItemsCount = String(options.maxConcurrentWorkItems);
    this.#ref = {
      ...{ name: 'app', namespace: 'default' },
      scalerMetadata: { taskhubName: 'default', maxConcurrentWorkItemsCount },
    };
    this.#stream = client.stream(ExternalScaler.method.streamIsActive, this.#ref);
    void this.#listen();
  }

  async decide(workers: number): Promise<Decision> {
    const now = performance.now();
    if (workers === 0) {
      if (this.#isPushed) this.#activeAt = now;
      this.#syncedAt = -Infinity;
      return { rawTarget: Number(this.#isPushed), target: Number(this.#isPushed) };
    }
    if (now - this.#syncedAt < this.#options.syncMs) return this.#last;
    this.#syncedAt = now;
    this.#last = await this.#sync(workers, now);
    return this.#last;
  }

  close(): void {
    this.#stream.call.cancel();
  }

  async #listen(): Promise<void> {
    for (;;) {
      const told = await this.#stream.next().catch(() => undefined); // cancelled by `close`
      if (!told) return;
      this.#isPushed = told.result;
    }
  }

  async #sync(workers: number, now: number): Promise<Decision> {
    const { windowMs, cooldownMs } = this.#options;
    const { result } = await this.#client.call(ExternalScaler.method.isActive, this.#ref);
    if (result) this.#activeAt = now;
    const rawTarget = await this.#recommend(workers);
    const within = this.#recommended.filter(({ at }) => at > now - windowMs);
    this.#recommended = [...within, { at: now, replicas: rawTarget }];
    if (now - this.#activeAt >= cooldownMs) return { rawTarget: 0, target: 0 };
    const held = Math.max(...this.#recommended.map(({ replicas }) => replicas));
    return { rawTarget, target: Math.max(rawTarget, Math.min(held, workers)) };
  }

  async #recommend(workers: number): Promise<number> {
    const { getMetricSpec, getMetrics } = ExternalScaler.method;
    const { metricSpecs } = await this.#client.call(getMetricSpec, this.#ref);
    const needs = await Promise.all(
      metricSpecs.map(async ({ metricName, targetSizeFloat }) => {
        const asked = { scaledObjectRef: this.#ref, metricName };
        const { metricValues } = await this.#client.call(getMetrics, asked);
        const need = (metricValues[0]?.metricValueFloat ?? 0) / targetSizeFloat;
        return Math.abs(need / workers - 1) <= TOLERANCE ? workers : Math.ceil(need);
      }),
    );
    const fastest = Math.max(workers + 4, workers * 2);
    return Math.min(Math.max(1, ...needs), fastest, this.#options.maxReplicas);
  }
}
