/** What waits in a hub, by name. */
import { PARKED_AT } from '../../../core/limits.ts';
import type { Backlog, KnownName } from '../../inspection.ts';
import { KIND } from '../rows.ts';
import type { SqlSession } from '../session.ts';
import { workKindOf } from './outstanding.ts';

/** Items of one name that are counted; more are "at least". */
const COUNTED_MAX = 10_000;

/** Queued items by name and version; parked ones are not among them. */
export async function readBacklog(session: SqlSession, hub: number): Promise<readonly Backlog[]> {
  const types = await session.all('select type, kind, name, version from types where hub = $1', [
    hub,
  ]);
  const backlog: Backlog[] = [];
  for (const type of types) {
    const isActivity = Number(type['kind']) === KIND.activity;
    const rows = await session.all(isActivity ? ACTIVITIES : RUNS, [
      hub,
      ...(isActivity ? [] : [Number(type['kind'])]),
      Number(type['type']),
      PARKED_AT,
    ]);
    const pending = Number(rows[0]?.['n']);
    if (pending === 0) continue;
    backlog.push({
      kind: workKindOf(type['kind']),
      name: String(type['name']),
      version: String(type['version']),
      pending: Math.min(pending, COUNTED_MAX),
      isCapped: pending > COUNTED_MAX,
      oldestAt: Number(rows[0]?.['at']),
    });
  }
  return backlog;
}

const counted = (table: string, where: string): string =>
  `select count(*) as n, min(ready_at) as at
     from (select ready_at from ${table} where ${where} order by ready_at limit ${COUNTED_MAX + 1}) found`;
const RUNS = counted('runs', 'hub = $1 and kind = $2 and type = $3 and ready_at < $4');
const ACTIVITIES = counted('activities', 'hub = $1 and type = $2 and ready_at < $3');

export async function readNames(session: SqlSession, hub: number): Promise<readonly KnownName[]> {
  const rows = await session.all(
    'select kind, name, version from types where hub = $1 order by kind, name, version',
    [hub],
  );
  return rows.map((row) => ({
    kind: workKindOf(row['kind']),
    name: String(row['name']),
    version: String(row['version']),
  }));
}
