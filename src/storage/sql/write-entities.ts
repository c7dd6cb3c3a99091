/** Writing back what a round did to entities: their queues, their lock requests, the requests they have seen. */
import { EMPTY_QUEUE } from '../../core/entity-queue.ts';
import { barriersOf, entityRow, lockRow } from '../round/entity-part.ts';
import type { EntityEntry, Entry, RoundState } from '../round/state.ts';
import { isEntity } from '../round/entity.ts';
import type { LockRow } from './rows.ts';
import type { SqlSession } from './session.ts';
import { deleteWhere, insertInto, updateByKey } from './statement.ts';
import { ENTITIES, LOCKS, REQUESTS } from './tables.ts';
import { inserts, pick } from './values.ts';

const BY_RID = ['hub', 'rid'] as const;
const BY_SEQ = ['hub', 'rid', 'seq'] as const;
const ENTITY_CHANGES = [
  'tail',
  'lock_count',
  'lock_seq',
  'owner_operations',
  'ending_seq',
  'failures',
] as const;

const INSERT_ENTITY = insertInto(ENTITIES);
const UPDATE_ENTITY = updateByKey(ENTITIES, BY_RID, ENTITY_CHANGES);
const INSERT_LOCK = insertInto(LOCKS);
const UPDATE_LOCK = updateByKey(LOCKS, BY_SEQ, ['ahead']);
const DELETE_LOCK = deleteWhere(LOCKS, [
  ['hub', '='],
  ['rid', '='],
  ['seq', '='],
]);
const INSERT_REQUEST = insertInto(REQUESTS, { orIgnore: true });
const DELETE_REQUEST = deleteWhere(REQUESTS, [
  ['hub', '='],
  ['rid', '='],
  ['id', '='],
]);

export async function writeEntities(session: SqlSession, state: RoundState): Promise<void> {
  const entities = [...state.touchedEntries()].filter(isEntity).filter(({ removed }) => !removed);
  await writeQueues(session, entities);
  await writeLocks(session, entities);
  await writeRequests(session, state, entities);
}

async function writeQueues(session: SqlSession, entities: readonly EntityEntry[]): Promise<void> {
  const rows = entities.map(({ instance, entity }) => ({
    before: entity.loaded?.row,
    after: entityRow(instance, entity),
  }));
  await session.runMany(
    INSERT_ENTITY,
    inserts(
      ENTITIES,
      rows.flatMap(({ before, after }) => (before ? [] : [after])),
    ),
  );
  await session.runMany(
    UPDATE_ENTITY,
    rows
      .filter(({ before, after }) =>
        ENTITY_CHANGES.some((column) => before && before[column] !== after[column]),
      )
      .map(({ after }) => pick(after, [...ENTITY_CHANGES, ...BY_RID])),
  );
}

async function writeLocks(session: SqlSession, entities: readonly EntityEntry[]): Promise<void> {
  const gone: LockRow[] = [];
  const made: LockRow[] = [];
  const moved: LockRow[] = [];
  for (const { instance, entity } of entities) {
    const before = barriersOf(entity.loaded?.numbers ?? EMPTY_QUEUE);
    const after = new Map(barriersOf(entity.queue.numbers).map((one) => [one.request.seq, one]));
    // Thousands may wait, of which a round changes a few: only those become rows.
    for (const barrier of before) {
      const { seq } = barrier.request;
      const now = after.get(seq);
      if (!now) gone.push(lockRow(instance, barrier));
      else if (now.ahead !== barrier.ahead) moved.push(lockRow(instance, now));
      after.delete(seq);
    }
    for (const barrier of after.values()) made.push(lockRow(instance, barrier));
  }
  await session.runMany(
    DELETE_LOCK,
    gone.map((row) => pick(row, BY_SEQ)),
  );
  await session.runMany(
    UPDATE_LOCK,
    moved.map((row) => pick(row, ['ahead', ...BY_SEQ])),
  );
  await session.runMany(INSERT_LOCK, inserts(LOCKS, made));
}

/** An entity that the round leaves empty is marked, for the sweep that deletes it once its requests are forgotten. */
async function writeRequests(
  session: SqlSession,
  state: RoundState,
  entities: readonly EntityEntry[],
): Promise<void> {
  const { now } = state.env;
  const empty = entities
    .filter(isEmpty)
    .map(({ instance: { hub, rid } }) => ({ hub, rid, id: '' }));
  await session.runMany(
    DELETE_REQUEST,
    empty.map((key) => pick(key, ['hub', 'rid', 'id'])),
  );
  await session.runMany(
    INSERT_REQUEST,
    inserts(
      REQUESTS,
      [...empty, ...state.requests.values()].map((key) => ({ ...key, at: now })),
    ),
  );
}

function isEmpty({ run, entity }: Entry): boolean {
  return run !== undefined && run.next_chunk === run.first_chunk && entity?.queue.isEmpty === true;
}
