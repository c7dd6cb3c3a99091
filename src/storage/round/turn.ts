/** The commit of an orchestration turn: fence, decide, and spread the decision over the rows. */
import type { Decision } from '../../core/decision.ts';
import { failure } from '../../core/failures.ts';
import { isTerminal } from '../../core/instance.ts';
import { decideOrchestration, type Turn } from '../../core/orchestration.ts';
import { parentEvent } from '../../core/parent-event.ts';
import type { ChildToStart, Continuation } from '../../core/decision.ts';
import type { OrchestrationStatus } from '../../proto/orchestrator_service_pb.ts';
import { type ExecutionStartedEvent } from '../../proto/orchestrator_service_pb.ts';
import {
  decodeEvent,
  EVENT_NUMBER,
  eventTypeOf,
  stampEvent,
  unframeEvents,
} from '../../wire/events.ts';
import { KIND, type InboxRow, type RunRow } from '../sql/rows.ts';
import type { Outcome, TurnCommit } from '../store.ts';
import { parseToken } from './keys.ts';
import { lookAtTarget, releaseLocks, sendToEntity } from './entity.ts';
import {
  appendHistory,
  createInstance,
  deliverOrEnd,
  endRun,
  replaceInstance,
} from './lifecycle.ts';
import { leaseLost, OK, type ApplyContext } from './outcomes.ts';
import { commitPause, isSuspended } from './pause.ts';
import { WAKE_UP, type Entry, type RoundState } from './state.ts';

export function applyTurn(state: RoundState, commit: TurnCommit, context: ApplyContext): Outcome {
  const rows = parseToken(commit.token, 'orchestration');
  const entry = rows && state.byRid(context.hub, rows.rid);
  const run = entry?.run;
  if (!entry || run?.token !== commit.token) return { ok: false, error: leaseLost(commit.token) };
  if (commit.requiresHistory) {
    release(run);
    state.makeReady(entry, state.env.now);
    return OK;
  }
  const handed = state.consumed(entry);
  const events = handed.filter(({ type }) => type !== WAKE_UP);
  const count = commit.eventsProcessed === undefined ? events.length : commit.eventsProcessed - 1;
  const consumed = events.slice(0, Math.max(count, 0));
  const upto = consumed.length === events.length ? handed.at(-1) : consumed.at(-1);
  const decision = decideOrchestration(turnOf(state, entry, run, consumed), commit, {
    now: state.env.now,
    newExecutionId: state.env.random,
    limits: context.limits,
  });
  prepare(state, entry, decision);
  commitTurn(state, { entry, run, commit, readSeq: upto?.seq ?? run.read_seq, decision });
  return OK;
}

/** Looks at every row that the decision touches before anything changes: a missing one restarts the round. */
function prepare(state: RoundState, entry: Entry, decision: Decision): void {
  const { hub } = entry.instance;
  state.lookAtAll([
    ...decision.activities.map(
      ({ name, version }) =>
        () =>
          state.type({ hub, kind: KIND.activity, name, version }),
    ),
    ...decision.children.map(({ name, version, instanceId }) => () => {
      state.type({ hub, kind: KIND.orchestration, name, version });
      state.byId(hub, instanceId);
    }),
    ...decision.messages.map(
      ({ instanceId }) =>
        () =>
          state.byId(hub, instanceId),
    ),
    ...decision.entityMessages.map((message) => () => {
      lookAtTarget(state, hub, message, entry.run?.execution_id);
    }),
  ]);
}

function turnOf(state: RoundState, entry: Entry, run: RunRow, consumed: readonly InboxRow[]): Turn {
  const { name, version } = state.typeKey(run.type);
  return {
    instanceId: entry.instance.id,
    executionId: run.execution_id,
    name,
    version,
    dispatchedAt: run.dispatched_at,
    consumed,
    isSuspended: isSuspended(run),
    parentTaskId: run.parent_task ?? undefined,
    started: () => readStarted(state, entry, consumed),
  };
}

/** `executionStarted` of this generation: in the first turn's inbox, or in the first history chunk. */
function readStarted(
  state: RoundState,
  entry: Entry,
  consumed: readonly InboxRow[],
): ExecutionStartedEvent {
  const inInbox = consumed.find(({ type }) => type === EVENT_NUMBER.executionStarted);
  const stored = inInbox?.bytes ?? findStarted(state.firstChunk(entry));
  const event = stored && decodeEvent({ type: EVENT_NUMBER.executionStarted, bytes: stored });
  if (event?.eventType.case !== 'executionStarted') {
    throw new Error(`instance ${entry.instance.id} has no executionStarted in its history`);
  }
  return event.eventType.value;
}

export function findStarted(chunk: Uint8Array | undefined): Uint8Array | undefined {
  if (!chunk) return undefined;
  for (const bytes of unframeEvents(chunk)) {
    if (eventTypeOf(bytes) === EVENT_NUMBER.executionStarted) return bytes;
  }
  return undefined;
}

/** The lease is over; the run waits for what comes next. */
export function release(run: RunRow): void {
  run.token = null;
  run.attempts = 0;
  run.abandons = 0;
  run.ready_at = null;
}

interface TurnResult {
  readonly entry: Entry;
  readonly run: RunRow;
  readonly commit: TurnCommit;
  /** The last inbox row that the turn consumed. */
  readonly readSeq: number;
  readonly decision: Decision;
}

