/** A failed instance runs again from where it failed, and its failed children with it. */
import { OrchestrationStatus } from '../../proto/orchestrator_service_pb.ts';
import { childStarted } from '../../core/child-started.ts';
import { failure } from '../../core/failures.ts';
import { parentEvent } from '../../core/parent-event.ts';
import {
  adoptHistory,
  assertRewindable,
  rewindHistory,
  type Adopted,
  type OpenChild,
  type Rewound,
} from '../../core/rewind.ts';
import {
  decodeEvent,
  EVENT_FIELD,
  EVENT_NUMBER,
  eventTypeOf,
  frameEvents,
  unframeEvents,
  type StoredEvent,
} from '../../wire/events.ts';
import { TaskHubError } from '../../core/errors.ts';
import type { RuntimeStatus } from '../../core/instance.ts';
import { KIND, type RunRow } from '../sql/rows.ts';
import type { Outcome, RewindCommit, TurnCommit } from '../store.ts';
import { parseToken } from './keys.ts';
import { appendHistory, createInstance, replaceInstance } from './lifecycle.ts';
import { releaseLocks } from './entity.ts';
import { newRows } from './new-rows.ts';
import { instanceNotFound, leaseLost, OK, type ApplyContext } from './outcomes.ts';
import type { Entry, RoundState } from './state.ts';
import { isSameChild, relinkChild, release } from './turn.ts';

export function applyRewind(
  state: RoundState,
  commit: RewindCommit,
  { hub }: ApplyContext,
): Outcome {
  const entry = state.byId(hub, commit.instanceId);
  if (!entry) return { ok: false, error: instanceNotFound(commit.instanceId) };
  try {
    assertRewindable(commit.instanceId, entry.instance.status as RuntimeStatus);
  } catch (error) {
    if (error instanceof TaskHubError) return { ok: false, error };
    throw error;
  }
  rewindEntry(state, entry, { reason: commit.reason, parent: undefined });
  return OK;
}

/** The history that a worker sends instead of decisions, if it does. */
export function adoptedHistory(commit: TurnCommit): Adopted | undefined {
  if (commit.requiresHistory) return undefined;
  for (const { orchestratorActionType: type } of commit.actions) {
    if (type.case === 'rewindOrchestration') return adoptHistory(type.value.newHistory);
  }
  return undefined;
}

/** A worker's own rewind: its history replaces ours, and the children that it waits for are rejoined. */
export function applyWorkersRewind(
  state: RoundState,
  { commit, adopted }: { readonly commit: TurnCommit; readonly adopted: Adopted },
  { hub }: ApplyContext,
): Outcome {
  const rows = parseToken(commit.token, 'orchestration');
  const entry = rows && state.byRid(hub, rows.rid);
  const run = entry?.run;
  if (!entry || run?.token !== commit.token) return { ok: false, error: leaseLost(commit.token) };
  const handed = state.consumed(entry);
  const children = adopted.openChildren;
  state.lookAtAll(children.map((child) => () => lookAtChild(state, entry, child)));
  release(run);
  run.read_seq = handed.at(-1)?.seq ?? run.read_seq;
  entry.consumedUpto = run.read_seq;
  adopt(state, entry, run, adopted);
  for (const child of children) rejoinChild(state, entry, { run, child, reason: undefined });
  state.setStatus(entry, OrchestrationStatus.RUNNING);
  state.wake(entry);
  return OK;
}

/** A new execution with the given history; what the old one waits for no longer reaches it. */
function adopt(state: RoundState, entry: Entry, run: RunRow, adopted: Adopted): void {
  const { instance } = entry;
  releaseLocks(state, entry);
  const executionId = adopted.executionId ?? state.env.random();
  run.exec += 1;
  run.execution_id = executionId;
  run.updated_at = state.env.now;
  run.suspended = 0;
  run.trace = null;
  run.first_chunk = run.next_chunk;
  run.history_bytes = 0;
  entry.historyFrom = run.first_chunk;
  instance.exec = run.exec;
  instance.execution_id = executionId;
  instance.updated_at = state.env.now;
  entry.instanceChanged = true;
  appendHistory(entry, adopted.history);
  if (adopted.markers.length === 0) return;
  const bytes = frameEvents(adopted.markers, EVENT_FIELD.past);
  entry.chunks.push({ chunk: run.next_chunk, hidden: 1, bytes });
  run.next_chunk += 1;
}

interface RewindStep {
  readonly reason: string | undefined;
  /** The parent's new execution, when the rewind came down from there. */
  readonly parent: ParentLink | undefined;
}

interface ParentLink {
  readonly executionId: string;
  readonly exec: number;
  readonly taskId: number;
}

function rewindEntry(state: RoundState, entry: Entry, { reason, parent }: RewindStep): void {
  const executionId = state.env.random();
  const rewound = rewindHistory(readEvents(state.history(entry)), {
    executionId,
    reason,
    now: state.env.now,
    parentExecutionId: parent?.executionId,
  });
  const children = rewound.openChildren;
  state.lookAtAll(children.map((child) => () => lookAtChild(state, entry, child)));
  const run = reviveRun(state, entry, { rewound, executionId, parent });
  for (const child of children) rejoinChild(state, entry, { run, child, reason });
  state.setStatus(entry, OrchestrationStatus.RUNNING);
  state.wake(entry);
}

