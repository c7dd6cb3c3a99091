/** What clients see of entities: committed state, outside rounds. */
import type { EntityQuery, EntityRecord, Page } from '../store.ts';
import { KIND } from './rows.ts';
import type { SqlRow, SqlSession } from './session.ts';
import { afterPrefix, PAGE_BYTES_MAX, Where } from './where.ts';

/** The sum is that of the operations which wait ahead of lock requests. */
const COLUMNS = `i.id, r.updated_at, e.tail, e.lock_count, e.lock_seq,
  case when r.next_chunk > r.first_chunk then 1 else 0 end as has_state,
  (select coalesce(sum(l.ahead), 0) from locks l where l.hub = e.hub and l.rid = e.rid) as ahead,
  (select o.id from locks l join instances o on o.hub = l.hub and o.rid = l.owner_rid
    where l.hub = e.hub and l.rid = e.rid and l.seq = e.lock_seq) as locked_by`;
const TABLES = `instances i
  join runs r on r.hub = i.hub and r.rid = i.rid
  join entities e on e.hub = i.hub and e.rid = i.rid`;
const STATE = `left join history h on h.hub = r.hub and h.rid = r.rid and h.chunk = r.first_chunk`;

interface ReadOptions {
  readonly state: boolean;
}

/** `undefined` also for an entity without state, unless it is locked (wire-protocol 7.7). */
export async function readEntity(
  session: SqlSession,
  { hub, id }: { readonly hub: number; readonly id: string },
  { state }: ReadOptions,
): Promise<EntityRecord | undefined> {
  const rows = await session.all(
    `select ${COLUMNS}${state ? ', h.bytes' : ''} from ${TABLES} ${state ? STATE : ''}
      where i.hub = $1 and i.id = $2 and i.kind = $3`,
    [hub, id, KIND.entity],
  );
  const [row] = rows;
  const isSeen = row && (row['has_state'] === 1 || row['lock_seq'] !== null);
  return isSeen ? recordOf(row) : undefined;
}

function recordOf(row: SqlRow): EntityRecord {
  const { bytes, locked_by: lockedBy } = row;
  const waiting = Number(row['lock_count']) - (row['lock_seq'] === null ? 0 : 1);
  return {
    instanceId: String(row['id']),
    modifiedAt: Number(row['updated_at']),
    backlog: Number(row['tail']) + Number(row['ahead']) + waiting,
    lockedBy: typeof lockedBy === 'string' ? lockedBy : undefined,
    state: bytes instanceof Uint8Array ? new TextDecoder().decode(bytes) : undefined,
  };
}

/** Without state: only those that a queue, a lock or a scheduled signal keeps. Others wait to be forgotten. */
const TRANSIENT = `(r.next_chunk > r.first_chunk or e.tail > 0 or e.lock_count > 0
  or exists (select 1 from timers t where t.hub = e.hub and t.rid = e.rid))`;

/** In the order of ids. */
export async function listEntities(
  session: SqlSession,
  query: EntityQuery & { readonly hubNumber: number },
): Promise<Page<EntityRecord>> {
  const { limit, after, state } = query;
  // No orchestration has an id like it: the index on ids holds entities side by side.
  const prefix = query.idPrefix.startsWith('@') ? query.idPrefix : '@';
  if (query.idPrefix !== '' && prefix !== query.idPrefix) return { items: [], next: undefined };
  const where = new Where();
  where.add('i.hub = $', query.hubNumber);
  where.add('i.kind = $', KIND.entity);
  where.add('i.id >= $', prefix);
  where.add('i.id < $', afterPrefix(prefix));
  if (typeof after?.[0] === 'string') where.add('i.id > $', after[0]);
  if (query.modifiedFrom !== undefined) where.add('r.updated_at >= $', query.modifiedFrom);
  if (query.modifiedTo !== undefined) where.add('r.updated_at < $', query.modifiedTo);
  const kept = query.includeTransient ? TRANSIENT : 'r.next_chunk > r.first_chunk';
  const rows = await session.all(
    `select ${COLUMNS}${state ? ', h.bytes' : ''} from ${TABLES} ${state ? STATE : ''}
      where ${where.text} and ${kept}
      order by i.id limit ${limit + 1}`,
    where.params,
  );
  return pageOf(rows, limit);
}

function pageOf(rows: readonly SqlRow[], limit: number): Page<EntityRecord> {
  const items: EntityRecord[] = [];
  let bytes = 0;
  for (const row of rows.slice(0, limit)) {
    const state = row['bytes'];
    bytes += state instanceof Uint8Array ? state.length : 0;
    if (items.length > 0 && bytes > PAGE_BYTES_MAX) break;
    items.push(recordOf(row));
  }
  const last = items.at(-1);
  return { items, next: items.length < rows.length && last ? [last.instanceId] : undefined };
}

/** Ids of entities with locks of executions that are over: there are none unless something went wrong. */
export async function listOrphanedLocks(
  session: SqlSession,
  hub: number,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<readonly string[]> {
  const rows = await session.all(
    `select distinct i.id from locks l
       join instances i on i.hub = l.hub and i.rid = l.rid
       left join runs o on o.hub = l.hub and o.rid = l.owner_rid and o.exec = l.owner_exec
      where l.hub = $1 and i.id > $2 and o.rid is null
      order by i.id limit $3`,
    [hub, after, limit],
  );
  return rows.map(({ id }) => String(id));
}