function commitTurn(
  state: RoundState,
  { entry, run, commit, readSeq, decision }: TurnResult,
): void {
  const { now } = state.env;
  release(run);
  run.read_seq = readSeq;
  run.updated_at = now;
  run.trace = commit.traceContext ?? null;
  const hasMore = run.next_seq > readSeq + 1;
  commitPause(run, { isSuspended: decision.isSuspended, hasMore });
  entry.consumedUpto = run.read_seq;
  appendHistory(entry, decision.history);
  setCustomStatus(entry, decision);
  spread(state, entry, run, decision);
  if (decision.completion) {
    endRun(state, entry, decision.completion);
    return;
  }
  if (decision.continuation) continueAsNew(state, entry, run, decision.continuation);
  state.setStatus(entry, decision.status);
  if (run.next_seq > run.read_seq + 1) state.makeReady(entry, now);
}

function setCustomStatus(entry: Entry, { customStatus }: Decision): void {
  if ('keep' in customStatus) return;
  const value = customStatus.value ?? null;
  if (entry.instance.custom_status === value) return;
  entry.instance.custom_status = value;
  entry.instanceChanged = true;
}

/** Activities, timers, children and messages of a decision become rows. */
function spread(state: RoundState, entry: Entry, run: RunRow, decision: Decision): void {
  const { hub, rid } = entry.instance;
  const isLast = decision.completion !== undefined || decision.continuation !== undefined;
  for (const { name, version, taskId, request } of decision.activities) {
    state.addActivity({
      hub,
      aid: state.env.nextId(),
      rid,
      exec: run.exec,
      type: state.type({ hub, kind: KIND.activity, name, version }),
      task: taskId,
      token: null,
      node: 0,
      attempts: 0,
      abandons: 0,
      ready_at: state.env.now,
      detached: isLast ? 1 : 0,
      bytes: request,
    });
  }
  for (const { dueAt, fired } of decision.timers) {
    const tid = state.env.nextId();
    state.timers.push({ hub, tid, rid, exec: run.exec, due_at: dueAt, bytes: fired.bytes });
  }
  for (const child of decision.children) startChild(state, entry, run, child);
  for (const { instanceId, event } of decision.messages) {
    const target = state.byId(hub, instanceId);
    if (target) deliverOrEnd(state, target, event);
  }
  for (const message of decision.entityMessages) sendToEntity(state, hub, message, entry);
}

/** A child's id may be that of an ended instance (retries use it again), but not of a live one. */
function startChild(state: RoundState, parent: Entry, run: RunRow, child: ChildToStart): void {
  const { hub } = parent.instance;
  const existing = state.byId(hub, child.instanceId);
  if (existing?.run && isSameChild(existing.run, parent, child.taskId)) {
    relinkChild(existing, run.exec);
    return;
  }
  if (existing && !isTerminal(existing.instance.status as OrchestrationStatus)) {
    const details = failure(
      'OrchestrationAlreadyExists',
      `An Orchestration instance with the ID ${child.instanceId} already exists.`,
    );
    state.deliver(parent, parentEvent(child.taskId, undefined, details));
    return;
  }
  if (existing) replaceInstance(state, existing);
  createInstance(state, {
    ...child,
    hub,
    scheduledAt: undefined,
    parent: { entry: parent, exec: run.exec, taskId: child.taskId },
  });
}

/** The live instance is this very child: asked for once more by a turn that was rewound or applied again. */
export function isSameChild(child: RunRow, parent: Entry, taskId: number): boolean {
  return child.parent_rid === parent.instance.rid && child.parent_task === taskId;
}

/** The child reports to the parent's execution of now. */
export function relinkChild(child: Entry, exec: number): void {
  if (!child.run) return;
  child.run.parent_exec = exec;
  child.instance.parent_exec = exec;
  child.instanceChanged = true;
}

/** Events that answer something the old generation asked for; the new one never asked. */
const ANSWERS: ReadonlySet<number> = new Set([
  EVENT_NUMBER.taskCompleted,
  EVENT_NUMBER.taskFailed,
  EVENT_NUMBER.subOrchestrationInstanceCompleted,
  EVENT_NUMBER.subOrchestrationInstanceFailed,
  EVENT_NUMBER.timerFired,
  EVENT_NUMBER.entityOperationCompleted,
  EVENT_NUMBER.entityOperationFailed,
  EVENT_NUMBER.entityLockGranted,
]);

export function isAnswer(type: number): boolean {
  return ANSWERS.has(type);
}

/**
 * The next generation on the same row. Its `executionStarted` and the carried-over events come first, then
 * what waits in the inbox: those rows move up far enough that old and new numbers never overlap.
 */
function continueAsNew(
  state: RoundState,
  entry: Entry,
  run: RunRow,
  { executionId, name, version, started, carryover }: Continuation,
): void {
  const { now } = state.env;
  const { hub } = entry.instance;
  releaseLocks(state, entry);
  const first = [started, ...carryover].map((event) => stampEvent(event, now));
  const waiting = run.next_seq - 1 - run.read_seq;
  const shift = Math.max(first.length, waiting);
  const fresh = first.map(({ type, bytes }, index) => ({
    seq: run.read_seq + 1 + index,
    type,
    sender: null,
    bytes,
  }));
  const kept = entry.appended
    .filter(({ seq, type }) => seq > run.read_seq && !isAnswer(type))
    .map((row) => ({ ...row, seq: row.seq + shift }));
  if ((entry.loadedRun?.next_seq ?? 1) - 1 > run.read_seq) entry.inboxShift = shift;
  entry.appended = [...fresh, ...kept];
  run.next_seq += shift;
  run.exec += 1;
  run.execution_id = executionId;
  run.type = state.type({ hub, kind: KIND.orchestration, name, version });
  run.first_chunk = run.next_chunk;
  run.history_bytes = 0;
  run.trace = null;
  entry.historyFrom = run.first_chunk;
  entry.instance.execution_id = executionId;
  entry.instance.exec = run.exec;
  entry.instance.type = run.type;
  entry.instanceChanged = true;
}
