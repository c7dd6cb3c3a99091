/**
 * Which events a rewind takes out of a history. A replay of what is left must ask for the same things in the
 * same order as before, up to the point where it asks for the failed work again.
 *
 * A failure is *open* when nothing was scheduled in the turn that was told of it, or when that turn was the last:
 * nobody reacted to it. Open failures go. A failure that the orchestrator reacted to (a retry, a compensation) stays,
 * because what it did next stands in the history. Only if no failure is open, all go, with all that came of them.
 * (docs/decisions/0004-rewind.md)
 */
import { decodeEvent, EVENT_NUMBER, type StoredEvent } from '../wire/events.ts';

export interface RewindPlan {
  readonly dropped: ReadonlySet<StoredEvent>;
}

/** The events between two `orchestratorStarted`. */
export type TurnEvents = readonly StoredEvent[];

export function splitTurns(events: readonly StoredEvent[]): readonly TurnEvents[] {
  const turns: StoredEvent[][] = [];
  for (const event of events) {
    const current = turns.at(-1);
    if (!current || event.type === EVENT_NUMBER.orchestratorStarted) turns.push([event]);
    else current.push(event);
  }
  return turns;
}

export function planRewind(turns: readonly TurnEvents[]): RewindPlan {
  const last = turns.length - 1;
  const withFailures = turns.flatMap((turn, index) => (turn.some(isFailure) ? [index] : []));
  const open = withFailures.filter(
    (index) => index === last || !turns[index]?.some((event) => isRequest(event)),
  );
  const dropped = new Set<StoredEvent>();
  for (const event of turns.flat()) if (isEnding(event)) dropped.add(event);
  // What the last turn asked for came of the failure that ended it: nobody was waiting for it any more.
  for (const event of turns[last] ?? []) if (isRequest(event)) dropped.add(event);
  if (open.length > 0) {
    dropFailures(turns, new Set(open), dropped);
  } else {
    const first = withFailures[0];
    if (first !== undefined) dropFrom(turns, first, dropped);
  }
  return { dropped };
}

/** The failures of these turns, and the schedules of the activities that failed. Children are rewound instead. */
function dropFailures(
  turns: readonly TurnEvents[],
  chosen: ReadonlySet<number>,
  dropped: Set<StoredEvent>,
): void {
  const failedIds = new Set<number>();
  for (const [index, turn] of turns.entries()) {
    if (!chosen.has(index)) continue;
    for (const event of turn.filter(isFailure)) {
      dropped.add(event);
      const { eventType } = decodeEvent(event);
      if (eventType.case === 'taskFailed') failedIds.add(eventType.value.taskScheduledId);
    }
  }
  for (const event of turns.flat()) {
    const isScheduled = event.type === EVENT_NUMBER.taskScheduled;
    if (isScheduled && failedIds.has(decodeEvent(event).eventId)) dropped.add(event);
  }
}

/** Every failure, everything asked for since the first of them, and the answers to that. */
function dropFrom(turns: readonly TurnEvents[], first: number, dropped: Set<StoredEvent>): void {
  const all = new Set(turns.keys());
  dropFailures(turns, all, dropped);
  const lateIds = new Set<number>();
  for (const [index, turn] of turns.entries()) {
    if (index < first) continue;
    for (const event of turn) {
      if (!isRequest(event)) continue;
      dropped.add(event);
      lateIds.add(decodeEvent(event).eventId);
    }
  }
  for (const event of turns.flat()) {
    const id = answeredId(event);
    if (id !== undefined && lateIds.has(id)) dropped.add(event);
  }
}

/** The id of the task, child or timer that an event answers. */
function answeredId(event: StoredEvent): number | undefined {
  if (!ANSWERS.has(event.type)) return undefined;
  const { eventType } = decodeEvent(event);
  if (eventType.case === 'timerFired') return eventType.value.timerId;
  const value = eventType.value as { readonly taskScheduledId: number };
  return value.taskScheduledId;
}

const ANSWERS: ReadonlySet<number> = new Set([
  EVENT_NUMBER.taskCompleted,
  EVENT_NUMBER.taskFailed,
  EVENT_NUMBER.subOrchestrationInstanceCompleted,
  EVENT_NUMBER.subOrchestrationInstanceFailed,
  EVENT_NUMBER.timerFired,
]);

const REQUESTS: ReadonlySet<number> = new Set([
  EVENT_NUMBER.taskScheduled,
  EVENT_NUMBER.subOrchestrationInstanceCreated,
  EVENT_NUMBER.timerCreated,
  EVENT_NUMBER.eventSent,
  EVENT_NUMBER.entityOperationSignaled,
  EVENT_NUMBER.entityOperationCalled,
  EVENT_NUMBER.entityLockRequested,
  EVENT_NUMBER.entityUnlockSent,
]);

function isRequest({ type }: StoredEvent): boolean {
  return REQUESTS.has(type);
}

function isFailure({ type }: StoredEvent): boolean {
  return type === EVENT_NUMBER.taskFailed || type === EVENT_NUMBER.subOrchestrationInstanceFailed;
}

/** How the execution ended before, and that it was rewound before. */
function isEnding({ type }: StoredEvent): boolean {
  return type === EVENT_NUMBER.executionCompleted || type === EVENT_NUMBER.executionRewound;
}
