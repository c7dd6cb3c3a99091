/** Handing out what is ready: directly in the round that made it ready, or from the backlog in the tables. */
import { ridKey, type TypeKey } from '../round/keys.ts';
import { runnableOf } from '../../core/entity-queue.ts';
import { isEntity } from '../round/entity.ts';
import {
  claimedActivity,
  claimedEntity,
  DEFER_MS,
  needOfActivity,
  needOfRun,
  claimedOrchestration,
  eventsForTurn,
  leaseActivity,
  leaseEntity,
  leaseRun,
  operationsForBatch,
  type DispatchEnv,
} from '../round/dispatch.ts';
import { MESSAGE_BYTES_COMMON, type Need, type Room, type Taken } from '../round/room.ts';
import type { EntityEntry, Entry, RoundState } from '../round/state.ts';
import type { Claimed, WorkKind } from '../store.ts';
import type { Catalog } from './catalog.ts';
import type { Hints, Queue } from './hints.ts';
import { mayRun, readBatches } from './batches.ts';
import { readInbox } from './inbox.ts';
import {
  KIND,
  readRow,
  type ActivityRow,
  type InboxRow,
  type InstanceRow,
  type RunRow,
} from './rows.ts';
import type { SqlRow, SqlSession } from './session.ts';
import { columnsOf, selectWhere } from './statement.ts';
import { ACTIVITIES, HISTORY, INBOX, INSTANCES, RUNS } from './tables.ts';
import { deleteActivities, updateActivities, updateRuns } from './write.ts';

const RUN_COLUMNS = columnsOf(RUNS, 'r');
const ACTIVITY_COLUMNS = columnsOf(ACTIVITIES, 'a');

export interface ClaimContext {
  readonly room: Room;
  readonly env: DispatchEnv;
  readonly catalog: Catalog;
  readonly hints: Hints;
  /** What this round leaves behind; becomes hints once it is committed. */
  readonly left: { readonly queue: Queue; readonly at: number }[];
  /** Queues that this round has looked through, and when what is left in them is due. */
  readonly seen: { readonly queue: Queue; readonly at: number | undefined }[];
  /** Turns that nobody connected can carry: they wait for a worker that takes larger messages. */
  readonly tooLarge: TooLarge[];
}

export interface TooLarge {
  readonly hub: string;
  readonly instanceId: string;
  readonly bytes: number;
}

/** A leased turn whose history is still to be read. */
export interface PendingTurn {
  readonly instance: InstanceRow;
  readonly run: RunRow;
  readonly events: readonly InboxRow[];
  readonly taken: Taken;
}

export interface Handed {
  readonly turns: PendingTurn[];
  readonly activities: Claimed[];
}

const WORK: Readonly<Record<number, WorkKind>> = {
  [KIND.orchestration]: 'orchestration',
  [KIND.entity]: 'entity',
  [KIND.activity]: 'activity',
};

function workOf(kind: number): WorkKind {
  const work = WORK[kind];
  if (!work) throw new Error(`unknown kind of work ${kind} in the database`);
  return work;
}

/**
 * Leases what this round made ready, as far as there is room and nothing older of its type waits.
 * Runs before the write, so that a new row is inserted already leased.
 */
export function claimDirectly(state: RoundState, context: ClaimContext): Handed {
  const handed: Handed = { turns: [], activities: [] };
  const older = context.hints.dueQueues(context.env.now).map(({ queue }) => queue);
  const direct = { ...context, older };
  for (const entry of state.readyEntries) directRun(entry, direct, handed);
  for (const { row } of state.readyActivities) directActivity(row, direct, handed);
  return handed;
}

/** With the queues that may hold work which has waited since an earlier round. */
interface DirectContext extends ClaimContext {
  readonly older: readonly Queue[];
}

