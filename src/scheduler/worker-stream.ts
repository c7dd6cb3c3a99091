/** One stream of a connected worker: what it can take, what it holds, how an item is written for it. */
import { SUSPECT_ATTEMPTS } from '../core/limits.ts';
import type { WorkItemFilters } from '../proto/orchestrator_service_pb.ts';
import type {
  Claimed,
  ClaimedOrchestration,
  Taker,
  TypeFilter,
  WorkKind,
} from '../storage/store.ts';
import {
  encodeActivityWorkItem,
  encodeEntityBatchWorkItem,
  encodeEntityWorkItem,
  encodeOrchestratorWorkItem,
} from '../wire/work-items.ts';
import type { RecentKeys } from './recent-keys.ts';
import { subjectOf } from './unnamed.ts';
import type { DeliveryCounts, WorkerInfo } from './worker-info.ts';

/** The transport's side of one `GetWorkItems` stream. */
export interface WorkItemSink {
  push(workItem: Uint8Array): void;
  /** True while the transport's buffer is over its limit: nothing more is handed out. */
  readonly isBlocked: boolean;
  onDrain(callback: () => void): void;
  /** Ends the stream with OK. */
  end(): void;
}

/** What a worker has in hand. */
export interface HeldItem {
  readonly kind: WorkKind;
  readonly key: string;
  /** Epoch ms of its hand-out. */
  readonly sinceAt: number;
  readonly attempts: number;
  /** Where the worker may keep it in memory: see `ClaimedOrchestration.memory`. */
  readonly memory?: ClaimedOrchestration['memory'];
  /** Workers were lost with it before: nothing else goes out beside it. */
  readonly isSuspect: boolean;
  /** What it is about, if its worker may not name its token. */
  readonly subject?: string;
}

/** One open `GetWorkItems` call. */
export interface Stream {
  readonly id: number;
  readonly hub: string;
  readonly workerId: string | undefined;
  readonly userAgent: string | undefined;
  readonly principal?: string | undefined;
  readonly connectedAt: number;
  readonly sink: WorkItemSink;
  readonly capacity: Readonly<Record<WorkKind, number>>;
  readonly filters: Readonly<Record<WorkKind, readonly TypeFilter[] | undefined>>;
  readonly held: Map<string, HeldItem>;
  /** The worker keeps orchestrations and states of entities in memory between turns and says so. */
  readonly isSticky: boolean;
  readonly takesEntityBatches: boolean;
  /** The worker may name what it completes by its subject instead of a token. */
  readonly lacksTokens: boolean;
  readonly messageBytesMax: number;
  readonly fetchesHistory: boolean;
  readonly caches: RecentKeys;
  readonly avoids: RecentKeys;
  readonly heldCount: Record<WorkKind, number>;
  readonly counts: DeliveryCounts;
  /** Epoch ms until which what it holds waits for its worker's next stream; see `expire`. */
  awaitedUntil: number | undefined;
  /** Told to go: it gets nothing more. */
  isEnding: boolean;
}

/** What is remembered of an item: not its bytes. */
export function heldOf(stream: Stream, item: Claimed, sinceAt: number): HeldItem {
  const { kind, key, attempts } = item;
  return {
    ...{ kind, key, sinceAt, attempts },
    isSuspect: attempts >= SUSPECT_ATTEMPTS,
    ...(item.kind !== 'activity' && keeps(stream, item) && { memory: item.memory }),
    // There are no entities in the protocol without tokens.
    ...(stream.lacksTokens && item.kind !== 'entity' && { subject: subjectOf(item) }),
  };
}

/** Requests of the first generation have no room for the names of states. */
function keeps({ isSticky, takesEntityBatches }: Stream, { kind }: Claimed): boolean {
  return isSticky && !(kind === 'entity' && takesEntityBatches);
}

/** What the dashboard and the metrics are told of it. */
export function infoOf(stream: Stream): WorkerInfo {
  const { hub, id, workerId, userAgent, connectedAt, isEnding, isSticky, capacity } = stream;
  return {
    ...{ hub, workerId, userAgent, connectedAt, isEnding, isSticky, capacity },
    stream: id,
    inFlight: stream.held.size,
    inFlightByKind: { ...stream.heldCount },
    filters: stream.filters,
    counts: { ...stream.counts },
    held: [...stream.held].map(([token, { kind, sinceAt, attempts }]) => ({
      ...{ token, kind, sinceAt, attempts },
    })),
  };
}

/** A suspect goes to a stream that holds nothing, and stays alone there. */
export function isAlone({ held }: Stream): boolean {
  const [first] = held.values();
  return held.size === 1 && first?.isSuspect === true;
}

/** Its room for one kind of work, as the store asks for it. */
export function takerOf(stream: Stream, kind: WorkKind, credit: number): Taker {
  const { id, hub, messageBytesMax, fetchesHistory, caches, avoids } = stream;
  const isIdle = stream.held.size === 0;
  const filters = stream.filters[kind];
  return {
    id,
    hub,
    kind,
    credit,
    filters,
    isIdle,
    messageBytesMax,
    fetchesHistory,
    caches,
    avoids,
  };
}

/** An encoded `WorkItem`, in the form that its worker reads. */
export function encodeWorkItem(item: Claimed, stream: Stream): Uint8Array {
  const { token: completionToken } = item;
  if (item.kind === 'activity') return encodeActivityWorkItem(item.request, completionToken);
  if (item.kind === 'entity') {
    if (stream.takesEntityBatches) return encodeEntityBatchWorkItem({ ...item, completionToken });
    const { before, after } = item.memory;
    const names = { next: after, leftOut: item.isStateCached ? before : undefined };
    const stateMemory = keeps(stream, item) ? names : undefined;
    return encodeEntityWorkItem({ ...item, completionToken, stateMemory });
  }
  return encodeOrchestratorWorkItem({
    ...item,
    completionToken,
    requiresHistoryStreaming: item.historyMode === 'streamed',
  });
}

/** gRPC's default receive limit is 4 MiB, frame included; most clients leave it at that. */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024 - 16 * 1024;

/** JavaScript clients lift the limit; a hint that is wrong costs a failed delivery, not correctness. */
export function hasNoMessageLimit(userAgent: string | undefined): boolean {
  return (
    userAgent !== undefined && /^(?:durabletask-(?:js|scheduler)|grpc-node-js)\//.test(userAgent)
  );
}

/** The types that it takes, by kind; `undefined`: any. */
export function readFilters(filters: WorkItemFilters | undefined): Stream['filters'] {
  if (!filters) return { orchestration: undefined, activity: undefined, entity: undefined };
  return {
    orchestration: filters.orchestrations.map(({ name, versions }) => ({ name, versions })),
    activity: filters.activities.map(({ name, versions }) => ({ name, versions })),
    entity: filters.entities.map(({ name }) => ({ name: name.toLowerCase(), versions: [] })),
  };
}
