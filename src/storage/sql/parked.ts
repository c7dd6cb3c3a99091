/** Items that were set aside because their deliveries kept ending in the loss of the worker. */
import { PARKED_AT } from '../../core/limits.ts';
import type { ParkedItem, RetryParkedOptions } from '../store.ts';
import type { Hints } from './hints.ts';
import { repeated } from './repeated.ts';
import { KIND } from './rows.ts';
import type { SqlDatabase, SqlRow, SqlSession } from './session.ts';

/** At most `limit` of each kind, in no particular order. */
export async function listParked(
  session: SqlSession,
  hub: number,
  limit: number,
): Promise<readonly ParkedItem[]> {
  const runs = await session.all(
    `select i.id, t.name, r.attempts, r.kind
       from runs r
       join instances i on i.hub = r.hub and i.rid = r.rid
       join types t on t.hub = r.hub and t.type = r.type
      where r.hub = $1 and r.ready_at = $2
      limit $3`,
    [hub, PARKED_AT, limit],
  );
  const activities = await session.all(
    `select i.id, t.name, a.attempts
       from activities a
       join instances i on i.hub = a.hub and i.rid = a.rid
       join types t on t.hub = a.hub and t.type = a.type
      where a.hub = $1 and a.ready_at = $2
      limit $3`,
    [hub, PARKED_AT, limit],
  );
  const item = (row: SqlRow, kind: ParkedItem['kind']): ParkedItem => ({
    kind,
    instanceId: String(row['id']),
    name: String(row['name']),
    attempts: Number(row['attempts']),
  });
  return [
    ...runs.map((row) => item(row, row['kind'] === KIND.entity ? 'entity' : 'orchestration')),
    ...activities.map((row) => item(row, 'activity')),
  ];
}

/** Makes them ready again, with a clean record; how many there were. */
export async function retryParked(
  database: SqlDatabase,
  hints: Hints,
  hub: number,
  { instanceId, now }: RetryParkedOptions,
): Promise<number> {
  const rows = await repeated(database, () =>
    database.transaction(async (session) => {
      const ofInstance =
        instanceId === undefined
          ? ''
          : 'and rid in (select rid from instances where hub = $2 and id = $4)';
      const params = [now, hub, PARKED_AT, ...(instanceId === undefined ? [] : [instanceId])];
      const runs = await session.all(
        `update runs set ready_at = $1, attempts = 0 where hub = $2 and ready_at = $3 ${ofInstance} returning kind, type`,
        params,
      );
      const activities = await session.all(
        `update activities set ready_at = $1, attempts = 0 where hub = $2 and ready_at = $3 ${ofInstance} returning type`,
        params,
      );
      const ofActivities: SqlRow[] = activities.map((row) => ({ ...row, kind: KIND.activity }));
      return [...runs, ...ofActivities];
    }),
  );
  for (const { kind, type } of rows) {
    hints.noteQueue({ hub, kind: Number(kind), type: Number(type) }, now);
  }
  return rows.length;
}
