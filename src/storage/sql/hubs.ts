/** Making and dropping task hubs. What is in a dropped hub goes later, a bounded number of rows at a time. */
import type { SqlDatabase, SqlSession } from './session.ts';
import { repeated } from './repeated.ts';
import { takeCounter } from './id-block.ts';

/** Every table whose rows belong to a hub, with the rest of its key. */
const TABLES_OF_HUB: Readonly<Record<string, string>> = {
  inbox: 'rid, seq',
  history: 'rid, chunk',
  activities: 'aid',
  timers: 'tid',
  locks: 'rid, seq',
  requests: 'rid, id',
  entities: 'rid',
  runs: 'rid',
  instances: 'rid',
  garbage: 'rid',
  types: 'type',
};

/** A hub made later under the same name is another hub: nobody has a role on it because of this one. */
const DELETE_ROLES =
  'delete from role_assignments where task_hub = (select name from hubs where hub = $1)';

export async function createHub(database: SqlDatabase, name: string): Promise<void> {
  const hub = await takeCounter(database, 'hubs', 1);
  await repeated(database, () =>
    database.transaction((session) =>
      session.run('insert into hubs (hub, name) values ($1, $2) on conflict (name) do nothing', [
        hub,
        name,
      ]),
    ),
  );
}

/**
 * From now on the hub is not there; its number is not used again. Rounds of other nodes that are past their mark are
 * waited for, and nothing else is held meanwhile; those that come later find it gone.
 */
export async function dropHub(
  database: SqlDatabase,
  hub: number,
  { keepsRoles }: { readonly keepsRoles: boolean },
): Promise<void> {
  await repeated(database, () =>
    database.transaction(async (session) => {
      if (!keepsRoles) await session.run(DELETE_ROLES, [hub]);
      await session.run('delete from hubs where hub = $1', [hub]);
      await session.run('insert into dropped_hubs (hub) values ($1) on conflict do nothing', [hub]);
    }),
  );
}

/** Deletes at most `limit` rows of a dropped hub, if there is one; true: there is more to do. */
export async function sweepDroppedHub(session: SqlSession, limit: number): Promise<boolean> {
  const skip = session.dialect === 'postgres' ? ' for update skip locked' : '';
  const [first] = await session.all(`select hub from dropped_hubs order by hub limit 1${skip}`, []);
  if (!first) return false;
  const hub = Number(first['hub']);
  let left = limit;
  for (const [table, key] of Object.entries(TABLES_OF_HUB)) {
    const rows = await session.all(
      `delete from ${table}
        where (hub, ${key}) in (select hub, ${key} from ${table} where hub = $1 order by hub, ${key} limit $2)
       returning hub`,
      [hub, left],
    );
    left -= rows.length;
    if (left <= 0) return true;
  }
  await session.run('delete from dropped_hubs where hub = $1', [hub]);
  return true;
}
