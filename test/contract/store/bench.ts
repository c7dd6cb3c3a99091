/** A store with a clock that stands still: tests drive it round by round and play the workers. */
import assert from 'node:assert/strict';
import { failure } from '../../../src/core/failures.ts';
import type { OrchestrationIdReusePolicy } from '../../../src/proto/orchestrator_service_pb.ts';
import type { OrchestratorAction } from '../../../src/proto/orchestrator_service_pb.ts';
import type { HistoryEvent } from '../../../src/proto/orchestrator_service_pb.ts';
import type {
  ActivityCommit,
  Claimed,
  ClaimedActivity,
  ClaimedOrchestration,
  Commit,
  DeliverCommit,
  HistoryOptions,
  InstanceRecord,
  KeySet,
  Outcome,
  RoundResult,
  StartCommit,
  Store,
  Taker,
  TurnCommit,
  TypeFilter,
} from '../../../src/storage/store.ts';
import { decodeEvent, encodeEvent, unframeEvents } from '../../../src/wire/events.ts';
import type { EventType } from '../../../src/wire/events.ts';

/** What a driver gives the contract suite: an empty store, opened anew for each test. */
export interface OpenedStore {
  readonly store: Store;
  /** The store after its owner died: same data, another process (or another node). */
  reopen(): Promise<Store>;
  close(): Promise<void>;
}

export type OpenForContract = () => Promise<OpenedStore>;

export interface StartOptions {
  readonly hub?: string;
  readonly name?: string;
  readonly version?: string;
  readonly input?: string;
  readonly executionId?: string;
  readonly scheduledAt?: number;
  readonly policy?: OrchestrationIdReusePolicy;
  readonly tags?: Record<string, string>;
}

export interface TakeOptions {
  readonly hub?: string;
  readonly orchestrations?: number;
  readonly activities?: number;
  readonly entities?: number;
  readonly filters?: readonly TypeFilter[];
  readonly id?: number;
  /** What the worker has in memory. */
  readonly caches?: KeySet;
}

export const HUB = 'default';
export const START_AT = Date.UTC(2026, 0, 1);

/** A worker without memory, limits or anything in flight. */
export const PLAIN_STREAM = {
  isIdle: true,
  messageBytesMax: Infinity,
  fetchesHistory: false,
  caches: new Set<string>(),
  avoids: new Set<string>(),
};

export class Bench {
  store: Store;
  now = START_AT;
  last: RoundResult | undefined;
  readonly #opened: OpenedStore;
  #executions = 0;

  private constructor(opened: OpenedStore) {
    this.#opened = opened;
    this.store = opened.store;
  }

  static async open(open: OpenForContract, hubs: readonly string[] = [HUB]): Promise<Bench> {
    const bench = new Bench(await open());
    for (const hub of hubs) await bench.commit({ kind: 'createHub', hub, recreate: false });
    return bench;
  }

  async reopen(): Promise<void> {
    this.store = await this.#opened.reopen();
  }

  close(): Promise<void> {
    return this.#opened.close();
  }

  advance(ms: number): void {
    this.now += ms;
  }

  async exchange(commits: readonly Commit[], takers: readonly Taker[] = []): Promise<RoundResult> {
    const result = await this.store.exchange({ now: this.now, commits, takers });
    assert.equal(result.outcomes.length, commits.length, 'one outcome for each commit');
    this.last = result;
    return result;
  }

  async commit(commit: Commit): Promise<Outcome> {
    const { outcomes } = await this.exchange([commit]);
    return outcomes[0]!;
  }

  /** `commit` that must be accepted. */
  async apply(commit: Commit): Promise<void> {
    assert.deepEqual(await this.commit(commit), { ok: true });
  }

  start(instanceId: string, options: StartOptions = {}): StartCommit {
    const { hub = HUB, name = 'Orchestrator', version = '', input, tags = {} } = options;
    this.#executions += 1;
    const executionId = options.executionId ?? `execution-${this.#executions}`;
    return {
      kind: 'start',
      hub,
      instanceId,
      executionId,
      name,
      version,
      tags,
      scheduledAt: options.scheduledAt,
      policy: options.policy,
      started: encodeEvent({
        eventType: {
          case: 'executionStarted',
          value: {
            name,
            tags,
            orchestrationInstance: { instanceId, executionId },
            ...(version !== '' && { version }),
            ...(input !== undefined && { input }),
          },
        },
      }),
    };
  }

  /** Room for both kinds on one stream; 0 leaves a kind out. */
  takers(options: TakeOptions = {}): readonly Taker[] {
    const { hub = HUB, orchestrations = 100, activities = 100, id = 1, filters } = options;
    const { caches = PLAIN_STREAM.caches } = options;
    const taker = (kind: Taker['kind'], credit: number): Taker[] =>
      credit > 0 ? [{ ...PLAIN_STREAM, id, hub, kind, credit, filters, caches }] : [];
    return [
      ...taker('orchestration', orchestrations),
      ...taker('activity', activities),
      ...taker('entity', options.entities ?? 0),
    ];
  }

