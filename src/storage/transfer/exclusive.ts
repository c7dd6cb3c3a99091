/** Who else uses a store. A SQLite file has one owner anyway; schedulers on PostgreSQL say every second that they live. */
import { TaskHubError } from '../../core/errors.ts';
import type { SqlSession } from '../sql/session.ts';
import { NODE_DEAD_MS } from '../sql/upkeep.ts';

export interface UnusedOptions {
  readonly target: string;
  readonly now: number;
}

/** UNAVAILABLE while a scheduler serves from the store. */
export async function assertUnused(
  session: SqlSession,
  { target, now }: UnusedOptions,
): Promise<void> {
  if (session.dialect === 'sqlite') return;
  const [row] = await session.all('select count(*) as count from nodes where heartbeat_at >= $1', [
    now - NODE_DEAD_MS,
  ]);
  const count = Number(row?.['count']);
  if (count === 0) return;
  throw new TaskHubError(
    'UNAVAILABLE',
    `${target} is in use by ${count} ${count === 1 ? 'scheduler' : 'schedulers'}; stop ${count === 1 ? 'it' : 'them'} first (one that was killed counts for ${NODE_DEAD_MS / 1000} s)`,
  );
}

/**
 * UNAVAILABLE while an import has begun and not ended. Asked in the transaction in which a scheduler registers: after
 * that no import begins, and none that began before goes unseen.
 */
export async function assertNoImport(session: SqlSession, target: string): Promise<void> {
  const rows = await session.all('select id from imports limit 1', []);
  if (rows.length === 0) return;
  throw new TaskHubError(
    'UNAVAILABLE',
    `${target} holds an import that is not finished; run the same 'durabletask import' again, or take it back with 'durabletask import --abandon'`,
  );
}