function directRun(entry: Entry, context: DirectContext, handed: Handed): void {
  const { run, instance } = entry;
  if (!run || run.ready_at === null) return;
  const queue = { hub: run.hub, kind: run.kind, type: run.type };
  const events = unreadInMemory(entry);
  const turn = events && (isEntity(entry) ? batchInMemory(entry, events) : eventsForTurn(events));
  const taken =
    turn && turn.length > 0 && run.ready_at <= context.env.now
      ? takeDirectly(queue, context, needOfRun(run, turn))
      : undefined;
  if (!turn || !taken) {
    context.left.push({ queue, at: run.ready_at });
    return;
  }
  if (isEntity(entry)) leaseEntity(run, turn, lockOwner(entry), context.env);
  else leaseRun(run, turn, context.env);
  handed.turns.push({ instance, run, events: turn, taken });
}

function batchInMemory({ entity }: EntityEntry, waiting: readonly InboxRow[]): readonly InboxRow[] {
  const runnable = runnableOf(entity.queue.numbers);
  return operationsForBatch(waiting.filter((row) => mayRun(runnable, row)));
}

function lockOwner({ entity }: EntityEntry): number | null {
  return entity.queue.held?.owner ?? null;
}

/** The waiting events, if this round has them all at hand. */
function unreadInMemory({
  run,
  loadedRun,
  appended,
  inboxShift,
}: Entry): readonly InboxRow[] | undefined {
  if (!run || appended.length === 0 || inboxShift !== undefined) return undefined;
  const storedNext = loadedRun?.next_seq ?? 1;
  return storedNext - 1 > run.read_seq ? undefined : appended;
}

function directActivity(row: ActivityRow, context: DirectContext, handed: Handed): void {
  const queue = { hub: row.hub, kind: KIND.activity, type: row.type };
  const at = row.ready_at ?? context.env.now;
  const taken =
    at <= context.env.now ? takeDirectly(queue, context, needOfActivity(row)) : undefined;
  if (!taken) {
    context.left.push({ queue, at });
    return;
  }
  leaseActivity(row, context.env);
  const hubName = context.catalog.hubNames.get(row.hub) ?? '';
  handed.activities.push(claimedActivity(row, { taker: taken.taker, hubName }));
}

/** New work goes behind older work of its kind that somebody here would take: `claimBacklog` sees to both. */
function takeDirectly(queue: Queue, context: DirectContext, need: Need): Taken | undefined {
  const isBehind = context.older.some(
    (other) => other.hub === queue.hub && other.kind === queue.kind && roomFor(other, context) > 0,
  );
  if (isBehind) return undefined;
  const { hubName, type } = namesOf(queue, context);
  return type && context.room.take(hubName, workOf(queue.kind), type, need);
}

function namesOf(
  queue: Queue,
  { catalog }: ClaimContext,
): { readonly hubName: string; readonly type: TypeKey | undefined } {
  const hubName = catalog.hubNames.get(queue.hub) ?? '';
  return { hubName, type: catalog.keys.get(queue.type) };
}

function roomFor(queue: Queue, context: ClaimContext): number {
  const { hubName, type } = namesOf(queue, context);
  return type ? context.room.left(hubName, workOf(queue.kind), type) : 0;
}

/**
 * Leases from the tables what waited there, oldest first within a type, the type with the oldest first: a busy
 * one does not starve the others. Runs after the write.
 */
export async function claimBacklog(
  session: SqlSession,
  context: ClaimContext,
  handed: Handed,
): Promise<void> {
  const { env, hints, left } = context;
  const due = [...hints.dueQueues(env.now), ...left.filter(({ at }) => at <= env.now)];
  due.sort((a, b) => a.at - b.at);
  await context.catalog.learnTypes(
    session,
    due.map(({ queue }) => queue),
  );
  const queues = new Map(due.map(({ queue }) => [JSON.stringify(queue), queue]));
  for (const queue of queues.values()) await claimQueue(session, context, handed, queue);
}

/**
 * Until the room or the queue is used up: a page may hold rows that nobody is to be handed, and an item that goes out
 * alone takes all the room although others of its page stay.
 */
