/** Reading the rows of a round, by key and in one order. */
import type { RowKeys } from '../round/keys.ts';
import { idKey, ridKey } from '../round/keys.ts';
import {
  loadedEntry,
  type ActivityEntry,
  type Entry,
  type LoadedRows,
  type TypeBook,
} from '../round/state.ts';
import { readInbox } from './inbox.ts';
import { EntityCache } from './load-entities.ts';
import type { Found } from '../round/touch.ts';
import { Conflict } from './faults.ts';
import { readRow, type ActivityRow, type InboxRow, type InstanceRow, type RunRow } from './rows.ts';
import type { SqlSession } from './session.ts';
import { selectWhere, type Statement } from './statement.ts';
import { ACTIVITIES, HISTORY, INBOX, INSTANCES, RUNS } from './tables.ts';

const RID_BY_ID = selectWhere(INSTANCES, {
  where: [
    ['hub', '='],
    ['id', '='],
  ],
  columns: ['hub', 'id', 'rid'],
});

const BY_RID = [
  ['hub', '='],
  ['rid', '='],
] as const;

interface LockingSelects {
  readonly runs: Statement;
  readonly instances: Statement;
  readonly activities: Statement;
}

/** In the order of their keys, so that two rounds never wait for each other in a circle. */
function lockingSelects(lock: 'wait' | 'now'): LockingSelects {
  return {
    runs: selectWhere(RUNS, { where: BY_RID, orderBy: ['rid'], lock }),
    instances: selectWhere(INSTANCES, { where: BY_RID, orderBy: ['rid'], lock }),
    activities: selectWhere(ACTIVITIES, {
      where: [
        ['hub', '='],
        ['aid', '='],
      ],
      orderBy: ['aid'],
      lock,
    }),
  };
}

/**
 * The first rows of a round are waited for, runs before instances before activities. Whatever it finds later that it
 * needs is out of order: taken at once, or the round starts over with all of it known (`Conflict`).
 */
const FIRST = lockingSelects('wait');
const LATER = lockingSelects('now');

const INBOX_RANGE = selectWhere(INBOX, {
  where: [
    ['hub', '='],
    ['rid', '='],
    ['seq', '>'],
    ['seq', '<='],
  ],
  orderBy: ['rid', 'seq'],
});
const SENDER_RANGE = selectWhere(INBOX, {
  where: [
    ['hub', '='],
    ['rid', '='],
    ['seq', '>'],
    ['seq', '<='],
    ['sender', '='],
  ],
  orderBy: ['rid', 'seq'],
});
const CHUNK = selectWhere(HISTORY, {
  where: [
    ['hub', '='],
    ['rid', '='],
    ['chunk', '='],
  ],
});
const VISIBLE_CHUNKS = selectWhere(HISTORY, {
  where: [
    ['hub', '='],
    ['rid', '='],
    ['chunk', '>='],
    ['hidden', '='],
  ],
  orderBy: ['chunk'],
});
const CHILDREN = selectWhere(INSTANCES, {
  where: [
    ['hub', '='],
    ['parent_rid', '='],
  ],
  columns: ['hub', 'parent_rid', 'rid'],
});

/** Rows as they are in the database; each attempt at the round works on fresh copies. */
export class RowCache {
  readonly #ids = new Map<string, number | undefined>();
  readonly #instances = new Map<string, InstanceRow | undefined>();
  readonly #runs = new Map<string, RunRow | undefined>();
  readonly #activities = new Map<string, ActivityRow | undefined>();
  readonly #consumed = new Map<string, readonly InboxRow[]>();
  readonly #firstChunks = new Map<string, Uint8Array | undefined>();
  readonly #histories = new Map<string, readonly Uint8Array[]>();
  readonly #children = new Map<string, readonly number[]>();
  readonly #entities = new EntityCache();
  #isLocking = false;

