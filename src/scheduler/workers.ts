/** The connected workers: their room, what they hold, and what becomes of it when they go. */
import type { Clock } from '../base/clock.ts';
import { SUSPECT_ATTEMPTS } from '../core/limits.ts';
import {
  WorkerCapability,
  type GetWorkItemsRequest,
  type WorkItemFilters,
} from '../proto/orchestrator_service_pb.ts';
import {
  WORK_KINDS,
  type Claimed,
  type ClaimedOrchestration,
  type Holding,
  type ReleaseCommit,
  type Taker,
  type TypeFilter,
  type WorkKind,
} from '../storage/store.ts';
import { recordMetric } from '../telemetry/recorded-metrics.ts';
import {
  encodeActivityWorkItem,
  encodeEntityBatchWorkItem,
  encodeEntityWorkItem,
  encodeOrchestratorWorkItem,
} from '../wire/work-items.ts';
import { RecentKeys } from './recent-keys.ts';
import type { SchedulerSettings } from './settings.ts';
import type { DeliveryCounts, WorkerInfo } from './worker-info.ts';
import { mayLackTokens, subjectKey, subjectOf, type Subject } from './unnamed.ts';

/** The transport's side of one `GetWorkItems` stream. */
export interface WorkItemSink {
  push(workItem: Uint8Array): void;
  /** True while the transport's buffer is over its limit: nothing more is handed out. */
  readonly isBlocked: boolean;
  onDrain(callback: () => void): void;
  /** Ends the stream with OK. */
  end(): void;
}

export interface WorkerStream {
  /** The client went away. */
  close(): void;
  /**
   * The stream ends although its worker is well: what it holds waits for it to come back under the same id, and is
   * then held by its new stream as if nothing had happened.
   */
  expire(): void;
}

interface HeldItem {
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

/** How a worker let go of an item; `forgot`: it does not have in memory what the item left. */
export type Ending = 'completed' | 'forgot' | 'gaveBack';

interface Stream {
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

export interface WorkersOptions {
  readonly clock: Clock;
  readonly settings: SchedulerSettings;
  /** Room appeared. */
  readonly onRoom: () => void;
  readonly release: (commits: readonly ReleaseCommit[]) => void;
}

export interface ConnectOptions {
  readonly hub: string;
  readonly request: GetWorkItemsRequest;
  readonly workerId: string | undefined;
  readonly userAgent: string | undefined;
  /** The worker declares that it keeps things in memory between turns (`x-durabletask-sticky: 1`). */
  readonly isSticky: boolean;
  /** Who it is, where callers are asked; `undefined` where they are not. */
  readonly principal?: string | undefined;
  /** The worker asks for entity requests of the first generation (`x-durabletask-entity-request: 1`). */
  readonly takesEntityBatches?: boolean;
  readonly sink: WorkItemSink;
}

export class Workers {
  readonly #options: WorkersOptions;
  readonly #streams = new Map<number, Stream>();
  /** Whose stream holds which token. */
  readonly #holders = new Map<string, Stream>();
  #isDraining = false;
  /** By hub, since this process started. */
  readonly #totals = new Map<string, { delivered: number; completed: number }>();
  #nextId = 1;
  #turn = 0;

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  connect(options: ConnectOptions): WorkerStream {
    const { request, sink } = options;
    const stream: Stream = {
      ...options,
      id: this.#nextId,
      takesEntityBatches: options.takesEntityBatches === true,
      connectedAt: this.#options.clock.now(),
      capacity: {
        orchestration: this.#capacity(request.maxConcurrentOrchestrationWorkItems),
        activity: this.#capacity(request.maxConcurrentActivityWorkItems),
        entity: this.#capacity(request.maxConcurrentEntityWorkItems),
      },
      filters: readFilters(request.workItemFilters),
      messageBytesMax: hasNoMessageLimit(options.userAgent) ? Infinity : MESSAGE_BYTES_MAX,
      fetchesHistory: request.capabilities.includes(WorkerCapability.HISTORY_STREAMING),
      caches: new RecentKeys(),
      avoids: new RecentKeys(),
      lacksTokens: mayLackTokens(options),
      held: new Map(),
      heldCount: { orchestration: 0, activity: 0, entity: 0 },
      counts: { delivered: 0, completed: 0, gaveBack: 0 },
      isEnding: false,
      awaitedUntil: undefined,
    };
    this.#nextId += 1;
    this.#streams.set(stream.id, stream);
    this.#adopt(stream);
    sink.onDrain(this.#options.onRoom);
    this.#options.onRoom();
    return {
      close: () => {
        // While it drains, the stream is ended from here; what its worker holds is waited for.
        if (!this.#isDraining || !stream.isEnding) this.#disconnect(stream);
      },
      expire: () => {
        if (stream.held.size === 0 || stream.workerId === undefined) this.#disconnect(stream);
        stream.isEnding = true;
        stream.awaitedUntil = this.#options.clock.now() + COME_BACK_MS;
      },
    };
  }

  /** What the worker held when its last stream expired is in its hands still. */
  #adopt(stream: Stream): void {
    const { hub, workerId, principal } = stream;
    for (const old of this.#streams.values()) {
      const isSame = old.workerId === workerId && old.principal === principal && old.hub === hub;
      if (old.awaitedUntil === undefined || !isSame) continue;
      this.#streams.delete(old.id);
      for (const [token, item] of old.held) this.#hold(stream, token, item);
    }
  }

  #dropMissed(): void {
    for (const stream of [...this.#streams.values()]) {
      if (stream.awaitedUntil === undefined) continue;
      if (this.#options.clock.now() >= stream.awaitedUntil) this.#disconnect(stream);
    }
  }

  /** 0 means that the worker names no number, not that it wants none. */
  #capacity(asked: number): number {
    const { creditDefault, creditMax } = this.#options.settings;
    return asked > 0 ? Math.min(asked, creditMax) : creditDefault;
  }

  /** Room on every stream that can take something; the first one changes from round to round. */
  takers(): readonly Taker[] {
    this.#dropMissed();
    const takers: Taker[] = [];
    for (const stream of this.#streams.values()) {
      if (stream.isEnding || stream.sink.isBlocked || isAlone(stream)) continue;
      for (const kind of WORK_KINDS) {
        const credit = stream.capacity[kind] - stream.heldCount[kind];
        if (credit <= 0) continue;
        takers.push(takerOf(stream, kind, credit));
      }
    }
    if (takers.length < 2) return takers;
    this.#turn = (this.#turn + 1) % takers.length;
    return [...takers.slice(this.#turn), ...takers.slice(0, this.#turn)];
  }

  /** Sends out what a round has leased; what its stream can no longer take goes back. */
  handOut(claimed: readonly Claimed[]): void {
    const lost: Claimed[] = [];
    for (const item of claimed) {
      const stream = this.#streams.get(item.taker);
      if (!stream || stream.isEnding) {
        lost.push(item);
        continue;
      }
      this.#hold(stream, item.token, heldOf(stream, item, this.#options.clock.now()));
      stream.counts.delivered += 1;
      this.#totalsOf(stream.hub).delivered += 1;
      this.#push(stream, item);
    }
    if (lost.length > 0) {
      const readyAt = this.#options.clock.now();
      this.#options.release(
        lost.map(({ hub, kind, token }) => takenBack({ hub, work: kind, token, readyAt })),
      );
    }
  }

  /** A transport that fails takes its stream with it, not the items of others. */
  #push(stream: Stream, item: Claimed): void {
    try {
      stream.sink.push(encodeWorkItem(item, stream));
    } catch {
      // The stream is broken: everything it holds is given back, this item included.
      this.#disconnect(stream);
    }
  }

  #hold(stream: Stream, token: string, item: HeldItem): void {
    stream.held.set(token, item);
    stream.heldCount[item.kind] += 1;
    this.#holders.set(token, stream);
  }

