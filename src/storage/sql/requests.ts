/** Forgetting requests that entities have seen, and the entities that were only kept to remember them. */
import { repeated } from './repeated.ts';
import { readRow } from './rows.ts';
import type { SqlDatabase, SqlSession } from './session.ts';
import { deleteWhere } from './statement.ts';
import { REQUESTS } from './tables.ts';

export interface ForgetOptions {
  /** Epoch ms: what was seen earlier is forgotten. */
  readonly before: number;
  readonly limit: number;
}

interface Seen {
  readonly hub: number;
  readonly rid: number;
  /** Empty: marks an entity that was left empty. */
  readonly id: string;
}

const DELETE_REQUEST = deleteWhere(REQUESTS, [
  ['hub', '='],
  ['rid', '='],
  ['id', '='],
]);

/** At most `limit` requests; true: there may be more. */
export function forgetRequests(
  database: SqlDatabase,
  { before, limit }: ForgetOptions,
): Promise<boolean> {
  return repeated(database, () =>
    database.transaction(async (session) => {
      const skip = session.dialect === 'postgres' ? ' for update skip locked' : '';
      const found = await session.all(
        `select hub, rid, id from requests where at < $1 order by at limit $2${skip}`,
        [before, limit],
      );
      const rows = found.map((row) => readRow<Seen>(row));
      await session.runMany(
        DELETE_REQUEST,
        rows.map(({ hub, rid, id }) => [hub, rid, id]),
      );
      for (const { hub, rid, id } of rows) if (id === '') await removeEmpty(session, hub, rid);
      return rows.length === limit;
    }),
  );
}

/** One that is not empty any more is marked again when it next is. */
async function removeEmpty(session: SqlSession, hub: number, rid: number): Promise<void> {
  const skip = session.dialect === 'postgres' ? ' for update of r skip locked' : '';
  const rows = await session.all(
    `select r.rid from runs r
       join entities e on e.hub = r.hub and e.rid = r.rid
      where r.hub = $1 and r.rid = $2 and r.token is null and r.next_chunk = r.first_chunk
        and e.tail = 0 and e.lock_count = 0
        and not exists (select 1 from timers t where t.hub = r.hub and t.rid = r.rid)
        and not exists (select 1 from requests q where q.hub = r.hub and q.rid = r.rid)${skip}`,
    [hub, rid],
  );
  if (rows.length === 0) return;
  for (const table of ['entities', 'runs', 'instances']) {
    await session.run(`delete from ${table} where hub = $1 and rid = $2`, [hub, rid]);
  }
}
