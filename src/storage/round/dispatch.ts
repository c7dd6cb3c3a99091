/** Turning ready rows into leased work items. Pure: the caller reads the rows and writes the leases. */
import { dueAt } from '../../core/due-at.ts';
import {
  ENTITY_BATCH_BYTES_MAX,
  ENTITY_BATCH_MAX,
  NEW_EVENTS_BYTES_MAX,
  NEW_EVENTS_MAX,
  SUSPECT_ATTEMPTS,
} from '../../core/limits.ts';
import { orchestratorStarted } from '../../core/orchestration.ts';
import { decodeEvent, EVENT_NUMBER } from '../../wire/events.ts';
import {
  KIND,
  type ActivityRow,
  type InboxRow,
  type InstanceRow,
  type RunRow,
} from '../sql/rows.ts';
import type { ClaimedActivity, ClaimedEntity, ClaimedOrchestration } from '../store.ts';
import { makeToken } from './keys.ts';
import type { Need, Taken } from './room.ts';
import { WAKE_UP, type RoundEnv } from './state.ts';

export interface DispatchEnv extends RoundEnv {
  /** This process, as a row in `nodes`. */
  readonly node: number;
}

/** As many waiting events as one work item may carry: at least one, and then by count and bytes. */
export function eventsForTurn(waiting: readonly InboxRow[]): readonly InboxRow[] {
  return bounded(waiting, { count: NEW_EVENTS_MAX, bytes: NEW_EVENTS_BYTES_MAX });
}

/**
 * Leases a run for one turn over `events` (not empty). The orchestrator's clock is monotonic and never
 * before the timers that it is told of.
 */
export function leaseRun(run: RunRow, events: readonly InboxRow[], env: DispatchEnv): void {
  run.token = makeToken(String(run.rid), env.nextId(), env.random());
  run.node = env.node;
  run.dispatched_at = Math.max(env.now, run.dispatched_at, ...events.map(fireAtOf));
  run.lease_upto = events.at(-1)?.seq ?? run.read_seq;
  run.ready_at = null;
}

function fireAtOf(row: InboxRow): number {
  if (row.type !== EVENT_NUMBER.timerFired) return 0;
  const { eventType } = decodeEvent(row);
  const fireAt = eventType.case === 'timerFired' ? eventType.value.fireAt : undefined;
  return fireAt ? dueAt(fireAt) : 0;
}

/** As many operations as one entity work item may carry: at least one, and then by count and bytes. */
export function operationsForBatch(waiting: readonly InboxRow[]): readonly InboxRow[] {
  return bounded(waiting, { count: ENTITY_BATCH_MAX, bytes: ENTITY_BATCH_BYTES_MAX });
}

function bounded(
  waiting: readonly InboxRow[],
  max: { readonly count: number; readonly bytes: number },
): readonly InboxRow[] {
  let bytes = 0;
  let count = 0;
  for (const row of waiting) {
    bytes += row.bytes.length;
    if (count > 0 && (bytes > max.bytes || count >= max.count)) break;
    count += 1;
  }
  return waiting.slice(0, count);
}

/**
 * Leases an entity for one batch of operations (not empty); `sender` is the owner of its lock. The batch gets a number
 * that no other ever had: what it leaves is stored under it, so that the number names one state and no other, however
 * many batches were handed out and came to nothing.
 */
export function leaseEntity(
  run: RunRow,
  operations: readonly InboxRow[],
  sender: number | null,
  env: DispatchEnv,
): void {
  run.token = makeToken(String(run.rid), env.nextId(), env.random());
  run.node = env.node;
  run.dispatched_at = env.now;
  run.lease_upto = operations.at(-1)?.seq ?? run.read_seq;
  run.lease_sender = sender;
  run.ready_at = null;
  const hasState = run.next_chunk > run.first_chunk;
  run.next_chunk += 1;
  if (!hasState) run.first_chunk = run.next_chunk;
}

