/** Reading what a round needs of entities: their queues, and what was looked up in them. */
import { loadedEntityPart, type EntityPart } from '../round/entity-part.ts';
import { requestKeyText, ridKey, waitingKeyText, type RowKeys } from '../round/keys.ts';
import type { LoadedRows } from '../round/state.ts';
import { readInbox } from './inbox.ts';
import { KIND, readRow, type EntityRow, type InboxRow, type LockRow, type RunRow } from './rows.ts';
import type { SqlSession } from './session.ts';
import { selectWhere } from './statement.ts';
import { ENTITIES, INBOX, LOCKS, REQUESTS } from './tables.ts';

const BY_RID = [
  ['hub', '='],
  ['rid', '='],
] as const;

const ENTITY = selectWhere(ENTITIES, { where: BY_RID });
const LOCKS_OF_ENTITY = selectWhere(LOCKS, { where: BY_RID, orderBy: ['rid', 'seq'] });
const LOCKS_OF_OWNER = selectWhere(LOCKS, {
  where: [
    ['hub', '='],
    ['owner_rid', '='],
  ],
  columns: ['hub', 'owner_rid', 'rid'],
});
const REQUEST = selectWhere(REQUESTS, {
  where: [...BY_RID, ['id', '=']],
  columns: ['hub', 'rid', 'id'],
});
const WAITING = selectWhere(INBOX, {
  where: [...BY_RID, ['sender', '=']],
  columns: ['hub', 'rid', 'sender', 'seq'],
});

const QUEUED = selectWhere(INBOX, {
  where: BY_RID,
  columns: ['seq', 'type', 'sender', 'bytes'],
  orderBy: ['seq'],
});

/** Queues of entities whose runs are loaded, and so locked. */
export async function readQueues(
  session: SqlSession,
  runs: readonly RunRow[],
): Promise<ReadonlyMap<string, { readonly row: EntityRow; readonly locks: readonly LockRow[] }>> {
  const wanted = runs.filter(({ kind }) => kind === KIND.entity);
  const found = await session.allMany(
    ENTITY,
    wanted.map(({ hub, rid }) => [hub, rid]),
  );
  const rows = found.map((row) => readRow<EntityRow>(row));
  const locks = new Map<string, LockRow[]>();
  const locked = rows.filter(({ lock_count }) => lock_count > 0);
  for (const row of await session.allMany(
    LOCKS_OF_ENTITY,
    locked.map(({ hub, rid }) => [hub, rid]),
  )) {
    const lock = readRow<LockRow>(row);
    const key = ridKey(lock.hub, lock.rid);
    const ofEntity = locks.get(key);
    if (ofEntity) ofEntity.push(lock);
    else locks.set(key, [lock]);
  }
  return new Map(
    rows.map((row) => {
      const key = ridKey(row.hub, row.rid);
      return [key, { row, locks: locks.get(key) ?? [] }];
    }),
  );
}

type Looked = Pick<LoadedRows, 'requests' | 'waiting' | 'queued' | 'locked'>;

export class EntityCache {
  readonly #queues = new Map<
    string,
    { readonly row: EntityRow; readonly locks: readonly LockRow[] }
  >();
  readonly #requests = new Map<string, boolean>();
  readonly #waiting = new Map<string, readonly number[]>();
  readonly #queued = new Map<string, readonly InboxRow[]>();
  readonly #locked = new Map<string, readonly number[]>();

  get looked(): Looked {
    return {
      requests: this.#requests,
      waiting: this.#waiting,
      queued: this.#queued,
      locked: this.#locked,
    };
  }

  /** A fresh copy that a round may change. */
  part(key: string): EntityPart | undefined {
    const queue = this.#queues.get(key);
    return queue && loadedEntityPart(queue.row, queue.locks);
  }

  /** Which entities an orchestration has locked; under its lock the list is complete. True: rows of their own to lock. */
  async loadLocked(session: SqlSession, keys: RowKeys): Promise<boolean> {
    const wanted = [...keys.locked].filter(([key]) => !this.#locked.has(key));
    if (wanted.length === 0) return false;
    const byOwner = new Map<string, number[]>(wanted.map(([key]) => [key, []]));
    for (const row of await session.allMany(
      LOCKS_OF_OWNER,
      wanted.map(([, { hub, rid }]) => [hub, rid]),
    )) {
      const lock = readRow<Pick<LockRow, 'hub' | 'owner_rid' | 'rid'>>(row);
      byOwner.get(ridKey(lock.hub, lock.owner_rid))?.push(lock.rid);
      keys.addRid(lock.hub, lock.rid);
    }
    for (const [key, rids] of byOwner) this.#locked.set(key, rids);
    return true;
  }

  async load(
    session: SqlSession,
    keys: RowKeys,
    runs: ReadonlyMap<string, RunRow | undefined>,
  ): Promise<void> {
    const fresh = [...runs].flatMap(([key, run]) => (run && !this.#queues.has(key) ? [run] : []));
    for (const [key, queue] of await readQueues(session, fresh)) this.#queues.set(key, queue);
    await this.#loadRequests(session, keys);
    await this.#loadWaiting(session, keys);
    await this.#loadQueued(session, keys);
  }

  async #loadRequests(session: SqlSession, keys: RowKeys): Promise<void> {
    const wanted = [...keys.requests].filter(([key]) => !this.#requests.has(key));
    for (const [key] of wanted) this.#requests.set(key, false);
    for (const row of await session.allMany(
      REQUEST,
      wanted.map(([, { hub, rid, id }]) => [hub, rid, id]),
    )) {
      this.#requests.set(requestKeyText(readRow(row)), true);
    }
  }

  async #loadQueued(session: SqlSession, keys: RowKeys): Promise<void> {
    for (const [key, { hub, rid }] of keys.queued) {
      if (this.#queued.has(key)) continue;
      const rows = await session.allMany(QUEUED, [[hub, rid]]);
      this.#queued.set(key, rows.map(readInbox));
    }
  }

  async #loadWaiting(session: SqlSession, keys: RowKeys): Promise<void> {
    const wanted = [...keys.waiting].filter(([key]) => !this.#waiting.has(key));
    const found = new Map<string, number[]>(wanted.map(([key]) => [key, []]));
    for (const row of await session.allMany(
      WAITING,
      wanted.map(([, { hub, rid, sender }]) => [hub, rid, sender]),
    )) {
      const read = readRow<{ hub: number; rid: number; sender: number; seq: number }>(row);
      found.get(waitingKeyText(read))?.push(read.seq);
    }
    for (const [key, seqs] of found) this.#waiting.set(key, seqs);
  }
}
