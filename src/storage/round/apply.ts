/** What each kind of commit does to the rows of the round. One function per kind; nothing here does I/O. */
import { failure } from '../../core/failures.ts';
import { PARKED_AT } from '../../core/limits.ts';
import type { PayloadLimits } from '../../core/limits.ts';
import { alreadyExists, mayReplace } from '../../core/reuse-policy.ts';
import { payloadProblem } from '../../core/validation.ts';
import { encodeEvent, EVENT_NUMBER, type StoredEvent } from '../../wire/events.ts';
import type { RunRow, ActivityRow, TimerRow } from '../sql/rows.ts';
import type {
  AbandonCommit,
  ActivityCommit,
  Commit,
  CreateHubCommit,
  DeleteHubCommit,
  DeliverCommit,
  EndCommit,
  Outcome,
  PurgeCommit,
  ReleaseCommit,
  RestartCommit,
  StartCommit,
  WorkKind,
} from '../store.ts';
import { abandonDelayMs } from './abandon.ts';
import { fireOperation, isEntity } from './entity.ts';
import { purgeEntity } from './entity-purge.ts';
import { applyToEntity } from './entity-batch.ts';
import { parseToken } from './keys.ts';
import { instanceNotFound, leaseLost, OK, stillLive, type ApplyContext } from './outcomes.ts';
import { createInstance, deliverOrEnd, replaceInstance, terminateNow } from './lifecycle.ts';
import type { RoundState } from './state.ts';
import { adoptedHistory, applyRewind, applyWorkersRewind } from './rewind.ts';
import { applyTurn } from './turn.ts';

/** Commits that change rows; hubs are made and deleted outside rounds. */
export type RowCommit = Exclude<Commit, CreateHubCommit | DeleteHubCommit>;

export function applyCommit(state: RoundState, commit: RowCommit, context: ApplyContext): Outcome {
  switch (commit.kind) {
    case 'start':
      return applyStart(state, commit, context);
    case 'deliver':
      return applyDeliver(state, commit, context);
    case 'turn': {
      const adopted = adoptedHistory(commit);
      return adopted
        ? applyWorkersRewind(state, { commit, adopted }, context)
        : applyTurn(state, commit, context);
    }
    case 'activity':
      return applyActivity(state, commit, context);
    case 'signal':
    case 'entity':
    case 'freeLocks':
      return applyToEntity(state, commit, context);
    case 'abandon':
      return applyAbandon(state, commit, context);
    case 'release':
      return applyRelease(state, commit, context);
    case 'rewind':
      return applyRewind(state, commit, context);
    case 'purge':
      return applyPurge(state, commit, context);
    case 'end':
      return applyEnd(state, commit, context);
    case 'restart':
      return applyRestart(state, commit, context);
  }
}

function applyStart(state: RoundState, commit: StartCommit, { hub }: ApplyContext): Outcome {
  const existing = state.byId(hub, commit.instanceId);
  if (existing) {
    if (!mayReplace(existing.instance.status as never, commit.policy)) {
      return { ok: false, error: alreadyExists(commit.instanceId) };
    }
    replaceInstance(state, existing);
  }
  createInstance(state, { ...commit, hub, parent: undefined });
  return OK;
}

function applyRestart(state: RoundState, commit: RestartCommit, context: ApplyContext): Outcome {
  const existing = state.byId(context.hub, commit.instanceId);
  if (existing?.run) {
    const { instance } = existing;
    return { ok: false, error: stillLive('Restart', instance.id, instance.status as never) };
  }
  return applyStart(state, { ...commit, kind: 'start' }, context);
}

function applyPurge(state: RoundState, commit: PurgeCommit, { hub }: ApplyContext): Outcome {
  const entry = state.byId(hub, commit.instanceId);
  if (!entry) return { ok: true, count: 0 };
  if (isEntity(entry)) return { ok: true, count: purgeEntity(state, entry) };
  if (!entry.run) {
    state.remove(entry);
    return { ok: true, count: 1 };
  }
  if (commit.onLive === 'skip') return { ok: true, count: 0 };
  const { instance } = entry;
  return { ok: false, error: stillLive('Purge', instance.id, instance.status as never) };
}

function applyEnd(state: RoundState, commit: EndCommit, { hub }: ApplyContext): Outcome {
  const entry = state.byId(hub, commit.instanceId);
  if (!entry?.run || isEntity(entry) || state.holdsLock(entry)) return { ok: true, count: 0 };
  terminateNow(state, entry, commit.event);
  return { ok: true, count: 1 };
}

