/** Turning ready rows into leased work items. Pure: the caller reads the rows and writes the leases. */
import { dueAt } from '../../core/actions.ts';
import { NEW_EVENTS_BYTES_MAX, NEW_EVENTS_MAX } from '../../core/limits.ts';
import { orchestratorStarted } from '../../core/orchestration.ts';
import { decodeEvent, EVENT_NUMBER } from '../../wire/events.ts';
import type { ActivityRow, InboxRow, InstanceRow, RunRow } from '../sql/rows.ts';
import type { ClaimedActivity, ClaimedOrchestration } from '../store.ts';
import { makeToken } from './keys.ts';
import { WAKE_UP, type RoundEnv } from './state.ts';

export interface DispatchEnv extends RoundEnv {
  /** This process, as a row in `nodes`. */
  readonly node: number;
}

/** As many waiting events as one work item may carry: at least one, and then by count and bytes. */
export function eventsForTurn(waiting: readonly InboxRow[]): readonly InboxRow[] {
  let bytes = 0;
  let count = 0;
  for (const row of waiting) {
    bytes += row.bytes.length;
    if (count > 0 && (bytes > NEW_EVENTS_BYTES_MAX || count >= NEW_EVENTS_MAX)) break;
    count += 1;
  }
  return waiting.slice(0, count);
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

export interface RunClaim {
  readonly instance: InstanceRow;
  readonly run: RunRow;
  readonly events: readonly InboxRow[];
  readonly taker: number;
  readonly hubName: string;
  readonly history: readonly Uint8Array[];
}

export function claimedOrchestration(claim: RunClaim): ClaimedOrchestration {
  const { run, instance } = claim;
  return {
    kind: 'orchestration',
    taker: claim.taker,
    hub: claim.hubName,
    token: run.token ?? '',
    instanceId: instance.id,
    executionId: run.execution_id,
    history: claim.history,
    newEvents: [
      orchestratorStarted(run.dispatched_at),
      ...claim.events.filter(({ type }) => type !== WAKE_UP),
    ],
    traceContext: run.trace ?? undefined,
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
    attempts: row.attempts,
  };
}
