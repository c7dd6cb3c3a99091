/** The gRPC services that scale controllers call, beside the one of clients and workers. */
import type { Server } from '@grpc/grpc-js';
import type { Clock } from '../../base/clock.ts';
import type { BackendMetrics } from '../../proto/backend_service_pb.ts';
import { BackendService } from '../../proto/backend_service_pb.ts';
import { ExternalScaler } from '../../proto/external_scaler_pb.ts';
import type { KindFigures } from '../../scheduler/figures.ts';
import type { Guard } from '../auth/guard.ts';
import type { Engine } from '../engine.ts';
import { rawMethod, serverStream, unary, type AdapterDeps } from '../grpc/adapters.ts';
import { KedaScaler } from './keda-scaler.ts';
import { figuresOf } from './scale-route.ts';

export interface ScaleServiceOptions {
  readonly engine: Engine;
  readonly clock: Clock;
  /** `undefined`: everybody may do everything. */
  readonly guard: Guard | undefined;
}

export interface ScaleServiceDeps extends AdapterDeps {
  /** Throws while the scheduler drains. */
  readonly assertServing: () => void;
}

/** What is not implemented of these services is answered with UNIMPLEMENTED. */
export function addScaleServices(
  server: Server,
  options: ScaleServiceOptions,
  deps: ScaleServiceDeps,
): void {
  addBackendMetrics(server, options, deps);
  addKedaScaler(server, options, deps);
}

/** `GetMetrics` alone: the rest of that service is for engines that run orchestrations themselves. */
function addBackendMetrics(
  server: Server,
  { engine, guard }: ScaleServiceOptions,
  deps: ScaleServiceDeps,
): void {
  const own: AdapterDeps = {
    ...deps,
    admit: async (_method, call) => {
      deps.assertServing();
      if (guard) {
        call.caller = await guard.authenticate(call.authorization);
        guard.require(call.caller, 'connect', call.taskHub);
      }
      engine.assertTaskHub(call.taskHub);
    },
  };
  const { getMetrics } = BackendService.method;
  server.addService(
    { getMetrics: rawMethod(getMetrics) },
    {
      getMetrics: unary(
        getMetrics,
        async (_request, { taskHub }) => {
          const { kinds, connectedWorkers } = await figuresOf(engine, taskHub);
          return {
            metrics: {
              orchestratorWorkItems: toMetrics(kinds.orchestration),
              activityWorkItems: toMetrics(kinds.activity),
              entityWorkItems: toMetrics(kinds.entity),
              connectedWorkers: { count: connectedWorkers },
            },
          };
        },
        own,
      ),
    },
  );
}

type KindMetrics = Pick<
  NonNullable<BackendMetrics['activityWorkItems']>,
  'pending' | 'active' | 'oldestAgeInSeconds'
>;

function toMetrics({ pending, active, oldestAgeMs }: KindFigures): KindMetrics {
  return { pending, active, oldestAgeInSeconds: Math.floor((oldestAgeMs ?? 0) / 1000) };
}

/** The task hub is named in the request, so that the handlers ask for the permission themselves. */
function addKedaScaler(server: Server, options: ScaleServiceOptions, deps: ScaleServiceDeps): void {
  const own: AdapterDeps = {
    ...deps,
    admit: async (_method, call) => {
      deps.assertServing();
      if (options.guard) call.caller = await options.guard.authenticate(call.authorization);
    },
  };
  const scaler = new KedaScaler(options);
  const { isActive, streamIsActive, getMetricSpec, getMetrics } = ExternalScaler.method;
  server.addService(
    {
      isActive: rawMethod(isActive),
      streamIsActive: rawMethod(streamIsActive),
      getMetricSpec: rawMethod(getMetricSpec),
      getMetrics: rawMethod(getMetrics),
    },
    {
      isActive: unary(isActive, (request, call) => scaler.isActive(request, call), own),
      streamIsActive: serverStream(
        streamIsActive,
        (request, call, sink) => scaler.streamIsActive(request, call, sink),
        own,
      ),
      getMetricSpec: unary(getMetricSpec, (request, call) => scaler.metricSpec(request, call), own),
      getMetrics: unary(getMetrics, (request, call) => scaler.metrics(request, call), own),
    },
  );
}
