/** Writing a round back: a handful of statements, whatever its size. */
import type { InstanceRow, RunRow } from './rows.ts';
import type { ActivityEntry, Entry, RoundState } from '../round/state.ts';
import { isAnswer } from '../round/turn.ts';
import type { SqlSession } from './session.ts';
import { inserts, pick } from './values.ts';
import { writeEntities } from './write-entities.ts';
import { deleteWhere, insertInto, updateByKey } from './statement.ts';
import { ACTIVITIES, GARBAGE, HISTORY, INBOX, INSTANCES, RUNS, TIMERS } from './tables.ts';

const BY_RID = ['hub', 'rid'] as const;

const INSERT_INSTANCE = insertInto(INSTANCES);
const DELETE_INSTANCE = deleteWhere(INSTANCES, [
  ['hub', '='],
  ['rid', '='],
]);
const INSTANCE_CHANGES = [
  'type',
  'execution_id',
  'exec',
  'status',
  'updated_at',
  'completed_at',
  'parent_exec',
  'custom_status',
  'error_type',
  'error_message',
  'first_chunk',
  'last_chunk',
] as const;
const UPDATE_INSTANCE = updateByKey(INSTANCES, BY_RID, INSTANCE_CHANGES);

const INSERT_RUN = insertInto(RUNS);
const DELETE_RUN = deleteWhere(RUNS, [
  ['hub', '='],
  ['rid', '='],
]);
const RUN_CHANGES = [
  'type',
  'exec',
  'execution_id',
  'token',
  'node',
  'attempts',
  'abandons',
  'dispatched_at',
  'lease_upto',
  'lease_sender',
  'ready_at',
  'next_seq',
  'read_seq',
  'first_chunk',
  'next_chunk',
  'history_bytes',
  'parent_exec',
  'suspended',
  'locking',
  'updated_at',
  'trace',
] as const;
const UPDATE_RUN = updateByKey(RUNS, BY_RID, RUN_CHANGES);

const INSERT_HISTORY = insertInto(HISTORY);
const DELETE_HISTORY_BELOW = deleteWhere(HISTORY, [
  ['hub', '='],
  ['rid', '='],
  ['chunk', '<'],
]);

const INSERT_INBOX = insertInto(INBOX);
const DELETE_INBOX_UPTO = deleteWhere(INBOX, [
  ['hub', '='],
  ['rid', '='],
  ['seq', '<='],
]);
const DELETE_INBOX = deleteWhere(INBOX, [
  ['hub', '='],
  ['rid', '='],
]);

const DELETE_INBOX_ONE = deleteWhere(INBOX, [
  ['hub', '='],
  ['rid', '='],
  ['seq', '='],
]);

const INSERT_ACTIVITY = insertInto(ACTIVITIES);
const DELETE_ACTIVITY = deleteWhere(ACTIVITIES, [
  ['hub', '='],
  ['aid', '='],
]);
const ACTIVITY_LEASE = ['token', 'node', 'attempts', 'abandons', 'ready_at'] as const;
const UPDATE_ACTIVITY = updateByKey(ACTIVITIES, ['hub', 'aid'], ACTIVITY_LEASE);

const INSERT_TIMER = insertInto(TIMERS);
const DELETE_TIMER = deleteWhere(TIMERS, [
  ['hub', '='],
  ['tid', '='],
]);
const DELETE_TIMERS = deleteWhere(TIMERS, [
  ['hub', '='],
  ['rid', '='],
]);
const INSERT_GARBAGE = insertInto(GARBAGE, { orIgnore: true });

const keyOf = ({ instance }: Entry): [number, number] => [instance.hub, instance.rid];

/** Everything that the commits changed; ends with the timers. */
export async function writeRound(session: SqlSession, state: RoundState): Promise<void> {
  const entries = [...state.touchedEntries()];
  const stored = entries.filter(({ isNew }) => !isNew);
  const ended = stored.filter(({ loadedRun, run }) => loadedRun && !run);
  const removed = stored.filter((entry) => entry.removed);
  const live = entries.filter((entry) => !entry.removed);
  await session.runMany(DELETE_INSTANCE, removed.map(keyOf));
  await session.runMany(DELETE_RUN, ended.map(keyOf));
  await session.runMany(DELETE_TIMERS, [
    ...ended.map(keyOf),
    ...live.filter((entry) => !entry.isNew && losesTimers(entry)).map(keyOf),
  ]);
  await writeInstances(session, live);
  await writeHistory(session, live);
  await writeInbox(session, live, ended);
  await writeEntities(session, state);
  await writeActivities(session, state);
  await session.runMany(
    DELETE_TIMER,
    state.removedTimers.map(({ hub, tid }) => [hub, tid]),
  );
  // The same round may have ended what asked for a timer.
  const wanted = state.timers.filter(
    ({ hub, rid, exec }) => state.byRid(hub, rid)?.run?.exec === exec,
  );
  await session.runMany(INSERT_TIMER, inserts(TIMERS, wanted));
  await session.runMany(INSERT_GARBAGE, inserts(GARBAGE, state.garbage));
}

/** A generation that is over, or an entity that is purged. A batch replaces an entity's state, and keeps its timers. */
function losesTimers({ historyFrom, entity, dropsTimers }: Entry): boolean {
  return entity ? dropsTimers : historyFrom !== undefined;
}

