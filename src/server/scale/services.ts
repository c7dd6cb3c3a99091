/** The gRPC services beside the one of clients and workers: what scale controllers call, and a worker that leaves. */
import type { Server } from '@grpc/grpc-js';
import type { Clock } from '../../base/clock.ts';
import type { BackendMetrics } from '../../proto/backend_service_pb.ts';
import { BackendService } from '../../proto/backend_service_pb.ts';
import { ExternalScaler } from '../../proto/external_scaler_pb.ts';
import type { KindFigures } from '../../scheduler/figures.ts';
import type { Guard } from '../auth/guard.ts';
import type { Engine } from '../engine.ts';
import { rawMethod, serverStream, unary, type AdapterDeps } from '../grpc/adapters.ts';
import { principalOf, type CallContext } from '../grpc/call-context.ts';
import type { Permission } from '../permissions.ts';
import { KedaScaler } from './keda-scaler.ts';
import { figuresOf } from './scale-route.ts';

const BACKEND_PERMISSIONS = {
  getMetrics: 'connect',
  beginWorkerDrain: 'work',
} as const satisfies Record<string, Permission>;
type BackendRpc = keyof typeof BACKEND_PERMISSIONS;

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
  addBackend(server, options, deps);
  addKedaScaler(server, options, deps);
}

/** The rest of that service is for engines that run orchestrations themselves. */
function addBackend(
  server: Server,
  { engine, guard }: ScaleServiceOptions,
  deps: ScaleServiceDeps,
): void {
  const own: AdapterDeps = {
    ...deps,
    admit: async (method, call) => {
      deps.assertServing();
      if (guard) {
        call.caller = await guard.authenticate(call.authorization);
        guard.require(call.caller, BACKEND_PERMISSIONS[method as BackendRpc], call.taskHub);
      }
      engine.assertTaskHub(call.taskHub);
    },
  };
  const { getMetrics, beginWorkerDrain } = BackendService.method;
  server.addService(
    { getMetrics: rawMethod(getMetrics), beginWorkerDrain: rawMethod(beginWorkerDrain) },
    {
      beginWorkerDrain: unary(
        beginWorkerDrain,
        (_request, call) => Promise.resolve({ workerFound: drainCaller(engine, call) }),
        own,
      ),
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

/** All its streams at this node; a caller that does not name itself has none. */
function drainCaller(engine: Engine, call: CallContext): boolean {
  const { taskHub: hub, workerId: id } = call;
  if (id === undefined) return false;
  return engine.drainWorker({ hub, worker: { id, principal: principalOf(call) } }) > 0;
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
