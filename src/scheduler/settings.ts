/** What an operator may set of the engine; the defaults are complete, inner code never sees an unset value. */
import { DEFAULT_PAYLOAD_LIMITS, type PayloadLimits } from '../core/limits.ts';
import type { WorkKind } from '../storage/store.ts';

export interface SchedulerSettings {
  /** Items in flight for one kind on one stream that names no number (the protocol's 0). */
  readonly creditDefault: number;
  /** Upper bound of what a stream may ask for. */
  readonly creditMax: number;
  /** How long the token of an item stays good alone after its worker's stream ended, in ms. */
  readonly graceMs: Readonly<Record<WorkKind, number>>;
  /** Deliveries in a row that end with the loss of the worker before an item is parked. */
  readonly parkAfterLosses: number;
  /** Commits in one round; more wait for the next. */
  readonly roundCommitsMax: number;
  /** Bytes of commits in one round, so that large payloads do not hold up the others. */
  readonly roundBytesMax: number;
  /** Requests that may wait for a round; beyond it the server answers RESOURCE_EXHAUSTED. */
  readonly pendingMax: number;
  /** Bytes of requests that may wait for a round. */
  readonly pendingBytesMax: number;
  /** Requests for new work a second, by task hub; `*` stands for the others. Without a rate: as many as there is room for. */
  readonly hubRates: Readonly<Record<string, number>>;
  /** How often waiters look for themselves, in ms: hints only make them faster. */
  readonly waitPollMs: number;
  /** On a shared store: how often what workers hold is compared to what the store says, in ms. */
  readonly reconcileMs: number;
  /** How long a closing scheduler waits for what its workers hold, in ms. */
  readonly drainMs: number;
  /** Pause between two rounds of background work, in ms. */
  readonly upkeepMs: number;
  /** How long an entity remembers the requests it has seen, in ms: the same again is not applied again. */
  readonly requestMemoryMs: number;
  /** How often the retention policy is applied, in ms. */
  readonly retentionMs: number;
  readonly payloadLimits: PayloadLimits;
}

export const DEFAULT_SCHEDULER_SETTINGS: SchedulerSettings = {
  creditDefault: 100,
  creditMax: 1000,
  graceMs: { orchestration: 1000, activity: 10_000, entity: 1000 },
  parkAfterLosses: 10,
  roundCommitsMax: 512,
  roundBytesMax: 4 * 1024 * 1024,
  pendingMax: 20_000,
  pendingBytesMax: 256 * 1024 * 1024,
  hubRates: {},
  waitPollMs: 1000,
  reconcileMs: 500,
  drainMs: 10_000,
  upkeepMs: 1000,
  requestMemoryMs: 30 * 60_000,
  retentionMs: 10_000,
  payloadLimits: DEFAULT_PAYLOAD_LIMITS,
};