async function writeInstances(session: SqlSession, live: readonly Entry[]): Promise<void> {
  const fresh = live.filter(({ isNew }) => isNew);
  const changed = live.filter(({ isNew, instanceChanged }) => !isNew && instanceChanged);
  // Of new instances, and of ended ones that live again.
  const freshRuns = live.flatMap(({ run, loadedRun }) => (run && !loadedRun ? [run] : []));
  const runs = live.flatMap(({ run, loadedRun }) =>
    run && loadedRun && RUN_CHANGES.some((column) => run[column] !== loadedRun[column])
      ? [run]
      : [],
  );
  await session.runMany(
    INSERT_INSTANCE,
    inserts(INSTANCES, sortById(fresh.map(({ instance }) => instance))),
  );
  await session.runMany(
    UPDATE_INSTANCE,
    changed.map(({ instance }) => pick(instance, [...INSTANCE_CHANGES, ...BY_RID])),
  );
  await session.runMany(INSERT_RUN, inserts(RUNS, freshRuns));
  await updateRuns(session, runs);
}

/** Unique keys are waited for in insertion order: the same order in every round. */
function sortById(rows: readonly InstanceRow[]): InstanceRow[] {
  return [...rows].sort((a, b) => (a.id < b.id ? -1 : 1));
}

export async function updateRuns(session: SqlSession, runs: readonly RunRow[]): Promise<void> {
  await session.runMany(
    UPDATE_RUN,
    runs.map((run) => pick(run, [...RUN_CHANGES, ...BY_RID])),
  );
}

async function writeHistory(session: SqlSession, live: readonly Entry[]): Promise<void> {
  await session.runMany(
    DELETE_HISTORY_BELOW,
    live.flatMap((entry) =>
      entry.isNew || entry.historyFrom === undefined ? [] : [[...keyOf(entry), entry.historyFrom]],
    ),
  );
  await session.runMany(
    INSERT_HISTORY,
    live.flatMap((entry) =>
      entry.chunks
        .filter(({ chunk }) => chunk >= (entry.historyFrom ?? 0))
        .map(({ chunk, hidden, bytes }) => [...keyOf(entry), chunk, hidden, bytes]),
    ),
  );
}

/** Consumed rows go, the rest of an old generation moves up, new rows come last. */
async function writeInbox(
  session: SqlSession,
  live: readonly Entry[],
  ended: readonly Entry[],
): Promise<void> {
  await session.runMany(DELETE_INBOX, ended.filter(({ removed }) => !removed).map(keyOf));
  await session.runMany(
    DELETE_INBOX_UPTO,
    live.flatMap((entry) =>
      entry.run && !entry.isNew && entry.consumedUpto !== undefined
        ? [[...keyOf(entry), entry.consumedUpto]]
        : [],
    ),
  );
  await session.runMany(
    DELETE_INBOX_ONE,
    live.flatMap((entry) => entry.consumedSeqs.map((seq) => [...keyOf(entry), seq])),
  );
  for (const entry of live) {
    if (entry.run && entry.inboxShift !== undefined) {
      await shiftInbox(session, entry, entry.inboxShift);
    }
  }
  await session.runMany(
    INSERT_INBOX,
    live.flatMap((entry) =>
      entry.run
        ? entry.appended.map(({ seq, type, sender, bytes }) => [
            ...keyOf(entry),
            ...[seq, type, sender, bytes],
          ])
        : [],
    ),
  );
}

const ANSWER_TYPES = Array.from({ length: 31 }, (_, type) => type)
  .filter(isAnswer)
  .join(', ');

async function shiftInbox(session: SqlSession, entry: Entry, shift: number): Promise<void> {
  await session.run(
    `delete from inbox where hub = $1 and rid = $2 and type in (${ANSWER_TYPES})`,
    keyOf(entry),
  );
  await session.run('update inbox set seq = seq + $3 where hub = $1 and rid = $2', [
    ...keyOf(entry),
    shift,
  ]);
}

async function writeActivities(session: SqlSession, state: RoundState): Promise<void> {
  const stored = [...state.loadedActivities()];
  await session.runMany(
    DELETE_ACTIVITY,
    stored.filter(({ removed }) => removed).map(({ row }) => [row.hub, row.aid]),
  );
  await updateActivities(
    session,
    stored.filter(({ removed, changed }) => changed && !removed),
  );
  await session.runMany(
    INSERT_ACTIVITY,
    inserts(
      ACTIVITIES,
      state.newActivities.map(({ row }) => row),
    ),
  );
}

export async function updateActivities(
  session: SqlSession,
  activities: readonly Pick<ActivityEntry, 'row'>[],
): Promise<void> {
  await session.runMany(
    UPDATE_ACTIVITY,
    activities.map(({ row }) => pick(row, [...ACTIVITY_LEASE, 'hub', 'aid'])),
  );
}

export async function deleteActivities(
  session: SqlSession,
  activities: readonly { readonly hub: number; readonly aid: number }[],
): Promise<void> {
  await session.runMany(
    DELETE_ACTIVITY,
    activities.map(({ hub, aid }) => [hub, aid]),
  );
}
