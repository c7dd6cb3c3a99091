/**
 * The rows of one round, in memory: loaded (and locked) first, changed by the commits in arrival order,
 * written back at the end. A commit that needs a row which is not here says so (`MissingRows`); the round
 * then loads it and starts over, so nothing is ever decided on a row that was not looked at.
 */
import type { OrchestrationStatus } from '../../proto/orchestrator_service_pb.ts';
import { stampEvent, type StoredEvent } from '../../wire/events.ts';
import type { ActivityRow, InboxRow, InstanceRow, RunRow, TimerRow } from '../sql/rows.ts';
import type { StatusChange } from '../store.ts';
import type { EntityPart } from './entity-part.ts';
import {
  idKey,
  requestKeyText,
  ridKey,
  typeKeyText,
  waitingKeyText,
  type RequestKey,
  type RowKeys,
  type TypeKey,
} from './keys.ts';

export class MissingRows extends Error {
  override readonly name = 'MissingRows';
}

export interface HistoryChunk {
  readonly chunk: number;
  /** 1: for readers of the history, never for a worker. */
  readonly hidden: number;
  readonly bytes: Uint8Array;
}

/** One instance of this round. */
export interface Entry {
  readonly instance: InstanceRow;
  /** Gone when the instance has ended. */
  run: RunRow | undefined;
  readonly isNew: boolean;
  instanceChanged: boolean;
  /** The row is deleted: the id was given to another instance, or the instance was purged. */
  removed: boolean;
  /** Inbox rows that this round appends, with their numbers. */
  appended: InboxRow[];
  /** Inbox rows up to this number are consumed. */
  consumedUpto: number | undefined;
  /** Continue-as-new: the waiting rows move up by this much, and those of the old generation go. */
  inboxShift: number | undefined;
  chunks: HistoryChunk[];
  /** History chunks below this one belong to an earlier generation. */
  historyFrom: number | undefined;
  /** Single inbox rows that are consumed: operations that have overtaken others. */
  consumedSeqs: readonly number[];
  /** Its timers are to go. */
  dropsTimers: boolean;
  /** What an entity has beside. */
  readonly entity: EntityPart | undefined;
  /** The run as it is in the database, where it is: what differs is written. */
  readonly loadedRun: RunRow | undefined;
}

/** An entity of this round. */
export interface EntityEntry extends Entry {
  readonly entity: EntityPart;
}

export interface ActivityEntry {
  readonly row: ActivityRow;
  readonly isNew: boolean;
  changed: boolean;
  removed: boolean;
}

/** What was loaded before deciding. Values are copies that the round may change. */
export interface LoadedRows {
  /** `undefined` values, here and below: looked up, not there. */
  readonly entries: ReadonlyMap<string, Entry | undefined>;
  readonly idToRid: ReadonlyMap<string, number | undefined>;
  readonly activities: ReadonlyMap<string, ActivityEntry | undefined>;
  readonly consumed: ReadonlyMap<string, readonly InboxRow[]>;
  readonly firstChunks: ReadonlyMap<string, Uint8Array | undefined>;
  /** Chunks that workers see, in order. */
  readonly histories: ReadonlyMap<string, readonly Uint8Array[]>;
  readonly children: ReadonlyMap<string, readonly number[]>;
  /** Whether the request was seen. */
  readonly requests: ReadonlyMap<string, boolean>;
  /** Inbox numbers. */
  readonly waiting: ReadonlyMap<string, readonly number[]>;
  readonly queued: ReadonlyMap<string, readonly InboxRow[]>;
  /** Row ids of entities. */
  readonly locked: ReadonlyMap<string, readonly number[]>;
  readonly types: TypeBook;
}

/** Names and versions by number and back. */
export interface TypeBook {
  readonly numbers: ReadonlyMap<string, number>;
  readonly keys: ReadonlyMap<number, TypeKey>;
}

export interface RoundEnv {
  readonly now: number;
  /** A new row id, from this node's block. */
  readonly nextId: () => number;
  readonly random: () => string;
}