async function claimQueue(
  session: SqlSession,
  context: ClaimContext,
  handed: Handed,
  queue: Queue,
): Promise<void> {
  const { hubName, type } = namesOf(queue, context);
  if (!type) return;
  let oldestLeftAt: number | undefined;
  for (;;) {
    const limit = roomFor(queue, context);
    if (limit === 0) break;
    const target = { queue, hubName, type, limit };
    const page =
      queue.kind === KIND.activity
        ? await claimActivities(session, context, handed, target)
        : await claimRuns(session, context, handed, target);
    if (page.length < limit && roomFor(queue, context) > 0) {
      context.seen.push({ queue, at: await nextInQueue(session, queue, context.env.now) });
      return;
    }
    oldestLeftAt = page.at(-1)?.ready_at ?? undefined;
  }
  if (oldestLeftAt !== undefined) context.seen.push({ queue, at: oldestLeftAt });
}

/** Rows that were looked at, in the order of the queue, with the times at which they had become ready. */
type Page = readonly { readonly ready_at: number | null }[];

interface Target {
  readonly queue: Queue;
  readonly hubName: string;
  readonly type: { readonly name: string; readonly version: string };
  readonly limit: number;
}

function skipLocked(session: SqlSession, table: string): string {
  return session.dialect === 'postgres' ? ` for update of ${table} skip locked` : '';
}

async function claimActivities(
  session: SqlSession,
  { room, env }: ClaimContext,
  handed: Handed,
  { queue, hubName, type, limit }: Target,
): Promise<Page> {
  const rows = await session.all(
    `select ${ACTIVITY_COLUMNS}, r.exec as owner_exec
       from activities a
       left join runs r on r.hub = a.hub and r.rid = a.rid
      where a.hub = $1 and a.type = $2 and a.ready_at <= $3
      order by a.ready_at
      limit $4${skipLocked(session, 'a')}`,
    [queue.hub, queue.type, env.now, limit],
  );
  const changed: { row: ActivityRow }[] = [];
  const orphans: ActivityRow[] = [];
  const page = rows.map((row) => ({ ready_at: Number(row['ready_at']) }));
  for (const found of rows) {
    const row = readRow<ActivityRow>(found);
    if (row.detached === 0 && found['owner_exec'] !== row.exec) {
      orphans.push(row);
      continue;
    }
    const taken = room.take(hubName, 'activity', type, needOfActivity(row));
    if (!taken && room.left(hubName, 'activity', type) === 0) break;
    changed.push({ row });
    if (taken) {
      leaseActivity(row, env);
      handed.activities.push(claimedActivity(row, { taker: taken.taker, hubName }));
    } else {
      row.ready_at = env.now + DEFER_MS;
    }
  }
  await deleteActivities(session, orphans);
  await updateActivities(session, changed);
  return page;
}

const UNREAD = selectWhere(INBOX, {
  where: [
    ['hub', '='],
    ['rid', '='],
    ['seq', '>'],
    ['seq', '<='],
  ],
  orderBy: ['seq'],
});
const INSTANCE = selectWhere(INSTANCES, {
  where: [
    ['hub', '='],
    ['rid', '='],
  ],
});

async function claimRuns(
  session: SqlSession,
  { room, env, tooLarge }: ClaimContext,
  handed: Handed,
  { queue, hubName, type, limit }: Target,
): Promise<Page> {
  const rows = await session.all(
    `select ${RUN_COLUMNS}
       from runs r
      where r.hub = $1 and r.kind = $2 and r.type = $3 and r.ready_at <= $4
      order by r.ready_at
      limit $5${skipLocked(session, 'r')}`,
    [queue.hub, queue.kind, queue.type, env.now, limit],
  );
  const runs = rows.map((row) => readRow<RunRow>(row));
  const page = runs.map(({ ready_at }) => ({ ready_at }));
  const instances = await readInstances(session, runs);
  const batches = await readBatches(session, runs);
  const changed: RunRow[] = [];
  for (const run of runs) {
    const batch = batches.get(ridKey(run.hub, run.rid));
    const events = batch?.operations ?? (await readUnread(session, run));
    const instance = instances.get(ridKey(run.hub, run.rid));
    if (events.length === 0 || !instance) {
      // Nothing to say to it: idle until something arrives.
      changed.push({ ...run, token: null, ready_at: null });
      continue;
    }
    const work = workOf(queue.kind);
    const need = needOfRun(run, events);
    const taken = room.take(hubName, work, type, need);
    if (!taken && room.left(hubName, work, type) === 0) break;
    changed.push(run);
    if (taken) {
      if (batch) leaseEntity(run, events, batch.sender, env);
      else leaseRun(run, events, env);
      handed.turns.push({ instance, run, events, taken });
    } else {
      run.ready_at = env.now + DEFER_MS;
      if (need.bytes > MESSAGE_BYTES_COMMON) {
        tooLarge.push({ hub: hubName, instanceId: instance.id, bytes: need.bytes });
      }
    }
  }
  await updateRuns(session, changed);
  return page;
}

