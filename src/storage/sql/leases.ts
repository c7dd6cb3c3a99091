/** Which leases are the current ones of their rows. */
import { parseToken } from '../round/keys.ts';
import type { Holding } from '../store.ts';
import type { SqlSession } from './session.ts';
import { selectWhere } from './statement.ts';
import { ACTIVITIES, RUNS } from './tables.ts';

const RUN_TOKEN = selectWhere(RUNS, {
  where: [
    ['hub', '='],
    ['rid', '='],
  ],
  columns: ['token'],
});
const ACTIVITY_TOKEN = selectWhere(ACTIVITIES, {
  where: [
    ['hub', '='],
    ['aid', '='],
  ],
  columns: ['token'],
});

/** Those of `holdings` that still count: nobody has completed the item, or been handed it since. */
export async function readCurrent(
  session: SqlSession,
  hub: number,
  holdings: readonly Holding[],
): Promise<ReadonlySet<string>> {
  const runs: [number, number][] = [];
  const activities: [number, number][] = [];
  for (const { token, kind } of holdings) {
    const rows = parseToken(token, kind);
    if (rows?.aid !== undefined) activities.push([hub, rows.aid]);
    else if (rows) runs.push([hub, rows.rid]);
  }
  const found = await Promise.all([
    session.allMany(RUN_TOKEN, runs),
    session.allMany(ACTIVITY_TOKEN, activities),
  ]);
  const tokens = new Set(found.flat().map(({ token }) => token));
  return new Set(holdings.flatMap(({ token }) => (tokens.has(token) ? [token] : [])));
}
