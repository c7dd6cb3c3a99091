/** What must be true of every entity on disk at every moment. */
import type { SqlRow } from '../../src/storage/sql/session.ts';
import type { Disk } from './checker.ts';

const ENTITIES = `
  select r.rid, i.id, r.token, r.ready_at, e.tail, e.lock_count, e.lock_seq, e.owner_operations, e.ending_seq
    from runs r
    left join instances i on i.hub = r.hub and i.rid = r.rid
    left join entities e on e.hub = r.hub and e.rid = r.rid
   where r.kind = 2`;
const LOCKS = `
  select l.rid, l.seq, l.owner_rid, l.ahead, o.exec as owner_exec, l.owner_exec as lock_exec
    from locks l left join runs o on o.hub = l.hub and o.rid = l.owner_rid
   order by l.rid, l.seq`;
const QUEUED = 'select rid, seq, sender from inbox where rid in (select rid from entities)';

const number = (row: SqlRow, column: string): number => Number(row[column]);

/** Nothing as long as there are no entities. */
export async function entityProblems(disk: Disk): Promise<readonly string[]> {
  const entities = await disk.query(ENTITIES);
  if (entities.length === 0) return [];
  const locks = group(await disk.query(LOCKS));
  const queued = group(await disk.query(QUEUED));
  return entities.flatMap((row) => {
    const rid = number(row, 'rid');
    return problemsOf(row, locks.get(rid) ?? [], queued.get(rid) ?? []).map(
      (problem) => `${String(row['id'])} ${problem}`,
    );
  });
}

function group(rows: readonly SqlRow[]): ReadonlyMap<number, readonly SqlRow[]> {
  const groups = new Map<number, SqlRow[]>();
  for (const row of rows) {
    const rid = number(row, 'rid');
    groups.set(rid, [...(groups.get(rid) ?? []), row]);
  }
  return groups;
}

interface Found {
  readonly entity: SqlRow;
  readonly held: SqlRow | undefined;
  readonly waiting: readonly SqlRow[];
  readonly queued: readonly SqlRow[];
}

function problemsOf(
  entity: SqlRow,
  locks: readonly SqlRow[],
  queued: readonly SqlRow[],
): readonly string[] {
  const held = locks.find(({ seq }) => seq === entity['lock_seq']);
  const waiting = locks.filter((lock) => lock !== held);
  const found = { entity, held, waiting, queued };
  const isOver = locks.some((lock) => lock['owner_exec'] !== lock['lock_exec']);
  const isMiscounted =
    locks.length !== entity['lock_count'] || (entity['lock_seq'] !== null) !== (held !== undefined);
  return [
    ...(isMiscounted ? ['counts its locks wrong'] : []),
    ...(isOver ? ['is locked, or to be locked, by an execution that is over'] : []),
    ...(!held && waiting[0]?.['ahead'] === 0 ? ['does not grant a lock whose turn it is'] : []),
    ...segmentProblems(found),
    ...runnableProblems(found),
  ];
}

/** Operations between lock requests are those that the requests count. */
function segmentProblems({ entity, waiting, queued }: Found): readonly string[] {
  const problems: string[] = [];
  let from = -Infinity;
  for (const lock of waiting) {
    const upto = number(lock, 'seq');
    const between = queued.filter((row) => number(row, 'seq') > from && number(row, 'seq') < upto);
    if (between.length !== lock['ahead']) problems.push('counts wrong what is ahead of a lock');
    from = upto;
  }
  const tail = queued.filter((row) => number(row, 'seq') > from);
  if (tail.length !== entity['tail']) problems.push('counts its last operations wrong');
  return problems;
}

function runnableProblems({ entity, held, waiting, queued }: Found): readonly string[] {
  const problems: string[] = [];
  const ending = Number(entity['ending_seq'] ?? Infinity);
  const ofOwner = queued.filter(
    (row) => row['sender'] === held?.['owner_rid'] && number(row, 'seq') < ending,
  );
  if (held && ofOwner.length !== entity['owner_operations']) {
    problems.push('counts the operations of its owner wrong');
  }
  const runnable = held ? ofOwner.length : Number(waiting[0]?.['ahead'] ?? entity['tail']);
  const isIdle = entity['token'] === null && entity['ready_at'] === null;
  if (isIdle && runnable > 0)
    problems.push('has something to run, and is neither ready nor leased');
  return problems;
}