  /** A round without commits: what a worker with room is handed now. */
  async take(options: TakeOptions = {}): Promise<readonly Claimed[]> {
    const { claimed } = await this.exchange([], this.takers(options));
    return claimed;
  }

  async takeTurn(options: TakeOptions = {}): Promise<ClaimedOrchestration> {
    const claimed = await this.take({ activities: 0, ...options });
    const [item] = claimed;
    assert.equal(claimed.length, 1, 'exactly one orchestration is ready');
    assert.ok(item?.kind === 'orchestration');
    return item;
  }

  async takeActivity(options: TakeOptions = {}): Promise<ClaimedActivity> {
    const claimed = await this.take({ orchestrations: 0, ...options });
    const [item] = claimed;
    assert.equal(claimed.length, 1, 'exactly one activity is ready');
    assert.ok(item?.kind === 'activity');
    return item;
  }

  async takeNothing(options: TakeOptions = {}): Promise<void> {
    assert.deepEqual(await this.take(options), []);
  }

  /** Starts an instance and hands out its first turn. */
  async begin(instanceId: string, options: StartOptions = {}): Promise<ClaimedOrchestration> {
    await this.apply(this.start(instanceId, options));
    return this.takeTurn(options.hub === undefined ? {} : { hub: options.hub });
  }

  async get(instanceId: string, hub: string = HUB): Promise<InstanceRecord> {
    const record = await this.store.getInstance(hub, instanceId, { payloads: true });
    assert.ok(record, `instance ${instanceId} exists`);
    return record;
  }

  async history(
    instanceId: string,
    hub: string = HUB,
    rest: Partial<HistoryOptions> = {},
  ): Promise<readonly HistoryEvent[]> {
    const { signal } = new AbortController();
    const events: HistoryEvent[] = [];
    const chunks = this.store.history({
      ...{ hub, instanceId, executionId: undefined, forWorker: false, signal },
      ...rest,
    });
    for await (const chunk of chunks) events.push(...decodeFramed(chunk));
    return events;
  }
}

export function turn(
  item: Pick<ClaimedOrchestration, 'hub' | 'token'>,
  actions: readonly OrchestratorAction[] = [],
  rest: Partial<TurnCommit> = {},
): TurnCommit {
  return {
    kind: 'turn',
    hub: item.hub,
    token: item.token,
    actions,
    customStatus: undefined,
    traceContext: undefined,
    eventsProcessed: undefined,
    requiresHistory: false,
    ...rest,
  };
}

export function activityDone(
  item: Pick<ClaimedActivity, 'hub' | 'token'>,
  result?: string,
): Commit & { kind: 'activity' } {
  const { hub, token } = item;
  return { kind: 'activity', hub, token, result, failureDetails: undefined };
}

export function activityFailed(item: Pick<ClaimedActivity, 'hub' | 'token'>): ActivityCommit {
  const { hub, token } = item;
  const failureDetails = failure('Broken', 'the activity is broken');
  return { kind: 'activity', hub, token, result: undefined, failureDetails };
}

export function deliver(
  instanceId: string,
  eventType: EventType,
  hub: string = HUB,
): DeliverCommit {
  return { kind: 'deliver', hub, instanceId, event: encodeEvent({ eventType }) };
}

export function raise(instanceId: string, name: string, input?: string, hub = HUB): Commit {
  const value = { name, ...(input !== undefined && { input }) };
  return deliver(instanceId, { case: 'eventRaised', value }, hub);
}

export function terminate(instanceId: string, input?: string, recurse = false): DeliverCommit {
  const value = { recurse, ...(input !== undefined && { input }) };
  return deliver(instanceId, { case: 'executionTerminated', value });
}

export function refusal(outcome: Outcome): string {
  return outcome.ok ? 'OK' : outcome.error.code;
}

export function decodeFramed(framed: Uint8Array): readonly HistoryEvent[] {
  return [...unframeEvents(framed)].map((bytes) => decodeEvent({ type: 0, bytes }));
}

/** Cases of what was handed out: `past | new`. */
export function casesOf(item: ClaimedOrchestration): { past: string[]; fresh: string[] } {
  return {
    past: item.history.flatMap(decodeFramed).map(caseOf),
    fresh: newEventsOf(item).map(caseOf),
  };
}

export function newEventsOf(item: ClaimedOrchestration): readonly HistoryEvent[] {
  return item.newEvents.map(decodeEvent);
}

export function caseOf(event: HistoryEvent): string {
  return event.eventType.case ?? 'none';
}

export function orchestrations(claimed: readonly Claimed[]): readonly ClaimedOrchestration[] {
  return claimed.filter((item) => item.kind === 'orchestration');
}

export function activities(claimed: readonly Claimed[]): readonly ClaimedActivity[] {
  return claimed.filter((item) => item.kind === 'activity');
}

/** The store of the test that is running. */
export type UseBench = () => Bench;

/** For a claim that can be nothing else. */
export function turnClaimed(item: Claimed): ClaimedOrchestration {
  assert.ok(item.kind === 'orchestration');
  return item;
}