function readEvents(chunks: readonly Uint8Array[]): readonly StoredEvent[] {
  return chunks.flatMap((chunk) =>
    [...unframeEvents(chunk)].map((bytes) => ({ type: eventTypeOf(bytes), bytes })),
  );
}

/** What rejoining will read: the child, its type, and its history if it has ended. */
function lookAtChild(state: RoundState, parent: Entry, { created }: OpenChild): void {
  const { hub } = parent.instance;
  const { name, version = '' } = created;
  state.lookAtAll([
    () => state.type({ hub, kind: KIND.orchestration, name, version }),
    () => {
      const child = state.byId(hub, created.instanceId);
      if (child && !child.run) state.history(child);
    },
  ]);
}

interface Revival {
  readonly rewound: Rewound;
  readonly executionId: string;
  readonly parent: ParentLink | undefined;
}

/** The instance gets a run again; its old history gives way to the rewritten one. */
function reviveRun(state: RoundState, entry: Entry, revival: Revival): RunRow {
  const { instance } = entry;
  const { rewound, executionId, parent } = revival;
  const { now } = state.env;
  const firstChunk = instance.last_chunk + 1;
  const { name, version = '' } = rewound.started;
  const fresh = newRows(
    {
      hub: instance.hub,
      instanceId: instance.id,
      executionId,
      name,
      version,
      tags: {},
      scheduledAt: undefined,
      parent: undefined,
      started: rewound.marker,
    },
    { rid: instance.rid, type: instance.type, now, scheduledAt: null },
  );
  const seen = (entry.loadedRun?.next_seq ?? 1) - 1;
  const run: RunRow = {
    ...fresh.run,
    // What this very round still has in the inbox of the old execution is not read any more.
    read_seq: seen,
    next_seq: seen + 1,
    exec: instance.exec + 1,
    first_chunk: firstChunk,
    next_chunk: firstChunk,
    parent_rid: instance.parent_rid,
    // Rewound alone it has nobody to report to: its parent was told that it failed, and went on or failed itself.
    parent_exec: parent?.exec ?? null,
    parent_task: parent?.taskId ?? rewound.started.parentInstance?.taskScheduledId ?? null,
  };
  instance.exec = run.exec;
  instance.execution_id = executionId;
  instance.parent_exec = run.parent_exec;
  instance.completed_at = null;
  instance.updated_at = now;
  instance.error_type = null;
  instance.error_message = null;
  entry.historyFrom = firstChunk;
  entry.consumedUpto = seen;
  state.revive(entry, run);
  appendHistory(entry, rewound.history);
  entry.chunks.push({
    chunk: run.next_chunk,
    hidden: 1,
    bytes: frameEvents([rewound.marker], EVENT_FIELD.past),
  });
  run.next_chunk += 1;
  return run;
}

interface Rejoin {
  readonly run: RunRow;
  readonly child: OpenChild;
  readonly reason: string | undefined;
}

/** Missing, or its id given to another that has ended: started again. Running: linked anew. Failed: rewound. Ended otherwise: its result is delivered. */
function rejoinChild(state: RoundState, parent: Entry, rejoin: Rejoin): void {
  const { run, child, reason } = rejoin;
  const { hub } = parent.instance;
  const existing = state.byId(hub, child.created.instanceId);
  if (!existing) {
    startAgain(state, parent, rejoin);
  } else if (existing.run) {
    if (isSameChild(existing.run, parent, child.taskId)) relinkChild(existing, run.exec);
    else deliverFailure(state, parent, child);
  } else if (existing.instance.parent_rid !== parent.instance.rid) {
    replaceInstance(state, existing);
    startAgain(state, parent, rejoin);
  } else if (existing.instance.status === OrchestrationStatus.FAILED) {
    const link = { executionId: run.execution_id, exec: run.exec, taskId: child.taskId };
    rewindEntry(state, existing, { reason, parent: link });
  } else if (existing.instance.status === OrchestrationStatus.COMPLETED) {
    state.deliver(parent, parentEvent(child.taskId, resultOf(state, existing), undefined));
  } else {
    replaceInstance(state, existing);
    startAgain(state, parent, rejoin);
  }
}

function startAgain(state: RoundState, parent: Entry, { run, child }: Rejoin): void {
  const { created, taskId } = child;
  const { hub, id } = parent.instance;
  const executionId = state.env.random();
  const { name, version } = state.typeKey(run.type);
  createInstance(state, {
    hub,
    instanceId: created.instanceId,
    executionId,
    name: created.name,
    version: created.version ?? '',
    tags: created.tags,
    scheduledAt: undefined,
    parent: { entry: parent, exec: run.exec, taskId },
    started: childStarted(created, {
      taskId,
      executionId,
      parent: { instanceId: id, executionId: run.execution_id, name, version },
    }),
  });
}

function deliverFailure(state: RoundState, parent: Entry, { created, taskId }: OpenChild): void {
  const details = failure(
    'OrchestrationAlreadyExists',
    `An Orchestration instance with the ID ${created.instanceId} already exists.`,
  );
  state.deliver(parent, parentEvent(taskId, undefined, details));
}

function resultOf(state: RoundState, entry: Entry): string | undefined {
  const last = state.history(entry).at(-1);
  for (const bytes of last ? unframeEvents(last) : []) {
    if (eventTypeOf(bytes) !== EVENT_NUMBER.executionCompleted) continue;
    const { eventType } = decodeEvent({ type: EVENT_NUMBER.executionCompleted, bytes });
    if (eventType.case === 'executionCompleted') return eventType.value.result;
  }
  return undefined;
}
