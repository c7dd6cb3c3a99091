import { createHash } from 'node:crypto';
import { toJson } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { OrchestratorActionSchema } from '../../../src/proto/orchestrator_service_pb.ts';
import type {
  CompleteOrchestrationAction,
  CreateTimerAction,
  HistoryEvent,
  OrchestratorAction,
  SendEntityMessageAction,
  SendEventAction,
} from '../../../src/proto/orchestrator_service_pb.ts';
import { ClassicOrchestrationContext } from '../../../src/replay/classic-context.ts';
import type { LockingValues } from '../../../src/replay/classic-entities.ts';
import { CoreOrchestrationContext } from '../../../src/replay/core-context.ts';
import { TaskFailedError } from '../../../src/replay/errors.ts';
import { OrchestratorSession } from '../../../src/replay/session.ts';
import type { OrchestratorOptions, TurnResult } from '../../../src/replay/session.ts';

import { START_AT, turnStarted } from './events.ts';

export interface ClassicContext {
  readonly df: ClassicOrchestrationContext;
}
export type ClassicHandler = (context: ClassicContext, input: unknown) => unknown;
export type CoreHandler = (context: CoreOrchestrationContext, input: unknown) => unknown;

/** The rule that was broken, as the classic style says it. */
export class LockingViolation extends Error {
  override readonly name = 'LockingViolation';
}

/** What the extension makes of durable-functions, in its simplest form. */
export const locking: LockingValues = {
  createLock: (ownedLocks, release) => ({ ownedLocks, release }),
  createLockState: (isLocked, ownedLocks) => ({ isLocked, ownedLocks }),
  createViolation: (message) => new LockingViolation(message),
};

export const IDS = { instanceId: 'instance-1', executionId: '0123456789abcdef0123456789abcdef' };

const shared: Omit<OrchestratorOptions, 'handler' | 'scheduling' | 'createContext'> = {
  name: 'Test',
  createFailure: ({ kind, taskId, details }) => {
    const what = kind === 'activity' ? 'Activity task' : 'Sub-orchestration task';
    return new TaskFailedError(`${what} #${taskId} failed: ${details.errorMessage}`, details);
  },
  sha1: (data) => createHash('sha1').update(data).digest(),
  delay: () => Promise.resolve(),
  limits: { actionsMax: 1000, nonDurableWaitMs: 5000 },
};

export function classicOptions(
  handler: ClassicHandler,
  overrides: Partial<OrchestratorOptions> = {},
): OrchestratorOptions {
  return {
    ...shared,
    handler,
    scheduling: 'lazy',
    createContext: (engine) => ({
      df: new ClassicOrchestrationContext(engine, { defaultVersion: undefined, locking }),
    }),
    ...overrides,
  };
}

export function coreOptions(
  handler: CoreHandler,
  overrides: Partial<OrchestratorOptions> = {},
): OrchestratorOptions {
  return {
    ...shared,
    handler,
    scheduling: 'eager',
    createContext: (engine) => new CoreOrchestrationContext(engine),
    ...overrides,
  };
}

export function classic(
  handler: ClassicHandler,
  overrides?: Partial<OrchestratorOptions>,
): OrchestratorSession {
  return new OrchestratorSession(classicOptions(handler, overrides), IDS);
}

export function core(
  handler: CoreHandler,
  overrides?: Partial<OrchestratorOptions>,
): OrchestratorSession {
  return new OrchestratorSession(coreOptions(handler, overrides), IDS);
}

/** The turn's result when the orchestrator is known to be synchronous. */
export function now(result: TurnResult | Promise<TurnResult>): TurnResult {
  if (result instanceof Promise) throw new Error('the turn was expected to be synchronous');
  return result;
}

/** A turn of a live (or new) session on these events, at one time. */
export function live(
  session: OrchestratorSession,
  ...newEvents: readonly HistoryEvent[]
): TurnResult {
  return now(session.turn({ pastEvents: [], newEvents: [turnStarted(), ...newEvents] }));
}

/** The same for async orchestrators. */
export async function liveLater(
  session: OrchestratorSession,
  ...newEvents: readonly HistoryEvent[]
): Promise<TurnResult> {
  return session.turn({ pastEvents: [], newEvents: [turnStarted(), ...newEvents] });
}

/** Actions as short lines, for assertions that people can read. */
export function lines(actions: readonly OrchestratorAction[]): string[] {
  return actions.map(line);
}

function line({ id, orchestratorActionType: type }: OrchestratorAction): string {
  switch (type.case) {
    case 'scheduleTask':
      return `${id} activity ${type.value.name}(${type.value.input ?? ''})`;
    case 'createSubOrchestration':
      return `${id} child ${type.value.name}(${type.value.input ?? ''}) ${type.value.instanceId}`;
    case 'createTimer':
      return `${id} timer ${secondsAfterStart(type.value)}`;
    case 'sendEvent':
      return `${id} event ${type.value.name}(${type.value.data ?? ''}) to ${targetOf(type.value)}`;
    case 'completeOrchestration':
      return `${id} ${endingOf(type.value)}`.trimEnd();
    case 'sendEntityMessage':
      return `${id} ${entityLine(type.value)}`;
    default:
      return `${id} ${type.case ?? '?'}`;
  }
}

function entityLine({ EntityMessageType: message }: SendEntityMessageAction): string {
  switch (message.case) {
    case 'entityOperationCalled':
    case 'entityOperationSignaled': {
      const { operation, input = '', targetInstanceId = '?', scheduledTime } = message.value;
      const verb = message.case === 'entityOperationCalled' ? 'call' : 'signal';
      const at = scheduledTime === undefined ? '' : ` at ${timestampMs(scheduledTime) - START_AT}`;
      return `${verb} ${targetInstanceId} ${operation}(${input})${at}`;
    }
    case 'entityLockRequested':
      return `lock ${message.value.lockSet.join(' ')}`;
    case 'entityUnlockSent':
      return `unlock ${message.value.targetInstanceId ?? '?'}`;
    default:
      return '?';
  }
}

function secondsAfterStart({ fireAt }: CreateTimerAction): string {
  return fireAt === undefined ? '?' : `+${(timestampMs(fireAt) - START_AT) / 1000}s`;
}

function targetOf({ instance }: SendEventAction): string {
  return instance?.instanceId ?? '?';
}

function endingOf(completion: CompleteOrchestrationAction): string {
  const { orchestrationStatus, result, failureDetails } = completion;
  const words = ['?', 'completed', 'continued', 'failed', '?', 'terminated'];
  const status = words[orchestrationStatus] ?? '?';
  if (failureDetails === undefined) return `${status} ${result ?? ''}`;
  return `${status} ${failureDetails.errorType}: ${failureDetails.errorMessage}`;
}

/** Actions as plain data, to compare runs. */
export function plain(actions: readonly OrchestratorAction[]): unknown[] {
  return actions.map((action) => toJson(OrchestratorActionSchema, action));
}
