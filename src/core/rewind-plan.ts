/**
 * Which events a rewind takes out of a history. A replay of what is left must ask for the same things in the
 * same order as before, up to the point where it asks for the failed work again.
 *
 * A failure is *open* when nothing was scheduled in the turn that was told of it, or when that turn was the last:
 * nobody reacted to it. Open failures go. A failure that the orchestrator reacted to (a retry, a compensation) stays,
 * because what it did next stands in the history. Only if no failure is open, those go that no later attempt made
 * good, with all that came of them. (docs/decisions/0004-rewind.md)
 */
import type { HistoryEvent } from '../proto/orchestrator_service_pb.ts';
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
  const facts = readFacts(turns);
  const last = turns.length - 1;
  const dropped = new Set<StoredEvent>();
  for (const { event, turn, asks } of facts) {
    // What the last turn asked for came of the failure that ended it: nobody was waiting for it any more.
    if (isEnding(event) || (asks !== undefined && turn === last)) dropped.add(event);
  }
  dropFailures(facts, last, dropped);
  dropSuspension(facts, dropped);
  dropUnanswered(facts, dropped);
  return { dropped };
}

interface Request {
  readonly id: number;
  /** The same for another attempt at the same work; `undefined` for what cannot fail. */
  readonly work: string | undefined;
}

/** One event, as far as a rewind is interested. */
interface Fact {
  readonly event: StoredEvent;
  readonly turn: number;
  /** What it asks for. */
  readonly asks: Request | undefined;
  /** The id of the task, child, timer, call or lock request that it answers. */
  readonly answers: number | undefined;
  readonly isFailure: boolean;
}

function readFacts(turns: readonly TurnEvents[]): readonly Fact[] {
  const asked: AskedOfEntities = new Map();
  return turns.flatMap((events, turn) =>
    events.map((event): Fact => {
      const isRequest = REQUESTS.has(event.type);
      const isFailure = FAILURES.has(event.type);
      const isAnswer = isFailure || SUCCESSES.has(event.type);
      const decoded = isRequest || isAnswer ? decodeEvent(event) : undefined;
      return {
        event,
        turn,
        asks: decoded && isRequest ? requestOf(decoded, asked) : undefined,
        answers: decoded && isAnswer ? answeredId(decoded, asked) : undefined,
        isFailure,
      };
    }),
  );
}

/** Event ids of calls and lock requests by the id that their answers give: a request's, or a critical section's. */
type AskedOfEntities = Map<string, number>;

function requestOf({ eventId, eventType }: HistoryEvent, asked: AskedOfEntities): Request {
  switch (eventType.case) {
    case 'entityOperationCalled': {
      const { requestId, targetInstanceId, operation, input } = eventType.value;
      asked.set(requestId, eventId);
      const work = JSON.stringify([eventType.case, targetInstanceId, operation, input]);
      return { id: eventId, work };
    }
    case 'entityLockRequested':
      asked.set(eventType.value.criticalSectionId, eventId);
      return { id: eventId, work: undefined };
    case 'taskScheduled':
    case 'subOrchestrationInstanceCreated': {
      const { name, version, input } = eventType.value;
      return { id: eventId, work: JSON.stringify([eventType.case, name, version, input]) };
    }
    default:
      return { id: eventId, work: undefined };
  }
}

function answeredId({ eventType }: HistoryEvent, asked: AskedOfEntities): number | undefined {
  switch (eventType.case) {
    case 'timerFired':
      return eventType.value.timerId;
    case 'entityOperationCompleted':
    case 'entityOperationFailed':
      return asked.get(eventType.value.requestId);
    case 'entityLockGranted':
      return asked.get(eventType.value.criticalSectionId);
    default:
      return (eventType.value as { readonly taskScheduledId: number }).taskScheduledId;
  }
}

/** The failures that the orchestrator has to be spared this time. */
function dropFailures(facts: readonly Fact[], last: number, dropped: Set<StoredEvent>): void {
  const isFruitless = isWithoutNews(facts, last);
  if (isFruitless && endedByMismatch(facts)) {
    // The history that the last rewind left does not fit the code: nothing but the beginning is certain to.
    dropFrom(facts, 0, dropped);
    return;
  }
  const failures = facts.filter(({ isFailure }) => isFailure);
  const busy = new Set(facts.flatMap(({ asks, turn }) => (asks ? [turn] : [])));
  const open = failures.filter(({ turn }) => turn === last || !busy.has(turn));
  if (open.length > 0) {
    dropWithSchedules(facts, open, dropped);
    return;
  }
  const standing = failures.find((failure) => !isMadeGood(facts, failure));
  const first = standing ?? (isFruitless ? failures[0] : undefined);
  if (first) dropFrom(facts, first.turn, dropped);
}

/** The turn after a rewind was told nothing new, and ended the orchestration all the same. */
function isWithoutNews(facts: readonly Fact[], last: number): boolean {
  const news = facts.filter(
    ({ event, turn, asks }) => turn === last && asks === undefined && !FRAME.has(event.type),
  );
  return last > 0 && news.length === 0;
}