/** Ids, token and frame of a work item, generously. */
const MESSAGE_FRAME_BYTES = 2048;

export function needOfRun(run: RunRow, events: readonly InboxRow[]): Need {
  const news = events.reduce((sum, { bytes }) => sum + bytes.length + 8, MESSAGE_FRAME_BYTES);
  return {
    key: run.execution_id,
    memoryKey:
      run.kind === KIND.entity ? stateKey(run, run.first_chunk) : memoryKey(run, run.read_seq),
    bytes: news + run.history_bytes,
    bytesWithoutHistory: run.history_bytes > 0 ? news : undefined,
    canStream: run.kind === KIND.orchestration,
    isSuspect: run.attempts >= SUSPECT_ATTEMPTS,
  };
}

/**
 * Names an execution at the end of one turn: a worker that has it in memory as of then lacks nothing. The
 * execution alone would not do: another worker may have had a turn since.
 */
function memoryKey(run: RunRow, readSeq: number): string {
  return `${run.execution_id}:${readSeq}:${run.dispatched_at}`;
}

/** Names a state of an entity: what is stored under this number. */
function stateKey({ execution_id }: RunRow, chunk: number): string {
  return `${execution_id}:${chunk}`;
}

export function needOfActivity(row: ActivityRow): Need {
  return {
    key: String(row.aid),
    memoryKey: undefined,
    bytes: row.bytes.length + MESSAGE_FRAME_BYTES,
    bytesWithoutHistory: undefined,
    canStream: false,
    isSuspect: row.attempts >= SUSPECT_ATTEMPTS,
  };
}

/** How long an item waits that nobody connected can carry now (too large for them, or to go out alone). */
export const DEFER_MS = 1000;

export interface RunClaim {
  readonly instance: InstanceRow;
  readonly run: RunRow;
  readonly events: readonly InboxRow[];
  readonly taken: Taken;
  readonly hubName: string;
  readonly history: readonly Uint8Array[];
}

export function claimedOrchestration(claim: RunClaim): ClaimedOrchestration {
  const { run, instance } = claim;
  return {
    kind: 'orchestration',
    taker: claim.taken.taker,
    hub: claim.hubName,
    token: run.token ?? '',
    instanceId: instance.id,
    executionId: run.execution_id,
    history: claim.history,
    historyMode: claim.taken.history,
    key: run.execution_id,
    memory: { before: claim.taken.memoryKey, after: memoryKey(run, run.lease_upto) },
    newEvents: [
      orchestratorStarted(run.dispatched_at),
      ...claim.events.filter(({ type }) => type !== WAKE_UP),
    ],
    traceContext: run.trace ?? undefined,
    attempts: run.attempts,
  };
}

/** `history` holds the state, where it travels. */
export function claimedEntity({ run, instance, taken, ...claim }: RunClaim): ClaimedEntity {
  return {
    kind: 'entity',
    taker: taken.taker,
    hub: claim.hubName,
    token: run.token ?? '',
    instanceId: instance.id,
    executionId: run.execution_id,
    state: claim.history[0],
    isStateCached: taken.history === 'cached',
    operations: claim.events,
    key: run.execution_id,
    memory: { before: taken.memoryKey, after: stateKey(run, run.next_chunk) },
    attempts: run.attempts,
  };
}

export function leaseActivity(row: ActivityRow, env: DispatchEnv): void {
  row.token = makeToken(`${row.rid}.${row.aid}`, env.nextId(), env.random());
  row.node = env.node;
  row.ready_at = null;
}

export function claimedActivity(
  row: ActivityRow,
  options: { readonly taker: number; readonly hubName: string },
): ClaimedActivity {
  return {
    kind: 'activity',
    taker: options.taker,
    hub: options.hubName,
    token: row.token ?? '',
    request: row.bytes,
    key: String(row.aid),
    attempts: row.attempts,
  };
}