  /**
   * A worker answered: its place is free, whatever becomes of the answer. `undo` is for an answer that could not
   * be committed; `disown` for one that was stale, so that the worker is not believed to know the execution.
   */
  settle(token: string, ending: Ending): Settlement | undefined {
    const stream = this.#holders.get(token);
    const item = stream?.held.get(token);
    if (!stream || !item) return undefined;
    this.#holders.delete(token);
    stream.held.delete(token);
    stream.heldCount[item.kind] -= 1;
    recordMetric('itemDuration', (this.#options.clock.now() - item.sinceAt) / 1000, {
      ...{ task_hub: stream.hub, kind: item.kind, outcome: ending },
    });
    if (ending === 'gaveBack') stream.avoids.add(item.key);
    stream.counts[ending === 'gaveBack' ? 'gaveBack' : 'completed'] += 1;
    if (ending !== 'gaveBack') this.#totalsOf(stream.hub).completed += 1;
    const { before, after } = item.memory ?? {};
    if (before !== undefined) stream.caches.delete(before);
    if (after !== undefined && ending === 'completed') stream.caches.add(after);
    const disown = (): void => {
      if (after !== undefined) stream.caches.delete(after);
    };
    return {
      disown,
      undo: () => {
        disown();
        if (this.#streams.has(stream.id)) this.#hold(stream, token, item);
        else this.#releaseAll(stream.hub, [[token, item]]);
      },
    };
  }

  /** The token of an item that a worker without tokens holds: one of the caller's own, not of somebody else's. */
  tokenOf(hub: string, subject: Subject, principal?: string): string | undefined {
    const key = subjectKey(subject);
    for (const stream of this.#streams.values()) {
      if (stream.hub !== hub || !stream.lacksTokens || stream.principal !== principal) continue;
      for (const [token, item] of stream.held) {
        if (item.subject === key) return token;
      }
    }
    return undefined;
  }

  /** What workers hold, hub by hub. */
  holdings(): ReadonlyMap<string, readonly Holding[]> {
    const byHub = new Map<string, Holding[]>();
    for (const [token, { hub, held }] of this.#holders) {
      const kind = held.get(token)?.kind;
      if (kind === undefined) continue;
      const ofHub = byHub.get(hub) ?? [];
      ofHub.push({ token, kind });
      byHub.set(hub, ofHub);
    }
    return byHub;
  }

  /** These were completed, or taken over, through another scheduler: their places are free. True if there were any. */
  letGo(tokens: readonly string[]): boolean {
    const settled = tokens.map((token) => this.settle(token, 'forgot'));
    return settled.some((settlement) => settlement !== undefined);
  }

  /** Tokens that a worker still holds. */
  get held(): number {
    return this.#holders.size;
  }

  /** Items handed out and completed since this process started. */
  totals(hub: string): Readonly<{ delivered: number; completed: number }> {
    return { ...this.#totalsOf(hub) };
  }

  #totalsOf(hub: string): { delivered: number; completed: number } {
    const totals = this.#totals.get(hub) ?? { delivered: 0, completed: 0 };
    this.#totals.set(hub, totals);
    return totals;
  }

  list(): readonly WorkerInfo[] {
    return [...this.#streams.values()].map(infoOf);
  }

  #disconnect(stream: Stream): void {
    if (!this.#streams.delete(stream.id)) return;
    for (const token of stream.held.keys()) this.#holders.delete(token);
    this.#releaseAll(stream.hub, [...stream.held]);
    stream.held.clear();
  }

  /** Tokens stay good for a grace period, so that completions in flight still land. */
  #releaseAll(hub: string, held: readonly (readonly [string, HeldItem])[]): void {
    if (held.length === 0) return;
    const { clock, settings, release } = this.#options;
    const now = clock.now();
    release(
      held.map(([token, { kind: work }]) => ({
        kind: 'release',
        hub,
        work,
        token,
        readyAt: now + settings.graceMs[work],
        loss: { parkAfter: settings.parkAfterLosses },
      })),
    );
  }

  /** Ends the streams of one hub, or all, with OK; their workers may still complete what they hold. */
  end(hub?: string): void {
    this.#isDraining ||= hub === undefined;
    for (const stream of [...this.#streams.values()]) {
      if (hub !== undefined && stream.hub !== hub) continue;
      stream.isEnding = true;
      stream.sink.end();
    }
  }

  /** Takes no more notice of anybody; gives everything back at once. */
  releaseNow(): readonly ReleaseCommit[] {
    const readyAt = this.#options.clock.now();
    const commits: ReleaseCommit[] = [];
    for (const [token, { hub, held }] of this.#holders) {
      const item = held.get(token);
      if (item) commits.push(takenBack({ hub, work: item.kind, token, readyAt }));
    }
    this.#holders.clear();
    this.#streams.clear();
    return commits;
  }
}

/** An item that no worker has failed: it is free at once. */
function takenBack(item: Pick<ReleaseCommit, 'hub' | 'work' | 'token' | 'readyAt'>): ReleaseCommit {
  return { ...item, kind: 'release', loss: undefined };
}

export interface Settlement {
  readonly disown: () => void;
  readonly undo: () => void;
}

/** What is remembered of an item: not its bytes. */
function heldOf(stream: Stream, item: Claimed, sinceAt: number): HeldItem {
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

function infoOf(stream: Stream): WorkerInfo {
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
function isAlone({ held }: Stream): boolean {
  const [first] = held.values();
  return held.size === 1 && first?.isSuspect === true;
}

function takerOf(stream: Stream, kind: WorkKind, credit: number): Taker {
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

function encodeWorkItem(item: Claimed, stream: Stream): Uint8Array {
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

/** How long a worker whose stream expired may take to come back: SDKs wait up to 30 s before they try again. */
const COME_BACK_MS = 45_000;

/** gRPC's default receive limit is 4 MiB, frame included; most clients leave it at that. */
const MESSAGE_BYTES_MAX = 4 * 1024 * 1024 - 16 * 1024;

/** JavaScript clients lift the limit; a hint that is wrong costs a failed delivery, not correctness. */
function hasNoMessageLimit(userAgent: string | undefined): boolean {
  return (
    userAgent !== undefined && /^(?:durabletask-(?:js|scheduler)|grpc-node-js)\//.test(userAgent)
  );
}

function readFilters(filters: WorkItemFilters | undefined): Stream['filters'] {
  if (!filters) return { orchestration: undefined, activity: undefined, entity: undefined };
  return {
    orchestration: filters.orchestrations.map(({ name, versions }) => ({ name, versions })),
    activity: filters.activities.map(({ name, versions }) => ({ name, versions })),
    entity: filters.entities.map(({ name }) => ({ name: name.toLowerCase(), versions: [] })),
  };
}
