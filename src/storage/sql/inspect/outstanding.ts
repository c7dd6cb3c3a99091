/** What an instance waits for: its queued turn, activities, timers and children. */
import { PARKED_AT } from '../../../core/limits.ts';
import type { LeasedItem, Outstanding, OutstandingWork } from '../../inspection.ts';
import type { WorkKind } from '../../store.ts';
import { parseToken } from '../../round/keys.ts';
import { isSuspended } from '../../round/pause.ts';
import { KIND, readRow, type RunRow } from '../rows.ts';
import type { SqlRow, SqlSession } from '../session.ts';
import { columnsOf } from '../statement.ts';
import { RUNS } from '../tables.ts';
import { readChildren, readRowsById } from './rows.ts';

const RUN = `select ${columnsOf(RUNS, 'r')} from runs r where r.hub = $1 and r.rid = $2`;

export async function readOutstanding(
  session: SqlSession,
  hub: number,
  { id, limit }: { readonly id: string; readonly limit: number },
): Promise<Outstanding | undefined> {
  const [row] = await readRowsById(session, hub, [id]);
  if (!row) return undefined;
  const [found] = await session.all(RUN, [hub, row.rid]);
  const run = found && readRow<RunRow>(found);
  const activities = await readActivities(session, hub, { rid: row.rid, limit: limit + 1 });
  const timers = await session.all(
    `select due_at from timers where hub = $1 and rid = $2 order by due_at limit ${limit + 1}`,
    [hub, row.rid],
  );
  const children = await readChildren(session, hub, { id, limit: limit + 1, isLive: true });
  const isCut = [activities, timers, children].some(({ length }) => length > limit);
  return {
    row,
    isSuspended: run ? isSuspended(run) : false,
    unread: run ? run.next_seq - 1 - run.read_seq : 0,
    turn: run && turnOf(run, row),
    activities: activities.slice(0, limit),
    timers: timers.slice(0, limit).map(({ due_at: dueAt }) => ({ dueAt: Number(dueAt) })),
    children: children.slice(0, limit),
    isCut,
  };
}

function turnOf(
  run: RunRow,
  { name, version }: { readonly name: string; readonly version: string },
): OutstandingWork | undefined {
  if (run.ready_at === null && run.token === null) return undefined;
  return { kind: 'orchestration', name, version, eventId: undefined, ...leaseOf(run) };
}

type LeaseColumns = Pick<RunRow, 'token' | 'node' | 'attempts' | 'abandons' | 'ready_at'>;

function leaseOf(
  row: LeaseColumns,
): Pick<OutstandingWork, 'readyAt' | 'isParked' | 'token' | 'node' | 'attempts' | 'abandons'> {
  const { ready_at: readyAt, token, node, attempts, abandons } = row;
  return {
    readyAt: readyAt ?? undefined,
    isParked: readyAt === PARKED_AT,
    token: token ?? undefined,
    ...{ node, attempts, abandons },
  };
}

/**
 * All outstanding activities of the hub are looked through: an index by instance would cost every activity two writes,
 * for a page that is opened now and then.
 */
async function readActivities(
  session: SqlSession,
  hub: number,
  { rid, limit }: { readonly rid: number; readonly limit: number },
): Promise<readonly OutstandingWork[]> {
  const rows = await session.all(
    `select a.task, a.token, a.node, a.attempts, a.abandons, a.ready_at, t.name, t.version
       from activities a
       join types t on t.hub = a.hub and t.type = a.type
      where a.hub = $1 and a.rid = $2
      order by a.aid limit ${limit}`,
    [hub, rid],
  );
  return rows.map((row) => ({
    kind: 'activity',
    name: String(row['name']),
    version: String(row['version']),
    eventId: Number(row['task']),
    ...leaseOf(readRow<LeaseColumns>(row)),
  }));
}

/** Tokens name rows; a row that has gone on to another lease is still about the same thing. */
export async function readLeased(
  session: SqlSession,
  hub: number,
  tokens: readonly { readonly kind: WorkKind; readonly token: string }[],
): Promise<readonly LeasedItem[]> {
  const items: LeasedItem[] = [];
  for (const { kind, token } of tokens) {
    const rows = parseToken(token, kind);
    if (!rows) continue;
    const found =
      rows.aid === undefined
        ? await session.all(SELECT_RUN, [hub, rows.rid])
        : await session.all(SELECT_ACTIVITY, [hub, rows.aid]);
    for (const row of found) items.push({ token, kind, ...namesOf(row) });
  }
  return items;
}

const SELECT_RUN = `select i.id, t.name from instances i
  join types t on t.hub = i.hub and t.type = i.type where i.hub = $1 and i.rid = $2`;
const SELECT_ACTIVITY = `select i.id, t.name from activities a
  join instances i on i.hub = a.hub and i.rid = a.rid
  join types t on t.hub = a.hub and t.type = a.type where a.hub = $1 and a.aid = $2`;

function namesOf(row: SqlRow): Pick<LeasedItem, 'instanceId' | 'name'> {
  return { instanceId: String(row['id']), name: String(row['name']) };
}

const KINDS: Readonly<Record<number, WorkKind>> = {
  [KIND.orchestration]: 'orchestration',
  [KIND.entity]: 'entity',
  [KIND.activity]: 'activity',
};

export function workKindOf(kind: unknown): WorkKind {
  const name = KINDS[Number(kind)];
  if (!name) throw new TypeError(`unknown kind of work ${String(kind)} in the database`);
  return name;
}
