/**
 * Scale figures of an app: the scheduler's, set against what one worker of this app does at once. Served in the form
 * of the Functions host's own `admin/host/scale/status`, so that tools made for that work unchanged.
 */
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type { Clock } from '../../base/clock.ts';
import type { TaskHubClient } from '../../client/task-hub-client.ts';
import { invalidArgument, TaskHubError } from '../../core/errors.ts';
import {
  decideScale,
  keepSamples,
  SCALE_WINDOW_MS,
  type ScaleDecision,
  type ScaleSample,
} from '../../core/scale.ts';
import type { BackendMetrics, WorkItemMetrics } from '../../proto/backend_service_pb.ts';
import { METRICS } from '../../telemetry/metrics.ts';
import type { Readings } from '../../telemetry/observed-metrics.ts';
import { PROMETHEUS_CONTENT_TYPE, renderPrometheus } from '../../telemetry/prometheus.ts';

/** What this process says of itself. */
export interface WorkerState {
  readonly isConnected: boolean;
  readonly workItemCount: number;
}

export interface ScaleMonitorOptions {
  readonly client: () => TaskHubClient;
  readonly clock: Clock;
  readonly taskHub: () => string;
  /** What one worker does at once. */
  readonly perWorker: () => {
    readonly orchestrations: number;
    readonly activities: number;
    readonly entities: number;
  };
  /** `undefined`: this process has no durable functions to run. */
  readonly worker: () => WorkerState | undefined;
}

/** What `ScaleMonitor.readings` tells. */
export const APP_METRICS = [
  METRICS.pending,
  METRICS.active,
  METRICS.oldestAge,
  METRICS.workers,
  METRICS.targetWorkers,
] as const;

export type ScaleQuestion = 'metrics' | 'status' | 'prometheus' | 'live' | 'ready';

const WORKERS_MAX = 10_000;

interface KindJson {
  readonly pending: number;
  readonly active: number;
  readonly oldestAgeInSeconds: number;
  readonly concurrency: number;
}

interface Reading {
  readonly kinds: Readonly<Record<'orchestrations' | 'activities' | 'entities', KindJson>>;
  readonly connectedWorkers: number;
}

export class ScaleMonitor {
  readonly #options: ScaleMonitorOptions;
  #samples: readonly ScaleSample[] = [];

  constructor(options: ScaleMonitorOptions) {
    this.#options = options;
  }

  /** Rejects as the scheduler refuses: UNIMPLEMENTED by one that tells no figures. */
  async answer(question: ScaleQuestion, request: HttpRequest): Promise<HttpResponseInit> {
    switch (question) {
      case 'live':
        return { jsonBody: { status: 'live' } };
      case 'ready':
        return this.#answerReady();
      case 'metrics':
        return this.#answerMetrics();
      case 'status':
        return this.#answerStatus(await readWorkerCount(request));
      case 'prometheus':
        return this.#answerPrometheus();
    }
  }

