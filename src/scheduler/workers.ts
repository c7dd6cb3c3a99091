/** The connected workers: their room, what they hold, and what becomes of it when they go. */
import type { Clock } from '../base/clock.ts';
import { WorkerCapability, type GetWorkItemsRequest } from '../proto/orchestrator_service_pb.ts';
import {
  WORK_KINDS,
  type Claimed,
  type Holding,
  type ReleaseCommit,
  type Taker,
} from '../storage/store.ts';
import { recordMetric } from '../telemetry/recorded-metrics.ts';
import { RecentKeys } from './recent-keys.ts';
import type { SchedulerSettings } from './settings.ts';
import { mayLackTokens, subjectKey, type Subject } from './unnamed.ts';
import type { WorkerInfo } from './worker-info.ts';
import {
  encodeWorkItem,
  hasNoMessageLimit,
  heldOf,
  infoOf,
  isAlone,
  MESSAGE_BYTES_MAX,
  readFilters,
  takerOf,
  type HeldItem,
  type Stream,
  type WorkItemSink,
} from './worker-stream.ts';

export interface WorkerStream {
  /** The client went away. */
  close(): void;
  /**
   * The stream ends although its worker is well: what it holds waits for it to come back under the same id, and is
   * then held by its new stream as if nothing had happened.
   */
  expire(): void;
}

/** How a worker let go of an item; `forgot`: it does not have in memory what the item left. */
export type Ending = 'completed' | 'forgot' | 'gaveBack';

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

/** How long a worker whose stream expired may take to come back: SDKs wait up to 30 s before they try again. */
const COME_BACK_MS = 45_000;

/** One stream of this node, or all of a worker that asks for itself. */
export type DrainOptions =
  | { readonly hub: string; readonly stream: number; readonly worker?: undefined }
  | {
      readonly hub: string;
      readonly stream?: undefined;
      readonly worker: { readonly id: string; readonly principal: string | undefined };
    };

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

  /**
   * Gives a worker nothing more: its streams stay open, and what it holds may be completed on them. A stream that it
   * opens later is served again. How many streams there were.
   */
  drain({ hub, stream, worker }: DrainOptions): number {
    const drained = [...this.#streams.values()].filter(
      (each) =>
        each.hub === hub &&
        each.awaitedUntil === undefined &&
        (stream === undefined || each.id === stream) &&
        (worker === undefined ||
          (each.workerId === worker.id && each.principal === worker.principal)),
    );
    for (const each of drained) each.isEnding = true;
    return drained.length;
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
