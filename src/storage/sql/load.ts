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
import { readRow, type ActivityRow, type InboxRow, type InstanceRow, type RunRow } from './rows.ts';
import type { SqlRow, SqlSession } from './session.ts';
import { selectWhere } from './statement.ts';
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

/** Row ids ascending, so that two rounds never wait for each other in a circle. */
const RUN_BY_RID = selectWhere(RUNS, { where: BY_RID, orderBy: ['rid'], lock: true });
const INSTANCE_BY_RID = selectWhere(INSTANCES, { where: BY_RID, orderBy: ['rid'], lock: true });
const ACTIVITY_BY_AID = selectWhere(ACTIVITIES, {
  where: [
    ['hub', '='],
    ['aid', '='],
  ],
  orderBy: ['aid'],
  lock: true,
});
const INBOX_RANGE = selectWhere(INBOX, {
  where: [
    ['hub', '='],
    ['rid', '='],
    ['seq', '>'],
    ['seq', '<='],
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

  async load(session: SqlSession, keys: RowKeys): Promise<void> {
    await this.#loadIds(session, keys);
    await this.#loadChildren(session, keys);
    await this.#loadInstances(session, keys);
    await this.#loadActivities(session, keys);
    await this.#loadConsumed(session, keys);
    await this.#loadFirstChunks(session, keys);
    await this.#loadHistories(session, keys);
  }

  /** Fresh copies that a round may change. */
  entries(): Map<string, Entry | undefined> {
    const entries = new Map<string, Entry | undefined>();
    for (const [key, instance] of this.#instances) {
      const run = this.#runs.get(key);
      entries.set(key, instance && loadedEntry(instance, run));
    }
    return entries;
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

  async #loadChildren(session: SqlSession, keys: RowKeys): Promise<void> {
    const wanted = [...keys.children].filter(([key]) => !this.#children.has(key));
    if (wanted.length === 0) return;
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
  }

  async #loadInstances(session: SqlSession, keys: RowKeys): Promise<void> {
    const wanted = [...keys.rids].filter(([key]) => !this.#instances.has(key));
    if (wanted.length === 0) return;
    const params = wanted
      .map(([, { hub, rid }]) => [hub, rid] as const)
      .sort(([hubA, ridA], [hubB, ridB]) => hubA - hubB || ridA - ridB);
    const runs = await session.allMany(RUN_BY_RID, params);
    const instances = await session.allMany(INSTANCE_BY_RID, params);
    for (const [key] of wanted) this.#instances.set(key, undefined);
    for (const row of instances) {
      const instance = readRow<InstanceRow>(row);
      this.#instances.set(ridKey(instance.hub, instance.rid), instance);
    }
    for (const row of runs) {
      const run = readRow<RunRow>(row);
      this.#runs.set(ridKey(run.hub, run.rid), run);
    }
  }

  async #loadActivities(session: SqlSession, keys: RowKeys): Promise<void> {
    const wanted = [...keys.activities].filter(([key]) => !this.#activities.has(key));
    if (wanted.length === 0) return;
    const params = wanted
      .map(([, { hub, aid }]) => [hub, aid] as const)
      .sort(([, a], [, b]) => a - b);
    const rows = await session.allMany(ACTIVITY_BY_AID, params);
    for (const [key] of wanted) this.#activities.set(key, undefined);
    for (const row of rows) {
      const activity = readRow<ActivityRow>(row);
      this.#activities.set(ridKey(activity.hub, activity.aid), activity);
    }
  }

  /** A turn's own range; for an instance that was never handed out, its first event. */
  async #loadConsumed(session: SqlSession, keys: RowKeys): Promise<void> {
    const wanted = [...keys.consumed].filter(([key]) => !this.#consumed.has(key));
    const params = wanted.flatMap(([key]) => {
      const run = this.#runs.get(key);
      return run
        ? [[run.hub, run.rid, run.read_seq, Math.max(run.lease_upto, run.read_seq + 1)]]
        : [];
    });
    const byRun = new Map<string, InboxRow[]>(wanted.map(([key]) => [key, []]));
    for (const row of await session.allMany(INBOX_RANGE, params)) {
      byRun.get(ridKey(row['hub'] as number, row['rid'] as number))?.push(readInbox(row));
    }
    for (const [key, rows] of byRun) this.#consumed.set(key, rows);
  }

  async #loadHistories(session: SqlSession, keys: RowKeys): Promise<void> {
    for (const [key, { hub, rid }] of keys.histories) {
      const first = this.#instances.get(key)?.first_chunk ?? 0;
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

export function readInbox(row: SqlRow): InboxRow {
  return {
    seq: row['seq'] as number,
    type: row['type'] as number,
    bytes: row['bytes'] as Uint8Array,
  };
}
