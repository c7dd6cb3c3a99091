/** What an entity is in a round beside its instance and run: its queue, as rows and as numbers. */
import {
  EMPTY_QUEUE,
  EntityQueue,
  type LockRequest,
  type QueueNumbers,
} from '../../core/entity-queue.ts';
import type { EntityRow, LockRow } from '../sql/rows.ts';

export interface EntityPart {
  readonly queue: EntityQueue;
  /** Batches in a row that a worker could not run at all. */
  failures: number;
  /** As the database has it; `undefined`: the entity is new. */
  readonly loaded:
    | { readonly numbers: QueueNumbers; readonly failures: number; readonly row: EntityRow }
    | undefined;
}

export function newEntityPart(): EntityPart {
  return { queue: new EntityQueue(EMPTY_QUEUE), failures: 0, loaded: undefined };
}

export function loadedEntityPart(row: EntityRow, locks: readonly LockRow[]): EntityPart {
  const numbers = queueNumbers(row, locks);
  const { failures } = row;
  return { queue: new EntityQueue(numbers), failures, loaded: { numbers, failures, row } };
}

export function queueNumbers(row: EntityRow, locks: readonly LockRow[]): QueueNumbers {
  const held = locks.find(({ seq }) => seq === row.lock_seq);
  return {
    tail: row.tail,
    waiting: locks
      .filter((lock) => lock !== held)
      .map((lock) => ({ request: requestOf(lock), ahead: lock.ahead })),
    held: held && requestOf(held),
    ownerOperations: row.owner_operations,
    endingSeq: row.ending_seq ?? undefined,
  };
}

function requestOf(lock: LockRow): LockRequest {
  return {
    seq: lock.seq,
    owner: lock.owner_rid,
    ownerExec: lock.owner_exec,
    section: lock.section,
    lockSet: JSON.parse(lock.lock_set) as string[],
    position: lock.position,
  };
}

interface EntityKey {
  readonly hub: number;
  readonly rid: number;
}

export function entityRow({ hub, rid }: EntityKey, { queue, failures }: EntityPart): EntityRow {
  const { tail, waiting, held, ownerOperations, endingSeq } = queue.numbers;
  return {
    hub,
    rid,
    tail,
    lock_count: waiting.length + (held ? 1 : 0),
    lock_seq: held?.seq ?? null,
    owner_operations: ownerOperations,
    ending_seq: endingSeq ?? null,
    failures,
  };
}

/** Requests with what waits directly ahead of them, as the queue has them; the one that holds the entity first. */
export function barriersOf({ held, waiting }: QueueNumbers): QueueNumbers['waiting'] {
  return held ? [{ request: held, ahead: 0 }, ...waiting] : waiting;
}

export function lockRow(
  { hub, rid }: EntityKey,
  { request, ahead }: QueueNumbers['waiting'][number],
): LockRow {
  return {
    hub,
    rid,
    seq: request.seq,
    owner_rid: request.owner,
    owner_exec: request.ownerExec,
    section: request.section,
    lock_set: JSON.stringify(request.lockSet),
    position: request.position,
    ahead,
  };
}