/** Every SDK has words of its own for a history that does not fit; all speak of determinism. */
const MISMATCH = /determinis/i;

function endedByMismatch(facts: readonly Fact[]): boolean {
  const end = facts.findLast(({ event }) => event.type === EVENT_NUMBER.executionCompleted);
  const eventType = end && decodeEvent(end.event).eventType;
  const details =
    eventType?.case === 'executionCompleted' ? eventType.value.failureDetails : undefined;
  return details !== undefined && MISMATCH.test(`${details.errorType} ${details.errorMessage}`);
}

/** Another attempt at the same work, later, was a success. */
function isMadeGood(facts: readonly Fact[], failure: Fact): boolean {
  const requests = facts.flatMap(({ asks }) => (asks?.work === undefined ? [] : [asks]));
  const failed = requests.find(({ id }) => id === failure.answers);
  const attempts = new Set(
    requests.filter(({ work }) => work === failed?.work).map(({ id }) => id),
  );
  const later = facts.slice(facts.indexOf(failure));
  return later.some(
    ({ answers, isFailure }) => answers !== undefined && !isFailure && attempts.has(answers),
  );
}

/** Failures, and what asked for the activities and operations that failed. Children are rewound instead. */
function dropWithSchedules(
  facts: readonly Fact[],
  failures: readonly Fact[],
  dropped: Set<StoredEvent>,
): void {
  const failedIds = new Set<number | undefined>();
  for (const { event, answers } of failures) {
    dropped.add(event);
    if (event.type !== CHILD_FAILED) failedIds.add(answers);
  }
  for (const { event, asks } of facts) {
    if (asks && failedIds.has(asks.id)) dropped.add(event);
  }
}

/** Every failure from a turn on, everything asked for since, and the answers to that. */
function dropFrom(facts: readonly Fact[], first: number, dropped: Set<StoredEvent>): void {
  const late = facts.filter(({ turn }) => turn >= first);
  dropWithSchedules(
    facts,
    late.filter(({ isFailure }) => isFailure),
    dropped,
  );
  const lateIds = new Set<number>();
  for (const { event, asks } of late) {
    if (!asks) continue;
    dropped.add(event);
    lateIds.add(asks.id);
  }
  for (const { event, answers } of late) {
    if (answers !== undefined && lateIds.has(answers)) dropped.add(event);
  }
}

/** An instance that is rewound runs: a suspension that nobody lifted goes. */
function dropSuspension(facts: readonly Fact[], dropped: Set<StoredEvent>): void {
  const resumed = facts.findLastIndex(({ event }) => event.type === EVENT_NUMBER.executionResumed);
  for (const { event } of facts.slice(resumed + 1)) {
    if (event.type === EVENT_NUMBER.executionSuspended) dropped.add(event);
  }
}

/**
 * Activities, timers, calls and lock requests that had no answer yet when the orchestration failed: theirs will not come
 * any more, since it would be for the old execution. They are asked for again; children are joined again instead.
 */
function dropUnanswered(facts: readonly Fact[], dropped: Set<StoredEvent>): void {
  const kept = facts.filter(({ event }) => !dropped.has(event));
  const answered = new Set(kept.map(({ answers }) => answers));
  for (const { event, asks } of kept) {
    if (AWAITED.has(event.type) && !answered.has(asks?.id)) dropped.add(event);
  }
}

const CHILD_FAILED = EVENT_NUMBER.subOrchestrationInstanceFailed;

const FAILURES: ReadonlySet<number> = new Set([
  EVENT_NUMBER.taskFailed,
  EVENT_NUMBER.entityOperationFailed,
  CHILD_FAILED,
]);

const SUCCESSES: ReadonlySet<number> = new Set([
  EVENT_NUMBER.taskCompleted,
  EVENT_NUMBER.subOrchestrationInstanceCompleted,
  EVENT_NUMBER.timerFired,
  EVENT_NUMBER.entityOperationCompleted,
  EVENT_NUMBER.entityLockGranted,
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

/** Requests whose answers the scheduler makes for one execution only. */
const AWAITED: ReadonlySet<number> = new Set([
  EVENT_NUMBER.taskScheduled,
  EVENT_NUMBER.timerCreated,
  EVENT_NUMBER.entityOperationCalled,
  EVENT_NUMBER.entityLockRequested,
]);

/** What every turn may have, whatever it was told. */
const FRAME: ReadonlySet<number> = new Set([
  EVENT_NUMBER.orchestratorStarted,
  EVENT_NUMBER.executionCompleted,
  EVENT_NUMBER.executionRewound,
]);

/** How the execution ended before, and that it was rewound before. */
function isEnding({ type }: StoredEvent): boolean {
  return type === EVENT_NUMBER.executionCompleted || type === EVENT_NUMBER.executionRewound;
}
