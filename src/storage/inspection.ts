/**
 * What people look at: lists in any order, what an instance waits for, what is queued. Reads only, each bounded, none on
 * the connection that dispatch uses where there is a choice. Beside `Store`, which holds what the protocol asks for.
 */
import type { RuntimeStatus } from '../core/instance.ts';
import type { WorkKind } from './store.ts';

/** A text, or everything that begins with it. */
export interface TextMatch {
  readonly text: string;
  readonly isPrefix: boolean;
}

/** A tag by key, by value, or both. */
export interface TagMatch {
  readonly key: string | undefined;
  readonly value: string | undefined;
}

/** Epoch ms; from inclusive, to exclusive. */
export interface TimeRange {
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** Parts combine with AND, several values of one part with OR; empty and `undefined` parts leave all in. */
export interface RowFilter {
  readonly statuses: readonly RuntimeStatus[];
  readonly ids: readonly TextMatch[];
  readonly names: readonly TextMatch[];
  readonly versions: readonly string[];
  /** All of them. */
  readonly tags: readonly TagMatch[];
  readonly created: TimeRange;
  readonly completed: TimeRange;
  readonly parentId: string | undefined;
  /** `fold`: roots only; `only`: sub-orchestrations only. */
  readonly children: 'fold' | 'show' | 'only';
  readonly errorTypes: readonly string[];
  /** Somewhere in the error message, as it is written. */
  readonly errorText: string | undefined;
}

export type RowSort = 'created' | 'completed' | 'id';

/** Where a page begins: beyond this row, in the order of the list. */
export interface RowKey {
  readonly at: number | string;
  readonly rid: number;
}

export interface RowQuery {
  readonly hub: string;
  readonly filter: RowFilter;
  readonly sort: RowSort;
  readonly isDescending: boolean;
  readonly after: RowKey | undefined;
  /** The page before `after` instead of the one behind it; its rows still come in the order of the list. */
  readonly isBackwards: boolean;
  readonly limit: number;
  readonly bounds?: RowBounds;
}

/** A row's place in a list. */
export function keyOf(row: Row, sort: RowQuery['sort']): RowKey {
  const { rid, createdAt, completedAt, instanceId } = row;
  if (sort === 'id') return { at: instanceId, rid };
  return { at: sort === 'created' ? createdAt : (completedAt ?? 0), rid };
}

/** What one page may cost, whatever its filter. */
export interface RowBounds {
  /** Rows that are sorted without an index. Default 2,000. */
  readonly sorted: number;
  /** Rows that are tried one by one. Default 50,000. */
  readonly tried: number;
}

/** One orchestration in a list; no payload in it. */
export interface Row {
  readonly instanceId: string;
  readonly rid: number;
  readonly executionId: string;
  /** Counts continue-as-new, from 1. */
  readonly generation: number;
  readonly name: string;
  readonly version: string;
  readonly status: RuntimeStatus;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly completedAt: number | undefined;
  readonly scheduledAt: number | undefined;
  readonly parentId: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** Its beginning. */
  readonly customStatus: string | undefined;
  readonly errorType: string | undefined;
  /** Its beginning. */
  readonly errorMessage: string | undefined;
  /** Bytes of committed history, while the instance is live. */
  readonly historyBytes: number | undefined;
  /** Changes whenever something of it did. */
  readonly revision: string;
}

export interface RowPage {
  readonly items: readonly Row[];
  /** `undefined`: this was the last page in its direction. */
  readonly next: RowKey | undefined;
  /** The filter's parts that no index answers were tried on a bounded number of rows: `next` goes on from there. */
  readonly isPartial: boolean;
}

export interface Count {
  readonly count: number;
  /** There may be more. */
  readonly isCapped: boolean;
}

/** Rows of a filter that share a value. */
export interface Facet {
  readonly by: 'status' | 'name' | 'version' | 'errorType';
  readonly value: string;
  readonly count: number;
}

/** A place in the history. */
export interface HistoryPosition {
  /** Chunk and place in it: names an event for as long as the history is not replaced. */
  readonly chunk: number;
  readonly index: number;
}

export interface HistoryEntry extends HistoryPosition {
  /** From 1. */
  readonly position: number;
  /** Encoded `HistoryEvent`. */
  readonly bytes: Uint8Array;
}

export interface HistoryPageOptions {
  /** The last event that is known already, with its position; `undefined`: from the beginning. */
  readonly after: (HistoryPosition & { readonly position: number }) | undefined;
  readonly limit: number;
}

export interface HistoryPage {
  readonly executionId: string;
  readonly items: readonly HistoryEntry[];
  readonly hasMore: boolean;
}

/** An item that is queued or with a worker. */
export interface OutstandingWork {
  readonly kind: WorkKind;
  readonly name: string;
  readonly version: string;
  /** Id of the event that scheduled it; `undefined` for a turn. */
  readonly eventId: number | undefined;
  /** Epoch ms from which it may be handed out; `undefined`: it is with a worker. */
  readonly readyAt: number | undefined;
  readonly isParked: boolean;
  /** Of its lease; names it to `Inspector`. */
  readonly token: string | undefined;
  readonly node: number;
  /** Deliveries in a row that ended with the loss of the worker. */
  readonly attempts: number;
  /** Times in a row that workers gave it back. */
  readonly abandons: number;
}

/** What stands between an instance and its end, as far as the store knows. */
export interface Outstanding {
  readonly row: Row;
  /** Suspended as of its committed history. */
  readonly isSuspended: boolean;
  /** Events delivered and not yet handed to a worker. */
  readonly unread: number;
  /** Its next turn, when it is queued or with a worker. */
  readonly turn: OutstandingWork | undefined;
  /** At most `limit` of each. */
  readonly activities: readonly OutstandingWork[];
  readonly timers: readonly { readonly dueAt: number }[];
  readonly children: readonly Row[];
  /** True when one of the lists was cut. */
  readonly isCut: boolean;
}

/** Items of one name that wait. */
export interface Backlog {
  readonly kind: WorkKind;
  readonly name: string;
  readonly version: string;
  readonly pending: number;
  readonly isCapped: boolean;
  readonly oldestAt: number;
}

/** Items of one kind in one hub. */
export interface QueueTotal {
  readonly hub: string;
  readonly kind: WorkKind;
  /** Could be handed out now; what is delayed or scheduled is not among them before it is due. */
  readonly pending: number;
  /** Set aside after too many lost deliveries; not among the pending ones. */
  readonly parked: number;
  /** Epoch ms since when the oldest pending one waits; `undefined`: none does. */
  readonly oldestAt: number | undefined;
}

/** A name that instances, activities or entities of the hub have had. */
export interface KnownName {
  readonly kind: WorkKind;
  readonly name: string;
  readonly version: string;
}

/** What a lease is about. */
export interface LeasedItem {
  readonly token: string;
  readonly kind: WorkKind;
  readonly instanceId: string;
  readonly name: string;
}

export interface Inspection {
  rows(query: RowQuery): Promise<RowPage>;
  /** Those that exist, in no particular order. */
  rowsById(hub: string, instanceIds: readonly string[]): Promise<readonly Row[]>;
  count(hub: string, filter: RowFilter, max: number): Promise<Count>;
  /** Live and ended orchestrations by status, each counted up to `max`. */
  statusCounts(hub: string, max: number): Promise<ReadonlyMap<RuntimeStatus, Count>>;
  /** Groups of at most `max` matching rows. */
  facets(hub: string, filter: RowFilter, max: number): Promise<readonly Facet[]>;
  children(hub: string, instanceId: string, limit: number): Promise<readonly Row[]>;
  /** Its parent first; at most `limit`. */
  ancestors(hub: string, instanceId: string, limit: number): Promise<readonly Row[]>;
  /** `undefined` for a missing instance. */
  historyPage(
    hub: string,
    instanceId: string,
    options: HistoryPageOptions,
  ): Promise<HistoryPage | undefined>;
  /** One encoded `HistoryEvent`. */
  historyEvent(
    hub: string,
    instanceId: string,
    position: HistoryPosition,
  ): Promise<Uint8Array | undefined>;
  outstanding(hub: string, instanceId: string, limit: number): Promise<Outstanding | undefined>;
  backlog(hub: string): Promise<readonly Backlog[]>;
  /** Of all hubs, exactly; kinds of which nothing waits are left out. */
  queueTotals(now: number): Promise<readonly QueueTotal[]>;
  /** What other schedulers on this store announced within the last seconds (`Store.announce`). */
  announcements(now: number): Promise<readonly string[]>;
  names(hub: string): Promise<readonly KnownName[]>;
  /** What these tokens name, those that still exist. */
  leased(
    hub: string,
    tokens: readonly { readonly kind: WorkKind; readonly token: string }[],
  ): Promise<readonly LeasedItem[]>;
}
