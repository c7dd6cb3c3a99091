/**
 * Rewind, server-side: the history of a failed orchestration without its failures, so that an ordinary turn
 * of any SDK runs them again (wire-protocol 6).
 *
 *   history of a FAILED execution  →  history of a new execution, and the children it still waits for
 */
import {
  OrchestrationStatus,
  type ExecutionStartedEvent,
  type HistoryEvent,
  type SubOrchestrationInstanceCreatedEvent,
} from '../proto/orchestrator_service_pb.ts';
import {
  decodeEvent,
  encodeEvent,
  EVENT_NUMBER,
  storeEvent,
  type StoredEvent,
} from '../wire/events.ts';
import { TaskHubError } from './errors.ts';
import { isTerminal, statusName, type RuntimeStatus } from './instance.ts';
import { optional } from './optional.ts';
import { planRewind, splitTurns } from './rewind-plan.ts';

export interface RewindOptions {
  readonly executionId: string;
  readonly reason: string | undefined;
  /** Epoch ms. */
  readonly now: number;
  /** The parent's new execution, when the rewind came down from there. */
  readonly parentExecutionId: string | undefined;
}

/** A child that the history has started and not yet seen end. */
export interface OpenChild {
  readonly taskId: number;
  readonly created: SubOrchestrationInstanceCreatedEvent;
}

export interface Rewound {
  readonly history: readonly StoredEvent[];
  /** `executionRewound`, for readers of the history; never for a worker. */
  readonly marker: StoredEvent;
  readonly started: ExecutionStartedEvent;
  readonly openChildren: readonly OpenChild[];
}

/** WRONG_STATE unless the instance has failed. */
export function assertRewindable(instanceId: string, status: RuntimeStatus): void {
  if (status === OrchestrationStatus.FAILED) return;
  const advice = isTerminal(status) ? 'restart it instead' : 'it is still running';
  throw new TaskHubError(
    'WRONG_STATE',
    `Rewind does not allow instance '${instanceId}' in state ${statusName(status)}: only FAILED orchestrations can be rewound; ${advice}`,
  );
}

export function rewindHistory(events: readonly StoredEvent[], options: RewindOptions): Rewound {
  const plan = planRewind(splitTurns(events));
  let started: ExecutionStartedEvent | undefined;
  const history: StoredEvent[] = [];
  for (const event of events) {
    if (plan.dropped.has(event)) continue;
    const decoded = event.type === EVENT_NUMBER.executionStarted ? decodeEvent(event) : undefined;
    if (decoded?.eventType.case === 'executionStarted') {
      started = decoded.eventType.value;
      renewStarted(started, options);
    }
    history.push(decoded ? storeEvent(decoded) : event);
  }
  if (!started) {
    throw new TaskHubError('WRONG_STATE', 'the history has no executionStarted to rewind to');
  }
  return { history, marker: marker(options), started, openChildren: openChildren(history) };
}

function renewStarted(
  started: ExecutionStartedEvent,
  { executionId, parentExecutionId }: RewindOptions,
): void {
  if (started.orchestrationInstance) started.orchestrationInstance.executionId = executionId;
  const parent = started.parentInstance?.orchestrationInstance;
  if (parent && parentExecutionId !== undefined) parent.executionId = parentExecutionId;
}

function marker({ reason, now, parentExecutionId }: RewindOptions): StoredEvent {
  return encodeEvent({
    eventType: {
      case: 'executionRewound',
      value: { ...optional('reason', reason), ...optional('parentExecutionId', parentExecutionId) },
    },
    at: now,
  });
}

function openChildren(history: readonly StoredEvent[]): readonly OpenChild[] {
  const open = new Map<number, OpenChild>();
  for (const stored of history) {
    if (!CHILD_EVENTS.has(stored.type)) continue;
    const { eventId, eventType } = decodeEvent(stored);
    if (eventType.case === 'subOrchestrationInstanceCreated') {
      open.set(eventId, { taskId: eventId, created: eventType.value });
    } else {
      // A failure that is still here is one that the orchestrator went on from.
      open.delete((eventType.value as { readonly taskScheduledId: number }).taskScheduledId);
    }
  }
  return [...open.values()];
}

const CHILD_EVENTS: ReadonlySet<number> = new Set([
  EVENT_NUMBER.subOrchestrationInstanceCreated,
  EVENT_NUMBER.subOrchestrationInstanceCompleted,
  EVENT_NUMBER.subOrchestrationInstanceFailed,
]);

/** The rewritten history that a worker sends with its own rewind (proto: RewindOrchestrationAction). */
export interface Adopted {
  readonly history: readonly StoredEvent[];
  /** `executionRewound` events, for readers of the history; never for a worker. */
  readonly markers: readonly StoredEvent[];
  readonly executionId: string | undefined;
  readonly openChildren: readonly OpenChild[];
}

/** `undefined` when the history has no `executionStarted`: no worker could run it. */
export function adoptHistory(newHistory: readonly HistoryEvent[]): Adopted | undefined {
  const started = newHistory.find(({ eventType }) => eventType.case === 'executionStarted');
  if (started?.eventType.case !== 'executionStarted') return undefined;
  const events = newHistory.filter(({ eventType }) => eventType.case !== undefined).map(storeEvent);
  const history = events.filter(
    ({ type }) =>
      type !== EVENT_NUMBER.executionRewound && type !== EVENT_NUMBER.executionCompleted,
  );
  return {
    history,
    markers: events.filter(({ type }) => type === EVENT_NUMBER.executionRewound),
    executionId: started.eventType.value.orchestrationInstance?.executionId || undefined,
    openChildren: openChildren(history),
  };
}
