/** Bounded background work on the tables: leases of owners that are gone, rows nobody reads any more. */
import type { ReleaseOrphansOptions } from '../store.ts';
import type { Hints } from './hints.ts';
import { KIND } from './rows.ts';
import type { SqlDatabase, SqlSession } from './session.ts';

interface Release extends ReleaseOrphansOptions {
  readonly node: number;
}

/**
 * Frees leases of other nodes. A leased row is in no queue (`ready_at` null), so this is its only way back.
 * It keeps its token: a worker that was not lost may still complete it.
 */
export async function releaseOrphans(
  database: SqlDatabase,
  hints: Hints,
  options: Release,
): Promise<boolean> {
  const { now, graceMs, node, limit } = options;
  return database.transaction(async (session) => {
    const runs = await session.all(
      `update runs set ready_at = case kind when ${KIND.entity} then cast($1 as bigint) else cast($2 as bigint) end, attempts = attempts + 1
        where (hub, rid) in (select hub, rid from runs where token is not null and ready_at is null and node <> $3 limit $4)
       returning hub, kind, type, ready_at`,
      [now + graceMs.entity, now + graceMs.orchestration, node, limit],
    );
    for (const row of runs) noteFreed(hints, row, Number(row['kind']));
    const activities = await session.all(
      `update activities set ready_at = $1, attempts = attempts + 1
        where (hub, aid) in (select hub, aid from activities where token is not null and ready_at is null and node <> $2 limit $3)
       returning hub, type, ready_at`,
      [now + graceMs.activity, node, limit],
    );
    for (const row of activities) noteFreed(hints, row, KIND.activity);
    return runs.length === limit || activities.length === limit;
  });
}

function noteFreed(hints: Hints, row: Readonly<Record<string, unknown>>, kind: number): void {
  hints.noteQueue(
    { hub: Number(row['hub']), kind, type: Number(row['type']) },
    Number(row['ready_at']),
  );
}

/** Deletes history and inbox of row ids that are gone, a bounded number of rows at a time. */
export async function sweep(database: SqlDatabase, limit: number): Promise<boolean> {
  return database.transaction(async (session) => {
    const rows = await session.all('select hub, rid from garbage limit 50', []);
    let left = limit;
    for (const row of rows) {
      const key = [Number(row['hub']), Number(row['rid'])];
      left -= await deleteSome(session, 'history', 'chunk', key, left);
      if (left <= 0) return true;
      left -= await deleteSome(session, 'inbox', 'seq', key, left);
      if (left <= 0) return true;
      await session.run('delete from garbage where hub = $1 and rid = $2', key);
    }
    return rows.length === 50;
  });
}

async function deleteSome(
  session: SqlSession,
  table: 'history' | 'inbox',
  column: 'chunk' | 'seq',
  key: readonly number[],
  limit: number,
): Promise<number> {
  const rows = await session.all(
    `delete from ${table}
      where hub = $1 and rid = $2
        and ${column} in (select ${column} from ${table} where hub = $1 and rid = $2 order by ${column} limit $3)
     returning ${column}`,
    [...key, limit],
  );
  return rows.length;
}
