/**
 * Suspends and resumes that change nothing stay away from workers: the published Python worker fails an orchestration
 * on a resume that follows no suspend, and never ends the turn of a resume that follows two suspends.
 */
import { EVENT_NUMBER, type StoredEvent } from '../../wire/events.ts';
import type { RunRow } from '../sql/rows.ts';

/** Bits of the column `suspended`: as of the committed history, and as of all that was delivered. */
const COMMITTED = 1;
const DELIVERED = 2;

/** Suspended as of the committed history. */
export function isSuspended(run: RunRow): boolean {
  return (run.suspended & COMMITTED) !== 0;
}

/** Takes note of an event about to be delivered; false if it is a suspend or resume without effect. */
export function admitPause(run: RunRow, { type }: StoredEvent): boolean {
  const suspends = type === EVENT_NUMBER.executionSuspended;
  if (!suspends && type !== EVENT_NUMBER.executionResumed) return true;
  if (suspends === ((run.suspended & DELIVERED) !== 0)) return false;
  run.suspended ^= DELIVERED;
  return true;
}

/** Takes note of a committed turn. `hasMore`: events wait that it did not consume, perhaps such ones. */
export function commitPause(
  run: RunRow,
  turn: { readonly isSuspended: boolean; readonly hasMore: boolean },
): void {
  const committed = turn.isSuspended ? COMMITTED : 0;
  const delivered = turn.isSuspended ? DELIVERED : 0;
  run.suspended = committed | (turn.hasMore ? run.suspended & DELIVERED : delivered);
}