function applyDeliver(state: RoundState, commit: DeliverCommit, { hub }: ApplyContext): Outcome {
  const entry = state.byId(hub, commit.instanceId);
  if (!entry) return { ok: false, error: instanceNotFound(commit.instanceId) };
  deliverOrEnd(state, entry, commit.event);
  return OK;
}

function applyActivity(state: RoundState, commit: ActivityCommit, context: ApplyContext): Outcome {
  const lease = findLease(state, commit.token, 'activity', context.hub);
  if (lease?.work !== 'activity') return { ok: false, error: leaseLost(commit.token) };
  lease.activity.removed = true;
  const { rid, exec, task } = lease.activity.row;
  const owner = state.byRid(context.hub, rid);
  if (owner?.run?.exec === exec) {
    state.deliver(owner, activityEvent(commit, task, context.limits));
  }
  return OK;
}

/** A result over the limit fails the activity: an error to its worker would only have it run again. */
function activityEvent(
  { result, failureDetails }: ActivityCommit,
  taskScheduledId: number,
  limits: PayloadLimits,
): StoredEvent {
  const problem = failureDetails ? undefined : payloadProblem(result, 'activityOutput', limits);
  const details = problem === undefined ? failureDetails : failure('PayloadTooLarge', problem);
  return encodeEvent({
    eventType: details
      ? { case: 'taskFailed', value: { taskScheduledId, failureDetails: details } }
      : {
          case: 'taskCompleted',
          value: { taskScheduledId, ...(result !== undefined && { result }) },
        },
  });
}

type Lease =
  | {
      readonly work: 'run';
      readonly entry: NonNullable<ReturnType<RoundState['byRid']>>;
      readonly row: RunRow;
    }
  | {
      readonly work: 'activity';
      readonly activity: NonNullable<ReturnType<RoundState['activity']>>;
      readonly row: ActivityRow;
    };

/** The row that a token still has the right to finish. */
function findLease(
  state: RoundState,
  token: string,
  work: WorkKind,
  hub: number,
): Lease | undefined {
  const rows = parseToken(token, work);
  if (!rows) return undefined;
  if (rows.aid !== undefined) {
    const activity = state.activity(hub, rows.aid);
    return activity?.row.token === token
      ? { work: 'activity', activity, row: activity.row }
      : undefined;
  }
  const entry = state.byRid(hub, rows.rid);
  return entry?.run?.token === token ? { work: 'run', entry, row: entry.run } : undefined;
}

function applyAbandon(state: RoundState, commit: AbandonCommit, { hub }: ApplyContext): Outcome {
  const lease = findLease(state, commit.token, commit.work, hub);
  if (!lease) return OK;
  const { row } = lease;
  row.token = null;
  row.ready_at = state.env.now + abandonDelayMs(row.abandons);
  row.abandons += 1;
  noteReady(state, lease);
  return OK;
}

function applyRelease(state: RoundState, commit: ReleaseCommit, { hub }: ApplyContext): Outcome {
  const lease = findLease(state, commit.token, commit.work, hub);
  if (lease?.row.ready_at !== null) return OK;
  const { row } = lease;
  if (commit.loss) row.attempts += 1;
  const isParked = commit.loss !== undefined && row.attempts >= commit.loss.parkAfter;
  // A parked item keeps its token too: a late completion settles it.
  row.ready_at = isParked ? PARKED_AT : commit.readyAt;
  noteReady(state, lease);
  return OK;
}

function noteReady(state: RoundState, lease: Lease): void {
  if (lease.work === 'run') {
    state.readyEntries.add(lease.entry);
  } else {
    lease.activity.changed = true;
    state.readyActivities.push(lease.activity);
  }
}

/** Due timers become events of the execution that set them; others have nobody to wake. */
export function fireTimer(state: RoundState, timer: TimerRow): void {
  state.removedTimers.push({ hub: timer.hub, tid: timer.tid });
  const entry = state.byRid(timer.hub, timer.rid);
  if (isEntity(entry)) {
    fireOperation(state, entry, timer);
  } else if (entry?.run?.exec === timer.exec) {
    state.deliver(entry, { type: EVENT_NUMBER.timerFired, bytes: timer.bytes });
  }
}
