import type {
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
} from '@bufbuild/protobuf';
import type { Clock } from '../../base/clock.ts';
import { TaskHubError } from '../../core/errors.ts';
import type {
  GetInstanceRequest,
  GetInstanceResponseSchema,
  OrchestrationState,
  TaskHubSidecarService,
} from '../../proto/orchestrator_service_pb.ts';
import type { Guard } from '../auth/guard.ts';
import type { Engine } from '../engine.ts';
import type { StreamHandler, UnaryHandler } from './adapters.ts';
import { principalOf, type CallContext } from './call-context.ts';
import type { RpcName } from './rpc-permissions.ts';
import { entityHandlers } from './entity-handlers.ts';
import { managementHandlers } from './management-handlers.ts';
import { serveWorkItems } from './work-item-stream.ts';

type Methods = (typeof TaskHubSidecarService)['method'];
type HandlerOf<M> =
  M extends DescMethodUnary<infer I, infer O>
    ? UnaryHandler<I, O>
    : M extends DescMethodServerStreaming<infer I>
      ? StreamHandler<I>
      : never;

/** One handler for each RPC of the service. */
export type TaskHubHandlers = { readonly [K in RpcName]: HandlerOf<Methods[K]> };

export interface TaskHubServiceOptions {
  readonly engine: Engine;
  readonly clock: Clock;
  /** `CreateTaskHub{recreateIfExists}` wipes an existing hub only then. */
  readonly allowHubRecreate: boolean;
  readonly guard: Guard | undefined;
}

/** The service that clients and workers speak (wire-protocol 3 and 4), on top of the engine. */
export function createTaskHubHandlers(options: TaskHubServiceOptions): TaskHubHandlers {
  return {
    // Hub and credentials were checked on the way in; that is all a greeting is for.
    hello: () => Promise.resolve({}),
    ...clientHandlers(options),
    ...workerHandlers(options),
    ...taskHubHandlers(options),
    ...managementHandlers(options),
    ...entityHandlers(options),
  };
}

type ClientRpc =
  | 'startInstance'
  | 'getInstance'
  | 'waitForInstanceStart'
  | 'waitForInstanceCompletion'
  | 'raiseEvent'
  | 'terminateInstance'
  | 'suspendInstance'
  | 'resumeInstance'
  | 'streamInstanceHistory';

function clientHandlers(options: TaskHubServiceOptions): Pick<TaskHubHandlers, ClientRpc> {
  const { engine, guard } = options;
  const wait = async (
    until: 'started' | 'completed',
    request: GetInstanceRequest,
    call: CallContext,
  ) => {
    const state = await engine.waitForInstance(call.taskHub, request.instanceId, {
      until,
      payloads: request.getInputsAndOutputs,
      signal: call.signal,
    });
    return instanceResponse(state);
  };
  return {
    startInstance: async (request, call) => ({
      instanceId: await engine.startInstance(call.taskHub, request),
    }),
    getInstance: async (request, call) => {
      const payloads = request.getInputsAndOutputs;
      return instanceResponse(
        await engine.getInstance(call.taskHub, request.instanceId, { payloads }),
      );
    },
    waitForInstanceStart: (request, call) => wait('started', request, call),
    waitForInstanceCompletion: (request, call) => wait('completed', request, call),
    raiseEvent: async (request, call) => {
      await engine.raiseEvent(call.taskHub, request);
      return {};
    },
    terminateInstance: async (request, call) => {
      await engine.terminate(call.taskHub, request);
      return {};
    },
    suspendInstance: async (request, call) => {
      await engine.suspend(call.taskHub, request);
      return {};
    },
    resumeInstance: async (request, call) => {
      await engine.resume(call.taskHub, request);
      return {};
    },
    streamInstanceHistory: async (request, call, sink) => {
      if (guard && call.caller) {
        const permission = request.forWorkItemProcessing ? 'work' : 'read';
        guard.require(call.caller, permission, call.taskHub);
      }
      const { closed } = sink;
      for await (const chunk of engine.streamHistory(call.taskHub, request, { signal: closed })) {
        sink.push(chunk);
        if (sink.isBlocked) await sink.drained();
      }
    },
  };
}

function instanceResponse(
  state: OrchestrationState | undefined,
): MessageInitShape<typeof GetInstanceResponseSchema> {
  return state === undefined ? { exists: false } : { exists: true, orchestrationState: state };
}

type WorkerRpc =
  | 'getWorkItems'
  | 'completeActivityTask'
  | 'completeOrchestratorTask'
  | 'abandonTaskActivityWorkItem'
  | 'abandonTaskOrchestratorWorkItem'
  | 'abandonTaskEntityWorkItem';

function workerHandlers(options: TaskHubServiceOptions): Pick<TaskHubHandlers, WorkerRpc> {
  const { engine } = options;
  return {
    getWorkItems: (request, call, sink) => serveWorkItems({ ...options, request, call, sink }),
    completeActivityTask: async (response, call) => {
      await engine.completeActivity(call.taskHub, response, principalOf(call));
      return {};
    },
    completeOrchestratorTask: async (response, call) => {
      await engine.completeOrchestration(call.taskHub, response, principalOf(call));
      return {};
    },
    abandonTaskActivityWorkItem: async ({ completionToken }, call) => {
      await engine.abandon(call.taskHub, 'activity', completionToken);
      return {};
    },
    abandonTaskOrchestratorWorkItem: async ({ completionToken }, call) => {
      await engine.abandon(call.taskHub, 'orchestration', completionToken);
      return {};
    },
    abandonTaskEntityWorkItem: async ({ completionToken }, call) => {
      await engine.abandon(call.taskHub, 'entity', completionToken);
      return {};
    },
  };
}

type TaskHubRpc = 'createTaskHub' | 'deleteTaskHub';

function taskHubHandlers(options: TaskHubServiceOptions): Pick<TaskHubHandlers, TaskHubRpc> {
  const { engine, allowHubRecreate } = options;
  return {
    createTaskHub: async ({ recreateIfExists }, { taskHub }) => {
      if (recreateIfExists && !allowHubRecreate && engine.taskHubs().includes(taskHub)) {
        throw new TaskHubError(
          'WRONG_STATE',
          `Task hub '${taskHub}' exists, and recreateIfExists would delete everything in it; ` +
            'start the scheduler with --allow-hub-recreate to permit that.',
        );
      }
      await engine.createTaskHub(taskHub, { recreate: recreateIfExists });
      return {};
    },
    deleteTaskHub: async (_request, { taskHub }) => {
      await engine.deleteTaskHub(taskHub);
      return {};
    },
  };
}