  #answerReady(): HttpResponseInit {
    const worker = this.#options.worker();
    if (worker === undefined || worker.isConnected) return { jsonBody: { status: 'ready' } };
    const reason = 'the worker has no connection to the scheduler';
    return {
      status: 503,
      headers: { 'Retry-After': '1' },
      jsonBody: { status: 'notReady', reason },
    };
  }

  async #answerMetrics(): Promise<HttpResponseInit> {
    const { kinds, connectedWorkers } = await this.#read();
    const { clock, taskHub, worker } = this.#options;
    const { isConnected = false, workItemCount = 0 } = worker() ?? {};
    return {
      jsonBody: {
        timestamp: new Date(clock.now()).toISOString(),
        taskHub: taskHub(),
        ...kinds,
        connectedWorkers,
        worker: { connected: isConnected, activeWorkItems: workItemCount },
      },
    };
  }

  async #answerStatus(workers: number): Promise<HttpResponseInit> {
    await this.#read();
    const { target, vote } = this.#decide(workers);
    const functionId = `durabletask-${this.#options.taskHub()}`;
    return {
      jsonBody: {
        vote,
        targetWorkerCount: target,
        functionScaleStatuses: {},
        functionTargetScalerResults: { [functionId]: { targetWorkerCount: target } },
      },
    };
  }

  async #answerPrometheus(): Promise<HttpResponseInit> {
    const body = renderPrometheus(await this.readings());
    return { headers: { 'Content-Type': PROMETHEUS_CONTENT_TYPE }, body };
  }

  /** The figures of the app's hub, for Prometheus and OpenTelemetry. Rejects as the scheduler refuses. */
  async readings(): Promise<Readings> {
    const { kinds, connectedWorkers } = await this.#read();
    const hub = this.#options.taskHub();
    const values = (valueOf: (kind: KindJson) => number) => [
      { labels: [hub, 'orchestration'], value: valueOf(kinds.orchestrations) },
      { labels: [hub, 'activity'], value: valueOf(kinds.activities) },
      { labels: [hub, 'entity'], value: valueOf(kinds.entities) },
    ];
    return [
      [METRICS.pending, values(({ pending }) => pending)],
      [METRICS.active, values(({ active }) => active)],
      [METRICS.oldestAge, values(({ oldestAgeInSeconds }) => oldestAgeInSeconds)],
      [METRICS.workers, [{ labels: [hub], value: connectedWorkers }]],
      [METRICS.targetWorkers, [{ labels: [hub], value: this.#decide(connectedWorkers).target }]],
    ];
  }

  #decide(workers: number): ScaleDecision {
    return decideScale(this.#samples, {
      ...{ min: 0, max: WORKERS_MAX, workers },
      now: this.#options.clock.now(),
      windowMs: SCALE_WINDOW_MS,
    });
  }

  async #read(): Promise<Reading> {
    const { clock, perWorker } = this.#options;
    const metrics = await this.#metrics();
    const { orchestrations, activities, entities } = perWorker();
    const kinds = {
      orchestrations: kindJson(metrics.orchestratorWorkItems, orchestrations),
      activities: kindJson(metrics.activityWorkItems, activities),
      entities: kindJson(metrics.entityWorkItems, entities),
    };
    const loads = Object.values(kinds).map(({ concurrency, ...kind }) => ({
      ...{ pending: kind.pending, active: kind.active, perWorker: concurrency },
    }));
    this.#samples = keepSamples(this.#samples, { at: clock.now(), loads }, SCALE_WINDOW_MS);
    return { kinds, connectedWorkers: metrics.connectedWorkers?.count ?? 0 };
  }

  /** No guess from the statuses of instances: activities that wait do not show in them, and workers would be voted away. */
  async #metrics(): Promise<BackendMetrics> {
    try {
      return await this.#options.client().getWorkItemMetrics();
    } catch (error) {
      if (!(error instanceof TaskHubError) || error.code !== 'UNIMPLEMENTED') throw error;
      throw new TaskHubError(
        'UNIMPLEMENTED',
        `The scheduler of task hub "${this.#options.taskHub()}" does not say how much work waits (it has no BackendService/GetMetrics): ` +
          'scale by what the plan measures, CPU for example, or use a scheduler that does.',
        { cause: error },
      );
    }
  }
}

function kindJson(metrics: WorkItemMetrics | undefined, concurrency: number): KindJson {
  const { pending = 0, active = 0, oldestAgeInSeconds = 0 } = metrics ?? {};
  return { pending, active, oldestAgeInSeconds, concurrency };
}

/** The host's own contract writes it `WorkerCount`, and reads it in any case. */
async function readWorkerCount(request: HttpRequest): Promise<number> {
  const body: Readonly<Record<string, unknown>> = parseObject(await request.text());
  const entry = Object.entries(body).find(([name]) => name.toLowerCase() === 'workercount');
  const count: unknown = entry?.[1];
  if (typeof count === 'number' && Number.isInteger(count) && count >= 0) return count;
  throw invalidArgument('The body must be JSON with the number of workers: {"workerCount": 2}');
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text)) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
