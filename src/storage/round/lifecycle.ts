/** How instances begin and end in a round, whatever commit leads to it. */
import { parentEvent } from '../../core/parent-event.ts';
import { failure, terminatedFailure } from '../../core/failures.ts';
import { OrchestrationStatus } from '../../proto/orchestrator_service_pb.ts';
import {
  decodeEvent,
  encodeEvent,
  EVENT_FIELD,
  EVENT_NUMBER,
  frameEvents,
  stampEvent,
  type StoredEvent,
} from '../../wire/events.ts';
import { KIND } from '../sql/rows.ts';
import { isEntity, releaseLocks } from './entity.ts';
import { newRows, type NewInstance } from './new-rows.ts';
import { admitPause } from './pause.ts';
import type { Entry, RoundState } from './state.ts';

/** One history row holds at most about this much, so that reading history streams. */
const CHUNK_BYTES = 256 * 1024;

/** Creates a PENDING instance whose first event waits in its inbox until it is due. */
export function createInstance(state: RoundState, fresh: NewInstance): Entry {
  const { now } = state.env;
  const { hub } = fresh;
  const type = state.type({
    hub,
    kind: KIND.orchestration,
    name: fresh.name,
    version: fresh.version,
  });
  const rid = state.env.nextId();
  const isScheduled = fresh.scheduledAt !== undefined && fresh.scheduledAt > now;
  const scheduledAt = isScheduled ? fresh.scheduledAt : null;
  const rows = newRows(fresh, { rid, type, now, scheduledAt });
  const entry = state.create(rows.instance, rows.run);
  if (scheduledAt !== null) state.makeReady(entry, scheduledAt);
  state.deliver(entry, fresh.started);
  state.noteChange(entry);
  return entry;
}

/** Appends a turn's events to the history, in chunks. `executionStarted` is always in the first: reads look there. */
export function appendHistory(entry: Entry, events: readonly StoredEvent[]): void {
  const { run } = entry;
  if (!run || events.length === 0) return;
  let part: StoredEvent[] = [];
  let bytes = 0;
  const flush = (): void => {
    const framed = frameEvents(part, EVENT_FIELD.past);
    entry.chunks.push({ chunk: run.next_chunk, hidden: 0, bytes: framed });
    run.next_chunk += 1;
    run.history_bytes += framed.length;
    part = [];
    bytes = 0;
  };
  for (const event of events) {
    const isFull = part.length > 0 && bytes + event.bytes.length > CHUNK_BYTES;
    if (isFull && event.type !== EVENT_NUMBER.executionStarted) flush();
    part.push(event);
    bytes += event.bytes.length;
  }
  flush();
}

export interface End {
  readonly status: OrchestrationStatus;
  readonly errorType: string | undefined;
  readonly errorMessage: string | undefined;
  readonly parentEvent: StoredEvent | undefined;
  readonly childEvent: StoredEvent | undefined;
}

/** The first characters of an error message are kept for lists; the whole is in the history. */
const ERROR_MESSAGE_LENGTH = 500;

/** Ends an execution: no run, no inbox, no timers; parent and children are told. */
export function endRun(state: RoundState, entry: Entry, end: End): void {
  const { run, instance } = entry;
  if (!run) return;
  const { now } = state.env;
  instance.completed_at = now;
  instance.updated_at = now;
  instance.error_type = end.errorType ?? null;
  instance.error_message = end.errorMessage?.slice(0, ERROR_MESSAGE_LENGTH) ?? null;
  instance.first_chunk = run.first_chunk;
  instance.last_chunk = run.next_chunk - 1;
  entry.instanceChanged = true;
  releaseLocks(state, entry);
  if (end.parentEvent) notifyParent(state, entry, end.parentEvent);
  if (end.childEvent) terminateChildren(state, entry, end.childEvent);
  entry.run = undefined;
  entry.appended = [];
  state.readyEntries.delete(entry);
  state.setStatus(entry, end.status);
}

/** Only a parent that is still in the execution that started this child waits for it. */
export function notifyParent(state: RoundState, entry: Entry, event: StoredEvent): void {
  const { run, instance } = entry;
  if (!run || run.parent_rid === null) return;
  const parent = state.byRid(instance.hub, run.parent_rid);
  if (parent?.run && parent.run.exec === run.parent_exec) state.deliver(parent, event);
}

function terminateChildren(state: RoundState, entry: Entry, event: StoredEvent): void {
  for (const child of state.children(entry)) {
    if (child.run && child.run.parent_exec === entry.run?.exec) deliverOrEnd(state, child, event);
  }
}

/** Delivers an event; a terminate ends an instance that no worker has been handed at once. */
export function deliverOrEnd(state: RoundState, entry: Entry, event: StoredEvent): void {
  const { run } = entry;
  // What is for orchestrations does not concern an entity.
  if (!run || isEntity(entry)) return;
  const isUntouched = run.read_seq === 0 && run.token === null;
  if (event.type === EVENT_NUMBER.executionTerminated && isUntouched) {
    terminateNow(state, entry, event);
  } else if (admitPause(run, event)) {
    state.deliver(entry, event);
  }
}

/** Ends an execution as TERMINATED without its worker; what is in flight becomes stale. */
export function terminateNow(state: RoundState, entry: Entry, event: StoredEvent): void {
  const { run } = entry;
  if (!run) return;
  const { now } = state.env;
  const terminated = stampEvent(event, now);
  const { eventType } = decodeEvent(terminated);
  const isTermination = eventType.case === 'executionTerminated';
  const reason = isTermination ? eventType.value.input : undefined;
  const completed = encodeEvent({
    eventType: {
      case: 'executionCompleted',
      value: {
        orchestrationStatus: OrchestrationStatus.TERMINATED,
        ...(reason !== undefined && { result: reason }),
      },
    },
    at: now,
  });
  // A rewound run may have children although nobody was handed it.
  const hasHistory = run.next_chunk > run.first_chunk;
  const started = hasHistory ? [] : waitingStart(state, entry);
  appendHistory(entry, [...started, terminated, completed]);
  const details = terminatedFailure(reason);
  endRun(state, entry, {
    status: OrchestrationStatus.TERMINATED,
    errorType: details.errorType,
    errorMessage: details.errorMessage,
    parentEvent: parentEvent(run.parent_task ?? 0, undefined, details),
    childEvent: hasHistory && isTermination && eventType.value.recurse ? event : undefined,
  });
}

/** The `executionStarted` of a generation whose first turn was never committed. */
function waitingStart(state: RoundState, entry: Entry): readonly StoredEvent[] {
  const isStart = ({ type }: StoredEvent): boolean => type === EVENT_NUMBER.executionStarted;
  const fresh = entry.appended.find(isStart);
  const stored = fresh ?? (entry.isNew ? undefined : state.consumed(entry).find(isStart));
  return stored ? [stored] : [];
}

/** A live instance gives way to a start with its id: its parent learns that it will never end. */
export function replaceInstance(state: RoundState, entry: Entry): void {
  const { run } = entry;
  if (run && run.parent_task !== null) {
    const details = failure(
      'OrchestrationReplaced',
      `The orchestration '${entry.instance.id}' was replaced by another one with the same id.`,
    );
    notifyParent(state, entry, parentEvent(run.parent_task, undefined, details));
  }
  releaseLocks(state, entry);
  state.remove(entry);
}