async function readInstances(
  session: SqlSession,
  runs: readonly RunRow[],
): Promise<ReadonlyMap<string, InstanceRow>> {
  const rows = await session.allMany(
    INSTANCE,
    runs.map(({ hub, rid }) => [hub, rid]),
  );
  return new Map(
    rows.map((row) => {
      const instance = readRow<InstanceRow>(row);
      return [ridKey(instance.hub, instance.rid), instance];
    }),
  );
}

/** Read in steps, so that a thousand large results do not all come into memory for one turn. */
const UNREAD_STEP = 64;

async function readUnread(session: SqlSession, run: RunRow): Promise<readonly InboxRow[]> {
  const waiting: InboxRow[] = [];
  let from = run.read_seq;
  for (;;) {
    const upto = Math.min(from + UNREAD_STEP, run.next_seq - 1);
    const rows: readonly SqlRow[] = await session.allMany(UNREAD, [[run.hub, run.rid, from, upto]]);
    waiting.push(...rows.map(readInbox));
    const turn = eventsForTurn(waiting);
    if (turn.length < waiting.length || upto >= run.next_seq - 1) return turn;
    from = upto;
  }
}

/** Who holds a row that is ready is done with it soon, and may leave it as ready as it was. In ms. */
const LOCKED_RETRY_MS = 10;

/** When to look at a queue again of which all was handed out that could be. */
async function nextInQueue(
  session: SqlSession,
  { hub, kind, type }: Queue,
  now: number,
): Promise<number | undefined> {
  const rows =
    kind === KIND.activity
      ? await session.all(
          'select min(ready_at) as at from activities where hub = $1 and type = $2',
          [hub, type],
        )
      : await session.all(
          'select min(ready_at) as at from runs where hub = $1 and kind = $2 and type = $3',
          [hub, kind, type],
        );
  const at = rows[0]?.['at'];
  if (typeof at !== 'number') return undefined;
  return at > now ? at : now + LOCKED_RETRY_MS;
}

const CHUNKS = selectWhere(HISTORY, {
  where: [
    ['hub', '='],
    ['rid', '='],
    ['chunk', '>='],
    ['hidden', '='],
  ],
  columns: ['bytes'],
  orderBy: ['chunk'],
});

/** Completes leased turns with their stored history. */
export async function readHistories(
  session: SqlSession,
  turns: readonly PendingTurn[],
  hubNames: ReadonlyMap<number, string>,
): Promise<Claimed[]> {
  const claimed: Claimed[] = [];
  for (const { instance, run, events, taken } of turns) {
    const rows =
      taken.history === 'inline' && run.next_chunk > run.first_chunk
        ? await session.allMany(CHUNKS, [[run.hub, run.rid, run.first_chunk, 0]])
        : [];
    const history = rows.map(({ bytes }) => bytes as Uint8Array);
    const hubName = hubNames.get(run.hub) ?? '';
    const claim = { instance, run, events, taken, hubName, history };
    claimed.push(run.kind === KIND.entity ? claimedEntity(claim) : claimedOrchestration(claim));
  }
  return claimed;
}
