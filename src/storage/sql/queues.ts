/** What waits in the tables, one row for each queue: hints for a node that did not put it there. */
import type { Hints } from './hints.ts';
import { KIND } from './rows.ts';
import type { SqlRow, SqlSession } from './session.ts';

interface QueueSelects {
  readonly runs: string;
  readonly activities: string;
  readonly timers: string;
}

const GROUPED: QueueSelects = {
  runs: 'select hub, kind, type, min(ready_at) as at from runs where ready_at is not null group by hub, kind, type',
  activities:
    'select hub, type, min(ready_at) as at from activities where ready_at is not null group by hub, type',
  timers: 'select hub, min(due_at) as at from timers group by hub',
};

/**
 * The same in one look-up for each queue, however much waits in it: the index is walked in leaps. For the poll,
 * which comes every second.
 */
const LEAPING: QueueSelects = {
  runs: `with recursive q as (
      (select hub, kind, type, ready_at from runs
        where ready_at is not null order by hub, kind, type, ready_at limit 1)
      union all
      select n.hub, n.kind, n.type, n.ready_at from q cross join lateral
        (select r.hub, r.kind, r.type, r.ready_at from runs r
          where r.ready_at is not null and (r.hub, r.kind, r.type) > (q.hub, q.kind, q.type)
          order by r.hub, r.kind, r.type, r.ready_at limit 1) n
    ) select hub, kind, type, ready_at as at from q`,
  activities: `with recursive q as (
      (select hub, type, ready_at from activities
        where ready_at is not null order by hub, type, ready_at limit 1)
      union all
      select n.hub, n.type, n.ready_at from q cross join lateral
        (select a.hub, a.type, a.ready_at from activities a
          where a.ready_at is not null and (a.hub, a.type) > (q.hub, q.type)
          order by a.hub, a.type, a.ready_at limit 1) n
    ) select hub, type, ready_at as at from q`,
  timers: `with recursive q as (
      (select hub, due_at from timers order by hub, due_at limit 1)
      union all
      select n.hub, n.due_at from q cross join lateral
        (select t.hub, t.due_at from timers t where t.hub > q.hub order by t.hub, t.due_at limit 1) n
    ) select hub, due_at as at from q`,
};

/** Reads what waits; the hints are given once the transaction is through. */
export async function readQueues(session: SqlSession): Promise<(hints: Hints) => void> {
  const selects = session.dialect === 'postgres' ? LEAPING : GROUPED;
  const [runs, activities, timers] = await Promise.all([
    session.all(selects.runs, []),
    session.all(selects.activities, []),
    session.all(selects.timers, []),
  ]);
  return (hints) => {
    for (const row of runs) noteQueue(hints, row, Number(row['kind']));
    for (const row of activities) noteQueue(hints, row, KIND.activity);
    for (const { hub, at } of timers) hints.noteTimer(Number(hub), Number(at));
  };
}

function noteQueue(hints: Hints, { hub, type, at }: SqlRow, kind: number): void {
  hints.noteQueue({ hub: Number(hub), kind, type: Number(type) }, Number(at));
}
