/** Which rows a round needs, and the tokens that name them. */
import type { WorkKind } from '../store.ts';

/** Rows to look at before deciding; filled by `touch.ts`, and by commits that find one missing. */
export class RowKeys {
  /** Instance ids by hub number. */
  readonly ids = new Map<string, { readonly hub: number; readonly id: string }>();
  readonly rids = new Map<string, { readonly hub: number; readonly rid: number }>();
  readonly activities = new Map<string, { readonly hub: number; readonly aid: number }>();
  /** Inbox rows that a leased turn was handed. */
  readonly consumed = new Map<string, { readonly hub: number; readonly rid: number }>();
  /** First history chunk of the current generation, where `executionStarted` stands. */
  readonly firstChunks = new Map<string, { readonly hub: number; readonly rid: number }>();
  /** Whole histories, for a rewind. */
  readonly histories = new Map<string, { readonly hub: number; readonly rid: number }>();
  readonly children = new Map<string, { readonly hub: number; readonly rid: number }>();
  readonly types = new Map<string, TypeKey>();
  /** Requests that an entity may have seen. */
  readonly requests = new Map<string, RequestKey>();
  /** Operations of one sender that wait for an entity. */
  readonly waiting = new Map<string, WaitingKey>();
  /** Everything that waits for an entity, for its purge. */
  readonly queued = new Map<string, { readonly hub: number; readonly rid: number }>();
  /** Entities that an orchestration has locked, or waits for. */
  readonly locked = new Map<string, { readonly hub: number; readonly rid: number }>();

  addId(hub: number, id: string): void {
    this.ids.set(idKey(hub, id), { hub, id });
  }
  addRid(hub: number, rid: number): void {
    this.rids.set(ridKey(hub, rid), { hub, rid });
  }
  addActivity(hub: number, aid: number): void {
    this.activities.set(ridKey(hub, aid), { hub, aid });
  }
  addConsumed(hub: number, rid: number): void {
    this.consumed.set(ridKey(hub, rid), { hub, rid });
  }
  addFirstChunk(hub: number, rid: number): void {
    this.firstChunks.set(ridKey(hub, rid), { hub, rid });
  }
  addHistory(hub: number, rid: number): void {
    this.histories.set(ridKey(hub, rid), { hub, rid });
  }
  addChildren(hub: number, rid: number): void {
    this.children.set(ridKey(hub, rid), { hub, rid });
  }
  addType(key: TypeKey): void {
    this.types.set(typeKeyText(key), key);
  }

  addRequest(key: RequestKey): void {
    this.requests.set(requestKeyText(key), key);
  }
  addWaiting(key: WaitingKey): void {
    this.waiting.set(waitingKeyText(key), key);
  }
  addQueued(hub: number, rid: number): void {
    this.queued.set(ridKey(hub, rid), { hub, rid });
  }
  addLocked(hub: number, rid: number): void {
    this.locked.set(ridKey(hub, rid), { hub, rid });
  }

  /** Takes over what `other` has. */
  merge(other: RowKeys): void {
    mergeMap(this.ids, other.ids);
    mergeMap(this.rids, other.rids);
    mergeMap(this.activities, other.activities);
    mergeMap(this.consumed, other.consumed);
    mergeMap(this.firstChunks, other.firstChunks);
    mergeMap(this.histories, other.histories);
    mergeMap(this.children, other.children);
    mergeMap(this.types, other.types);
    mergeMap(this.requests, other.requests);
    mergeMap(this.waiting, other.waiting);
    mergeMap(this.queued, other.queued);
    mergeMap(this.locked, other.locked);
  }
}

function mergeMap<T>(into: Map<string, T>, from: ReadonlyMap<string, T>): void {
  for (const [key, value] of from) into.set(key, value);
}

export interface TypeKey {
  readonly hub: number;
  readonly kind: number;
  readonly name: string;
  readonly version: string;
}

export interface RequestKey {
  readonly hub: number;
  readonly rid: number;
  readonly id: string;
}

export interface WaitingKey {
  readonly hub: number;
  readonly rid: number;
  readonly sender: number;
}

export function requestKeyText({ hub, rid, id }: RequestKey): string {
  return `${hub} ${rid} ${id}`;
}

export function waitingKeyText({ hub, rid, sender }: WaitingKey): string {
  return `${hub} ${rid} ${sender}`;
}

export function idKey(hub: number, id: string): string {
  return `${hub} ${id}`;
}

export function ridKey(hub: number, rid: number): string {
  return `${hub} ${rid}`;
}

export function typeKeyText({ hub, kind, name, version }: TypeKey): string {
  return JSON.stringify([hub, kind, name, version]);
}

/**
 * A completion token: what it names, the number of the lease, and 128 random bits.
 *   orchestration  `<rid>:<lease>:<random>`        activity  `<rid>.<aid>:<lease>:<random>`
 */
export function makeToken(row: string, lease: number, random: string): string {
  return `${row}:${lease}:${random}`;
}

export interface TokenRows {
  readonly rid: number;
  readonly aid: number | undefined;
}

const TOKENS: Readonly<Record<WorkKind, RegExp>> = {
  orchestration: /^(\d{1,15}):\d{1,15}:[0-9a-f]{32}$/,
  entity: /^(\d{1,15}):\d{1,15}:[0-9a-f]{32}$/,
  activity: /^(\d{1,15})\.(\d{1,15}):\d{1,15}:[0-9a-f]{32}$/,
};

/** The rows that a token names; `undefined` for text that was never a token of this kind of work. */
export function parseToken(token: string, work: WorkKind): TokenRows | undefined {
  const match = TOKENS[work].exec(token);
  if (!match) return undefined;
  return { rid: Number(match[1]), aid: match[2] === undefined ? undefined : Number(match[2]) };
}
