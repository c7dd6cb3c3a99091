/** Making and deleting task hubs: each in a transaction of its own. */
import type { SqlDatabase, SqlSession } from './session.ts';
import { takeCounter } from './id-block.ts';

/** Every table that is keyed by hub, `hubs` last. */
const HUB_TABLES = [
  'inbox',
  'history',
  'activities',
  'timers',
  'runs',
  'instances',
  'garbage',
  'types',
  'hubs',
] as const;

export async function createHub(database: SqlDatabase, name: string): Promise<void> {
  const hub = await takeCounter(database, 'hubs', 1);
  await database.transaction((session) =>
    session.run('insert into hubs (hub, name) values ($1, $2) on conflict (name) do nothing', [
      hub,
      name,
    ]),
  );
}

/** Removes the hub and all that is in it. */
export async function deleteHub(database: SqlDatabase, hub: number): Promise<void> {
  await database.transaction(async (session: SqlSession) => {
    for (const table of HUB_TABLES) await session.run(`delete from ${table} where hub = $1`, [hub]);
  });
}
