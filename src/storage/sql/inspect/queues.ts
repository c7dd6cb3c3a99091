/** What is queued in each hub, for scaling and metrics: ranges of the indexes of what waits, one for each name. */
import { PARKED_AT } from '../../../core/limits.ts';
import type { QueueTotal } from '../../inspection.ts';
import { KIND } from '../rows.ts';
import type { SqlSession } from '../session.ts';
import { workKindOf } from './outstanding.ts';

const ofType = (what: string, table: string, when: string): string =>
  `(select ${what} from ${table} q where q.hub = t.hub${table === 'runs' ? ' and q.kind = t.kind' : ''} and q.type = t.type and q.ready_at ${when})`;

const totals = (table: string, kinds: string): string =>
  `select h.name as hub, t.kind,
          ${ofType('count(*)', table, '<= $1')} as pending,
          ${ofType('min(q.ready_at)', table, '<= $1')} as oldest_at,
          ${ofType('count(*)', table, `= ${PARKED_AT}`)} as parked
     from types t join hubs h on h.hub = t.hub
    where t.kind ${kinds}`;

const RUNS = totals('runs', `<> ${KIND.activity}`);
const ACTIVITIES = totals('activities', `= ${KIND.activity}`);

/** One for each hub and kind of which anything waits or is parked. */
export async function readQueueTotals(
  session: Pick<SqlSession, 'all'>,
  now: number,
): Promise<readonly QueueTotal[]> {
  const rows = [...(await session.all(RUNS, [now])), ...(await session.all(ACTIVITIES, [now]))];
  const sums = new Map<string, QueueTotal>();
  for (const row of rows) {
    const kind = workKindOf(row['kind']);
    const hub = String(row['hub']);
    const key = `${hub} ${kind}`;
    const { pending, parked, oldestAt } = sums.get(key) ?? NOTHING;
    const total = {
      ...{ hub, kind },
      pending: pending + Number(row['pending']),
      parked: parked + Number(row['parked']),
      oldestAt: earlier(oldestAt, row['oldest_at'] === null ? undefined : Number(row['oldest_at'])),
    };
    if (total.pending + total.parked > 0) sums.set(key, total);
  }
  return [...sums.values()];
}

const NOTHING = { pending: 0, parked: 0, oldestAt: undefined };

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}