  async load(session: SqlSession, keys: RowKeys): Promise<void> {
    await this.#loadIds(session, keys);
    await this.#lock(session, keys);
    this.#checkIds();
    // Under the lock of its parent the list of children is complete; they may be rows of their own to lock.
    const hasMore = [
      await this.#loadChildren(session, keys),
      await this.#entities.loadLocked(session, keys),
    ];
    if (hasMore.includes(true)) await this.#lock(session, keys);
    await this.#entities.load(session, keys, this.#runs);
    await this.#loadConsumed(session, keys);
    await this.#loadFirstChunks(session, keys);
    await this.#loadHistories(session, keys);
  }

  /** Types of the rows that are loaded. */
  *types(): Iterable<{ readonly hub: number; readonly type: number }> {
    for (const run of this.#runs.values()) if (run) yield run;
  }

  /** Fresh copies that a round may change. */
  entries(): Map<string, Entry | undefined> {
    const entries = new Map<string, Entry | undefined>();
    for (const [key, instance] of this.#instances) {
      const run = this.#runs.get(key);
      entries.set(key, instance && loadedEntry(instance, run, this.#entities.part(key)));
    }
    return entries;
  }

  /** What has been loaded, by row id and by name. */
  found(): Found {
    const entries = this.entries();
    const find = (hub: number, id: string): Entry | undefined => {
      const rid = this.#ids.get(idKey(hub, id));
      return rid === undefined ? undefined : entries.get(ridKey(hub, rid));
    };
    return { entries, find };
  }

  snapshot(types: TypeBook): LoadedRows {
    const activities = new Map<string, ActivityEntry | undefined>();
    for (const [key, row] of this.#activities) {
      const entry = row && { row: { ...row }, isNew: false, changed: false, removed: false };
      activities.set(key, entry);
    }
    return {
      entries: this.entries(),
      idToRid: this.#ids,
      activities,
      consumed: this.#consumed,
      firstChunks: this.#firstChunks,
      histories: this.#histories,
      children: this.#children,
      ...this.#entities.looked,
      types,
    };
  }

  async #loadIds(session: SqlSession, keys: RowKeys): Promise<void> {
    const wanted = [...keys.ids].filter(([key]) => !this.#ids.has(key));
    if (wanted.length === 0) return;
    const rows = await session.allMany(
      RID_BY_ID,
      wanted.map(([, { hub, id }]) => [hub, id]),
    );
    for (const [key] of wanted) this.#ids.set(key, undefined);
    for (const row of rows) {
      const found = readRow<{ hub: number; id: string; rid: number }>(row);
      this.#ids.set(idKey(found.hub, found.id), found.rid);
      keys.addRid(found.hub, found.rid);
    }
  }

  /** Between the look at its id and the lock on its row an instance may have given way to another. */
  #checkIds(): void {
    for (const [key, rid] of this.#ids) {
      if (rid === undefined) continue;
      const hub = Number(key.slice(0, key.indexOf(' ')));
      if (!this.#instances.get(ridKey(hub, rid))) throw new Conflict('an instance was replaced');
    }
  }

  /**
   * A rewind gives an ended instance a run again: whoever waited for its instance has looked for the run before that,
   * and found none.
   */
  #checkRuns(keys: readonly string[]): void {
    for (const key of keys) {
      const instance = this.#instances.get(key);
      if (instance && (instance.completed_at === null) !== this.#runs.has(key)) {
        throw new Conflict('an instance came back to life');
      }
    }
  }

  async #loadChildren(session: SqlSession, keys: RowKeys): Promise<boolean> {
    const wanted = [...keys.children].filter(([key]) => !this.#children.has(key));
    if (wanted.length === 0) return false;
    const rows = await session.allMany(
      CHILDREN,
      wanted.map(([, { hub, rid }]) => [hub, rid]),
    );
    const byParent = new Map<string, number[]>(wanted.map(([key]) => [key, []]));
    for (const row of rows) {
      const found = readRow<{ hub: number; parent_rid: number; rid: number }>(row);
      byParent.get(ridKey(found.hub, found.parent_rid))?.push(found.rid);
      keys.addRid(found.hub, found.rid);
    }
    for (const [key, rids] of byParent) this.#children.set(key, rids);
    return true;
  }

  /** Sent together: on PostgreSQL the three statements cost one round trip. */
  async #lock(session: SqlSession, keys: RowKeys): Promise<void> {
    const rids = [...keys.rids].filter(([key]) => !this.#instances.has(key));
    const aids = [...keys.activities].filter(([key]) => !this.#activities.has(key));
    if (rids.length === 0 && aids.length === 0) return;
    const selects = this.#isLocking ? LATER : FIRST;
    this.#isLocking = true;
    const byRid = inOrder(rids.map(([, { hub, rid }]) => [hub, rid]));
    const byAid = inOrder(aids.map(([, { hub, aid }]) => [hub, aid]));
    const [runs, instances, activities] = await Promise.all([
      session.allMany(selects.runs, byRid),
      session.allMany(selects.instances, byRid),
      session.allMany(selects.activities, byAid),
    ]);
    for (const [key] of rids) this.#instances.set(key, undefined);
    for (const row of instances) {
      const instance = readRow<InstanceRow>(row);
      this.#instances.set(ridKey(instance.hub, instance.rid), instance);
    }
    for (const row of runs) {
      const run = readRow<RunRow>(row);
      this.#runs.set(ridKey(run.hub, run.rid), run);
    }
    this.#checkRuns(rids.map(([key]) => key));
    for (const [key] of aids) this.#activities.set(key, undefined);
    for (const row of activities) {
      const activity = readRow<ActivityRow>(row);
      this.#activities.set(ridKey(activity.hub, activity.aid), activity);
    }
  }

  /** A turn's own range; for an instance that was never handed out, its first event. */
  async #loadConsumed(session: SqlSession, keys: RowKeys): Promise<void> {
    const wanted = [...keys.consumed].filter(([key]) => !this.#consumed.has(key));
    const runs = wanted.flatMap(([key]) => this.#runs.get(key) ?? []);
    const rangeOf = (run: RunRow): number[] => {
      return [run.hub, run.rid, run.read_seq, Math.max(run.lease_upto, run.read_seq + 1)];
    };
    const rows = [
      ...(await session.allMany(
        INBOX_RANGE,
        runs.filter(({ lease_sender }) => lease_sender === null).map(rangeOf),
      )),
      ...(await session.allMany(
        SENDER_RANGE,
        runs.flatMap((run) =>
          run.lease_sender === null ? [] : [[...rangeOf(run), run.lease_sender]],
        ),
      )),
    ];
    const byRun = new Map<string, InboxRow[]>(wanted.map(([key]) => [key, []]));
    for (const row of rows) {
      byRun.get(ridKey(row['hub'] as number, row['rid'] as number))?.push(readInbox(row));
    }
    for (const [key, rows] of byRun) this.#consumed.set(key, rows);
  }

  async #loadHistories(session: SqlSession, keys: RowKeys): Promise<void> {
    for (const [key, { hub, rid }] of keys.histories) {
      // One that is live in the database and ends in this round has its cursors in its run.
      const first = (this.#runs.get(key) ?? this.#instances.get(key))?.first_chunk ?? 0;
      const rows = await session.allMany(VISIBLE_CHUNKS, [[hub, rid, first, 0]]);
      this.#histories.set(
        key,
        rows.map(({ bytes }) => bytes as Uint8Array),
      );
    }
  }

  async #loadFirstChunks(session: SqlSession, keys: RowKeys): Promise<void> {
    for (const [key, { hub, rid }] of keys.firstChunks) {
      const run = this.#runs.get(key);
      const rows = await session.allMany(CHUNK, [[hub, rid, run?.first_chunk ?? 0]]);
      this.#firstChunks.set(key, rows[0]?.['bytes'] as Uint8Array | undefined);
    }
  }
}

function inOrder(keys: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  return [...keys].sort(([hubA, a], [hubB, b]) => hubA - hubB || a - b);
}