/** The type of an inbox row that holds no event: it only makes a turn due. */
export const WAKE_UP = 0;

export class RoundState {
  readonly env: RoundEnv;
  readonly changes: StatusChange[] = [];
  readonly timers: TimerRow[] = [];
  /** Fired or cancelled timers, by hub and id. */
  readonly removedTimers: { readonly hub: number; readonly tid: number }[] = [];
  /** Row ids whose history and inbox nobody will read again. */
  readonly garbage: { readonly hub: number; readonly rid: number }[] = [];
  /** Requests that entities have seen in this round. */
  readonly requests = new Map<string, RequestKey>();
  /** Instances and activities that became ready in this round, in order. */
  readonly readyEntries = new Set<Entry>();
  readonly readyActivities: ActivityEntry[] = [];
  readonly #loaded: LoadedRows;
  readonly #missing: RowKeys;
  readonly #created = new Map<string, Entry>();
  readonly #idToRid = new Map<string, number | undefined>();
  readonly #hubNames: ReadonlyMap<number, string>;
  readonly newActivities: ActivityEntry[] = [];

  constructor(
    loaded: LoadedRows,
    options: {
      readonly env: RoundEnv;
      readonly missing: RowKeys;
      readonly hubNames: ReadonlyMap<number, string>;
    },
  ) {
    this.#loaded = loaded;
    this.env = options.env;
    this.#missing = options.missing;
    this.#hubNames = options.hubNames;
  }

  /** The instance with this id, or `undefined` if there is none. */
  byId(hub: number, id: string): Entry | undefined {
    const key = idKey(hub, id);
    const known = this.#idToRid.has(key) ? this.#idToRid : this.#loaded.idToRid;
    if (!known.has(key)) {
      this.#missing.addId(hub, id);
      throw new MissingRows();
    }
    const rid = known.get(key);
    return rid === undefined ? undefined : this.byRid(hub, rid);
  }

  byRid(hub: number, rid: number): Entry | undefined {
    const key = ridKey(hub, rid);
    const entry = this.#created.get(key) ?? this.#loaded.entries.get(key);
    if (!entry && !this.#loaded.entries.has(key)) {
      this.#missing.addRid(hub, rid);
      throw new MissingRows();
    }
    return entry && !entry.removed ? entry : undefined;
  }

  activity(hub: number, aid: number): ActivityEntry | undefined {
    const key = ridKey(hub, aid);
    if (!this.#loaded.activities.has(key)) {
      this.#missing.addActivity(hub, aid);
      throw new MissingRows();
    }
    const entry = this.#loaded.activities.get(key);
    return entry && !entry.removed ? entry : undefined;
  }

  /** Inbox rows that the leased turn of this instance was handed, in order. */
  consumed({ instance: { hub, rid } }: Entry): readonly InboxRow[] {
    const rows = this.#loaded.consumed.get(ridKey(hub, rid));
    if (rows) return rows;
    this.#missing.addConsumed(hub, rid);
    throw new MissingRows();
  }

  firstChunk({ instance: { hub, rid } }: Entry): Uint8Array | undefined {
    const key = ridKey(hub, rid);
    if (!this.#loaded.firstChunks.has(key)) {
      this.#missing.addFirstChunk(hub, rid);
      throw new MissingRows();
    }
    return this.#loaded.firstChunks.get(key);
  }

  /** The whole history of an ended instance that workers see, what this round added to it included. */
  history({ instance: { hub, rid }, chunks }: Entry): readonly Uint8Array[] {
    const stored = this.#loaded.histories.get(ridKey(hub, rid));
    if (stored) return [...stored, ...chunks.map(({ bytes }) => bytes)];
    this.#missing.addHistory(hub, rid);
    throw new MissingRows();
  }

  /** Looks at all of several rows before the round starts over for the first that is missing. */
  lookAtAll(looks: readonly (() => unknown)[]): void {
    let isMissing = false;
    for (const look of looks) {
      try {
        look();
      } catch (error) {
        if (!(error instanceof MissingRows)) throw error;
        isMissing = true;
      }
    }
    if (isMissing) throw new MissingRows();
  }

