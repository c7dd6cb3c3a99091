/** Bounded background work on the tables: leases of owners that are gone, rows nobody reads any more. */
import type { ReleaseOrphansOptions } from '../store.ts';
import type { Hints } from './hints.ts';
import { sweepDroppedHub } from './hubs.ts';
import { repeated } from './repeated.ts';
import { KIND } from './rows.ts';
import type { SqlDatabase, SqlSession } from './session.ts';

/** A node that has not said for so long that it lives is taken for dead, in ms. Nodes go by the database's clock. */
export const NODE_DEAD_MS = 30_000;
/** A dead node is looked at again after this time: its last transaction may have ended after the first look. */
const LOOK_AGAIN_MS = 600_000;
/** After this time nobody asks any more what became of a dead node's last round, in ms. */
const NODE_FORGOTTEN_MS = 86_400_000;

/**
 * Leases of nodes that are gone. A leased row is in no queue (`ready_at` null), so this is its only way back.
 * It keeps its token: a worker that was not lost may still complete it. SQLite has one owner: all other nodes are
 * gone. On PostgreSQL those are gone whose heartbeat is old.
 */
export class Orphans {
  readonly #database: SqlDatabase;
  readonly #node: number;
  /** Dead nodes whose leases were all freed, with the heartbeat they had and the time of the look. */
  readonly #freed = new Map<number, { readonly heartbeat: number; readonly at: number }>();

  #isAlone = false;

  constructor(database: SqlDatabase, node: number) {
    this.#database = database;
    this.#node = node;
  }

  /** At most `limit` rows of each kind; true: there may be more. Cheap when no node has died since. */
  async release(hints: Hints, options: ReleaseOrphansOptions): Promise<boolean> {
    if (this.#isAlone) return false;
    const { now } = options;
    const before = this.#database.dialect === 'postgres' ? now - NODE_DEAD_MS : Infinity;
    const dead = { node: this.#node, before: Math.min(before, Number.MAX_SAFE_INTEGER) };
    const found = await this.#find(dead, now);
    if (found.length === 0) {
      this.#isAlone = this.#database.dialect === 'sqlite';
      return false;
    }
    if (await repeated(this.#database, () => this.#free(hints, options, dead))) return true;
    for (const { node, heartbeat } of found) this.#freed.set(node, { heartbeat, at: now });
    await this.#forget(Math.min(dead.before, now - NODE_FORGOTTEN_MS));
    // The owner of a SQLite file stays its only one.
    this.#isAlone = this.#database.dialect === 'sqlite';
    return false;
  }

  async #find(
    { node, before }: Dead,
    now: number,
  ): Promise<readonly { readonly node: number; readonly heartbeat: number }[]> {
    const rows = await repeated(this.#database, () =>
      this.#database.transaction((session) =>
        session.all('select node, heartbeat_at from nodes where heartbeat_at < $1 and node <> $2', [
          before,
          node,
        ]),
      ),
    );
    return rows
      .map((row) => ({ node: Number(row['node']), heartbeat: Number(row['heartbeat_at']) }))
      .filter((found) => {
        const freed = this.#freed.get(found.node);
        return freed?.heartbeat !== found.heartbeat || now - freed.at > LOOK_AGAIN_MS;
      });
  }

  #free(hints: Hints, options: ReleaseOrphansOptions, dead: Dead): Promise<boolean> {
    const { now, graceMs, limit } = options;
    return this.#database.transaction(async (session) => {
      // Rows that a round holds right now are its business; a later look finds them.
      const skip = session.dialect === 'postgres' ? ' for update of t skip locked' : '';
      const runs = await session.all(
        `update runs set ready_at = case kind when ${KIND.entity} then cast($1 as bigint) else cast($2 as bigint) end, attempts = attempts + 1
          where (hub, rid) in (
            select t.hub, t.rid from runs t
             where t.token is not null and t.ready_at is null
               and t.node in (select node from nodes where heartbeat_at < $3 and node <> $4)
             limit $5${skip})
         returning hub, kind, type, ready_at`,
        [now + graceMs.entity, now + graceMs.orchestration, dead.before, dead.node, limit],
      );
      for (const row of runs) noteFreed(hints, row, Number(row['kind']));
      const activities = await session.all(
        `update activities set ready_at = $1, attempts = attempts + 1
          where (hub, aid) in (
            select t.hub, t.aid from activities t
             where t.token is not null and t.ready_at is null
               and t.node in (select node from nodes where heartbeat_at < $2 and node <> $3)
             limit $4${skip})
         returning hub, type, ready_at`,
        [now + graceMs.activity, dead.before, dead.node, limit],
      );
      for (const row of activities) noteFreed(hints, row, KIND.activity);
      return runs.length === limit || activities.length === limit;
    });
  }

  async #forget(before: number): Promise<void> {
    await repeated(this.#database, () =>
      this.#database.transaction(async (session) => {
        const others = 'from nodes where heartbeat_at < $1 and node <> $2';
        const params = [before, this.#node];
        await session.run(`delete from lanes where node in (select node ${others})`, params);
        await session.run(`delete ${others}`, params);
      }),
    );
  }
}

/** Nodes other than this one whose last heartbeat is older than `before`. */
interface Dead {
  readonly node: number;
  readonly before: number;
}

function noteFreed(hints: Hints, row: Readonly<Record<string, unknown>>, kind: number): void {
  hints.noteQueue(
    { hub: Number(row['hub']), kind, type: Number(row['type']) },
    Number(row['ready_at']),
  );
}

/** Deletes what dropped hubs and row ids that are gone have left, a bounded number of rows at a time. */
export async function sweep(database: SqlDatabase, limit: number): Promise<boolean> {
  const step = async (session: SqlSession): Promise<boolean> =>
    (await sweepDroppedHub(session, limit)) || (await sweepGarbage(session, limit));
  return repeated(database, () => database.transaction(step));
}

async function sweepGarbage(session: SqlSession, limit: number): Promise<boolean> {
  const rows = await session.all(
    `select hub, rid from garbage order by hub, rid limit 50${session.dialect === 'postgres' ? ' for update skip locked' : ''}`,
    [],
  );
  let left = limit;
  for (const row of rows) {
    const key = [Number(row['hub']), Number(row['rid'])];
    left -= await deleteSome(session, 'history', 'chunk', key, left);
    if (left <= 0) return true;
    left -= await deleteSome(session, 'inbox', 'seq', key, left);
    if (left <= 0) return true;
    await session.run('delete from garbage where hub = $1 and rid = $2', key);
  }
  return rows.length === 50;
}

async function deleteSome(
  session: SqlSession,
  table: 'history' | 'inbox',
  column: 'chunk' | 'seq',
  key: readonly number[],
  limit: number,
): Promise<number> {
  const rows = await session.all(
    `delete from ${table}
      where hub = $1 and rid = $2
        and ${column} in (select ${column} from ${table} where hub = $1 and rid = $2 order by ${column} limit $3)
     returning ${column}`,
    [...key, limit],
  );
  return rows.length;
}
