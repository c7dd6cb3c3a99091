import { createHash } from 'node:crypto';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { systemClock } from '../base/clock.ts';
import { orchestratorStyle } from '../functions/orchestrator-style.ts';
import type {
  CompleteOrchestrationAction,
  HistoryEvent,
  OrchestratorAction,
  SendEntityMessageAction,
} from '../proto/orchestrator_service_pb.ts';
import { decodePayload } from '../replay/json.ts';
import type { OrchestratorOptions } from '../replay/options.ts';
import { OrchestratorSession } from '../replay/session.ts';
import type { TestOrchestrator } from './test-hub.ts';

/** Something that an orchestrator asks for beyond what its history holds. */
export type Request =
  | { readonly kind: 'activity'; readonly name: string; readonly input: unknown }
  | {
      readonly kind: 'subOrchestration';
      readonly name: string;
      readonly instanceId: string;
      readonly input: unknown;
    }
  | { readonly kind: 'timer'; readonly fireAt: Date }
  | {
      readonly kind: 'event';
      readonly name: string;
      readonly instanceId: string;
      readonly data: unknown;
    }
  | {
      readonly kind: 'entityCall' | 'entitySignal';
      readonly entityId: string;
      readonly operation: string;
      readonly input: unknown;
    }
  | { readonly kind: 'lock'; readonly entityIds: readonly string[] }
  | { readonly kind: 'unlock'; readonly entityId: string };

/** Where an orchestrator stands at the end of a history. */
export interface ReplayResult {
  readonly isComplete: boolean;
  /** What it returned. */
  readonly output: unknown;
  /** Why it failed; `NonDeterminismError` when the history is not that of this code. */
  readonly failure: { readonly errorType: string; readonly message: string } | undefined;
  readonly customStatus: unknown;
  /** In the order of the code. */
  readonly requests: readonly Request[];
}

export interface ReplayOptions {
  /** The orchestration's own id. Default `instance`. */
  readonly instanceId?: string | undefined;
}

const LIMITS = { actionsMax: 100_000, nonDurableWaitMs: 1_000 };

/**
 * Runs an orchestrator over a history, recorded (`client.getOrchestrationHistory`) or built (`history()`),
 * and says where it stands then. Holds changed code to the histories of instances that are under way.
 */
export async function replayOrchestrator(
  orchestrator: TestOrchestrator,
  events: readonly HistoryEvent[],
  { instanceId = 'instance' }: ReplayOptions = {},
): Promise<ReplayResult> {
  const name = orchestrator.name;
  const options: OrchestratorOptions = {
    ...orchestratorStyle({ name, defaultVersion: undefined }),
    name,
    handler: orchestrator as OrchestratorOptions['handler'],
    sha1: (data) => createHash('sha1').update(data).digest(),
    delay: (ms, signal) => systemClock.sleepUntil(systemClock.now() + ms, { signal }),
    limits: LIMITS,
  };
  const session = new OrchestratorSession(options, { instanceId, executionId: 'execution' });
  const turn = await session.turn({ pastEvents: [], newEvents: events });
  const end = completionOf(turn.actions);
  const failure = end?.failureDetails;
  return {
    isComplete: turn.isComplete,
    output: decode(end?.result),
    failure: failure && { errorType: failure.errorType, message: failure.errorMessage },
    customStatus: decode(turn.customStatus),
    requests: turn.actions.flatMap(readRequest),
  };
}

function completionOf(
  actions: readonly OrchestratorAction[],
): CompleteOrchestrationAction | undefined {
  const last = actions.at(-1)?.orchestratorActionType;
  return last?.case === 'completeOrchestration' ? last.value : undefined;
}

function readRequest({ orchestratorActionType: type }: OrchestratorAction): Request[] {
  switch (type.case) {
    case 'scheduleTask':
      return [{ kind: 'activity', name: type.value.name, input: decode(type.value.input) }];
    case 'createSubOrchestration': {
      const { name, instanceId, input } = type.value;
      return [{ kind: 'subOrchestration', name, instanceId, input: decode(input) }];
    }
    case 'createTimer': {
      const { fireAt } = type.value;
      return fireAt === undefined ? [] : [{ kind: 'timer', fireAt: timestampDate(fireAt) }];
    }
    case 'sendEvent': {
      const { name, instance, data } = type.value;
      const instanceId = instance?.instanceId ?? '';
      return [{ kind: 'event', name, instanceId, data: decode(data) }];
    }
    case 'sendEntityMessage':
      return readMessage(type.value);
    default:
      return [];
  }
}

function readMessage({ EntityMessageType: message }: SendEntityMessageAction): Request[] {
  switch (message.case) {
    case 'entityOperationCalled':
    case 'entityOperationSignaled': {
      const { operation, input, targetInstanceId: entityId = '' } = message.value;
      const kind = message.case === 'entityOperationCalled' ? 'entityCall' : 'entitySignal';
      return [{ kind, entityId, operation, input: decode(input) }];
    }
    case 'entityLockRequested':
      return [{ kind: 'lock', entityIds: message.value.lockSet }];
    case 'entityUnlockSent':
      return [{ kind: 'unlock', entityId: message.value.targetInstanceId ?? '' }];
    default:
      return [];
  }
}

function decode(text: string | undefined): unknown {
  return decodePayload(text, 'A payload');
}