  /** An ended instance lives again, on the same row. */
  revive(entry: Entry, run: RunRow): void {
    entry.run = run;
    entry.instanceChanged = true;
  }

  /** A turn without news: the orchestrator is to look at its history again. */
  wake(entry: Entry): void {
    const { run } = entry;
    if (!run) return;
    entry.appended.push({
      seq: run.next_seq,
      type: WAKE_UP,
      sender: null,
      bytes: new Uint8Array(),
    });
    run.next_seq += 1;
    this.makeReady(entry, this.env.now);
  }

  /** Live and ended children of an instance. */
  children({ instance: { hub, rid } }: Entry): readonly Entry[] {
    const rids = this.#loaded.children.get(ridKey(hub, rid));
    if (!rids) {
      this.#missing.addChildren(hub, rid);
      throw new MissingRows();
    }
    const created = [...this.#created.values()].filter(
      ({ instance, removed }) => instance.parent_rid === rid && !removed,
    );
    this.lookAtAll(rids.map((childRid) => () => this.byRid(hub, childRid)));
    const stored = rids.flatMap((childRid) => this.byRid(hub, childRid) ?? []);
    return [...stored, ...created];
  }

  /** Whether the entity has seen a request, in this round or in the time that requests are remembered. */
  isRequestSeen({ instance: { hub, rid }, isNew }: Entry, id: string): boolean {
    const key = { hub, rid, id };
    const text = requestKeyText(key);
    if (this.requests.has(text)) return true;
    if (isNew) return false;
    const seen = this.#loaded.requests.get(text);
    if (seen !== undefined) return seen;
    this.#missing.addRequest(key);
    throw new MissingRows();
  }

  noteRequest({ instance: { hub, rid } }: Entry, id: string): void {
    const key = { hub, rid, id };
    this.requests.set(requestKeyText(key), key);
  }

  /** How many operations of one sender wait for an entity. */
  waitingFrom(entry: Entry, sender: number): number {
    const { instance, run, appended, consumedSeqs, isNew } = entry;
    const key = { hub: instance.hub, rid: instance.rid, sender };
    const stored = isNew ? [] : this.#loaded.waiting.get(waitingKeyText(key));
    if (!stored) {
      this.#missing.addWaiting(key);
      throw new MissingRows();
    }
    const left = stored.filter((seq) => seq > (run?.read_seq ?? 0) && !consumedSeqs.includes(seq));
    return left.length + appended.filter((row) => row.sender === sender).length;
  }

  /** The entities that an orchestration has locked, or waits to lock. */
  lockedBy({ instance: { hub, rid } }: Entry): readonly EntityEntry[] {
    const stored = this.#loaded.locked.get(ridKey(hub, rid));
    if (!stored) {
      this.#missing.addLocked(hub, rid);
      throw new MissingRows();
    }
    this.lookAtAll(stored.map((entityRid) => () => this.byRid(hub, entityRid)));
    return [...this.touchedEntries()].filter(
      (entry): entry is EntityEntry =>
        entry.instance.hub === hub && entry.entity?.queue.involves(rid) === true,
    );
  }

  /** Whether an orchestration has been granted a lock. */
  holdsLock(owner: Entry): boolean {
    if (owner.run?.locking !== 1) return false;
    const { rid } = owner.instance;
    return this.lockedBy(owner).some(({ entity }) => entity.queue.held?.owner === rid);
  }

  /** All operations that wait for an entity, in order. */
  queued(entry: Entry): readonly InboxRow[] {
    const { hub, rid } = entry.instance;
    const stored = entry.isNew ? [] : this.#loaded.queued.get(ridKey(hub, rid));
    if (!stored) {
      this.#missing.addQueued(hub, rid);
      throw new MissingRows();
    }
    const left = stored.filter(
      ({ seq }) => seq > (entry.consumedUpto ?? 0) && !entry.consumedSeqs.includes(seq),
    );
    return [...left, ...entry.appended];
  }

