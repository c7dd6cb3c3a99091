import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { OrchestrationStatus, OrchestratorActionSchema } from '../proto/orchestrator_service_pb.ts';
import type {
  HistoryEvent,
  OrchestratorAction,
  TaskFailureDetails,
} from '../proto/orchestrator_service_pb.ts';
import type { ActivityWork, SubOrchestrationWork } from './tasks.ts';

type ActionInit = MessageInitShape<typeof OrchestratorActionSchema>;

/** Asks for one attempt of an activity. */
export function scheduleTaskAction(
  id: number,
  work: ActivityWork,
  input: string | undefined,
): OrchestratorAction {
  return action({
    id,
    orchestratorActionType: {
      case: 'scheduleTask',
      value: { name: work.name, ...optional(input, work) },
    },
  });
}

/** Starts a child; `instanceId` is final, so that retries can use it again. */
export function createSubOrchestrationAction(
  id: number,
  work: SubOrchestrationWork & { readonly instanceId: string },
  input: string | undefined,
): OrchestratorAction {
  return action({
    id,
    orchestratorActionType: {
      case: 'createSubOrchestration',
      value: { name: work.name, instanceId: work.instanceId, ...optional(input, work) },
    },
  });
}

/** Asks for a timer. `fireAt` in epoch milliseconds, fractions dropped. */
export function createTimerAction(id: number, fireAt: number): OrchestratorAction {
  const timestamp: Timestamp = timestampFromMs(Math.floor(fireAt));
  return action({
    id,
    orchestratorActionType: { case: 'createTimer', value: { fireAt: timestamp } },
  });
}

export interface SendEventOptions {
  readonly instanceId: string;
  readonly name: string;
  readonly data: string | undefined;
}

/** Sends an external event to another instance (or to the sender itself). */
export function sendEventAction(id: number, event: SendEventOptions): OrchestratorAction {
  return action({
    id,
    orchestratorActionType: {
      case: 'sendEvent',
      value: {
        instance: { instanceId: event.instanceId },
        name: event.name,
        ...(event.data === undefined ? {} : { data: event.data }),
      },
    },
  });
}

/** How an execution ends. */
export type Completion =
  | { readonly kind: 'completed'; readonly result: string | undefined }
  | { readonly kind: 'terminated'; readonly result: string | undefined }
  | { readonly kind: 'failed'; readonly failure: TaskFailureDetails }
  | {
      readonly kind: 'continuedAsNew';
      readonly result: string | undefined;
      readonly carryover: HistoryEvent[];
    };

const COMPLETION_STATUS = {
  completed: OrchestrationStatus.COMPLETED,
  terminated: OrchestrationStatus.TERMINATED,
  failed: OrchestrationStatus.FAILED,
  continuedAsNew: OrchestrationStatus.CONTINUED_AS_NEW,
} as const;

/** Ends the execution. */
export function completeAction(id: number, completion: Completion): OrchestratorAction {
  const result = 'result' in completion ? completion.result : undefined;
  return action({
    id,
    orchestratorActionType: {
      case: 'completeOrchestration',
      value: {
        orchestrationStatus: COMPLETION_STATUS[completion.kind],
        ...(result === undefined ? {} : { result }),
        ...(completion.kind === 'failed' ? { failureDetails: completion.failure } : {}),
        ...(completion.kind === 'continuedAsNew' ? { carryoverEvents: completion.carryover } : {}),
      },
    },
  });
}

function action(init: ActionInit): OrchestratorAction {
  return create(OrchestratorActionSchema, init);
}

/** The parts that stay unset when there is nothing to say (unset and empty differ on the wire). */
function optional(
  input: string | undefined,
  work: ActivityWork | SubOrchestrationWork,
): { input?: string; version?: string; tags?: Record<string, string> } {
  return {
    ...(input === undefined ? {} : { input }),
    ...(work.version === undefined ? {} : { version: work.version }),
    ...(work.tags === undefined ? {} : { tags: { ...work.tags } }),
  };
}
