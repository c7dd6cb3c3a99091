/** Making and deleting task hubs: each in a transaction of its own. */
import type { SqlDatabase, SqlSession } from './session.ts';
import { repeated } from './repeated.ts';
import { takeCounter } from './id-block.ts';

/** Every table that is keyed by hub, `hubs` last. */
const HUB_TABLES = [
  'inbox',
  'history',
  'activities',
  'timers',
  'locks',
  'requests',
  'entities',
  'runs',
  'instances',
  'garbage',
  'types',
  'hubs',
] as const;

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

/** Removes the hub and all that is in it; rounds of other nodes are waited for, and find it gone afterwards. */
export async function deleteHub(database: SqlDatabase, hub: number): Promise<void> {
  await repeated(database, () =>
    database.transaction(async (session: SqlSession) => {
      if (session.dialect === 'postgres') {
        await session.all('select hub from hubs where hub = $1 for update', [hub]);
      }
      for (const table of HUB_TABLES) {
        await session.run(`delete from ${table} where hub = $1`, [hub]);
      }
    }),
  );
}