  type(key: TypeKey): number {
    const type = this.#loaded.types.numbers.get(typeKeyText(key));
    if (type !== undefined) return type;
    this.#missing.addType(key);
    throw new MissingRows();
  }

  /** Name and version of a type that a loaded row holds. */
  typeKey(type: number): TypeKey {
    const key = this.#loaded.types.keys.get(type);
    if (!key) throw new Error(`type ${type} is not in the type table`);
    return key;
  }

  /** A new instance with its run. The id must be free: a replaced instance is removed first. */
  create(instance: InstanceRow, run: RunRow, entity?: EntityPart): Entry {
    const entry = emptyEntry(instance, run, entity);
    this.#created.set(ridKey(instance.hub, instance.rid), entry);
    this.#idToRid.set(idKey(instance.hub, instance.id), instance.rid);
    return entry;
  }

  /** Deletes an instance at once and leaves its large rows to the sweep. */
  remove(entry: Entry): void {
    const { hub, rid, id } = entry.instance;
    entry.removed = true;
    entry.run = undefined;
    this.readyEntries.delete(entry);
    this.#idToRid.set(idKey(hub, id), undefined);
    if (!entry.isNew) this.garbage.push({ hub, rid });
  }

  addActivity(row: ActivityRow): void {
    const entry: ActivityEntry = { row, isNew: true, changed: false, removed: false };
    this.newActivities.push(entry);
    this.readyActivities.push(entry);
  }

  /** Appends an event to the inbox and makes the instance ready, unless a turn is in flight. */
  deliver(entry: Entry, event: StoredEvent): void {
    this.append(entry, event, null);
    this.makeReady(entry, this.env.now);
  }

  /** Appends an event to the inbox; who sent it matters to entities. */
  append(entry: Entry, event: StoredEvent, sender: number | null): void {
    const { run } = entry;
    if (!run) return;
    const stamped = stampEvent(event, this.env.now);
    entry.appended.push({ seq: run.next_seq, ...stamped, sender });
    run.next_seq += 1;
  }

  /** A leased instance stays leased: its turn's commit sees what arrived meanwhile. */
  makeReady(entry: Entry, at: number): void {
    const { run } = entry;
    if (!run || run.ready_at !== null || run.token !== null) return;
    run.ready_at = at;
    this.readyEntries.add(entry);
  }

  setStatus(entry: Entry, status: OrchestrationStatus): void {
    const { instance } = entry;
    if (instance.status === status) return;
    instance.status = status;
    entry.instanceChanged = true;
    this.noteChange(entry);
  }

  noteChange({ instance }: Entry): void {
    const hub = this.#hubNames.get(instance.hub);
    if (hub === undefined) return;
    this.changes.push({
      hub,
      instanceId: instance.id,
      status: instance.status as OrchestrationStatus,
    });
  }

  *touchedEntries(): Iterable<Entry> {
    for (const entry of this.#loaded.entries.values()) if (entry) yield entry;
    yield* this.#created.values();
  }

  *loadedActivities(): Iterable<ActivityEntry> {
    for (const entry of this.#loaded.activities.values()) if (entry) yield entry;
  }
}

/** Copies of the rows, so that the round may change them and still know what was there. */
export function loadedEntry(
  instance: InstanceRow,
  run: RunRow | undefined,
  entity: EntityPart | undefined,
): Entry {
  return {
    ...emptyEntry({ ...instance }, run && { ...run }, entity),
    isNew: false,
    loadedRun: run,
  };
}

function emptyEntry(
  instance: InstanceRow,
  run: RunRow | undefined,
  entity: EntityPart | undefined,
): Entry {
  return {
    instance,
    entity,
    run,
    isNew: true,
    loadedRun: undefined,
    instanceChanged: false,
    removed: false,
    appended: [],
    consumedUpto: undefined,
    consumedSeqs: [],
    dropsTimers: false,
    inboxShift: undefined,
    chunks: [],
    historyFrom: undefined,
  };
}
