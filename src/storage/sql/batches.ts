/** Reading the operations that entities may run now, from the tables. */
import { runnableOf, type QueuedOperation, type Runnable } from '../../core/entity-queue.ts';
import { ENTITY_BATCH_MAX } from '../../core/limits.ts';
import { operationsForBatch } from '../round/dispatch.ts';
import { queueNumbers } from '../round/entity-part.ts';
import { ridKey } from '../round/keys.ts';
import { readInbox } from './inbox.ts';
import { readQueues } from './load-entities.ts';
import type { InboxRow, RunRow } from './rows.ts';
import type { SqlSession } from './session.ts';

export interface Batch {
  readonly operations: readonly InboxRow[];
  /** The orchestration that holds the entity, whose operations these are; `null`: nobody holds it. */
  readonly sender: number | null;
}

export function mayRun(runnable: Runnable, { seq, sender }: QueuedOperation): boolean {
  const isOurs = runnable.sender === undefined || sender === runnable.sender;
  return isOurs && seq < runnable.before;
}

/** For each entity among these runs, which are locked; nothing for orchestrations. */
export async function readBatches(
  session: SqlSession,
  runs: readonly RunRow[],
): Promise<ReadonlyMap<string, Batch>> {
  const batches = new Map<string, Batch>();
  const queues = await readQueues(session, runs);
  for (const run of runs) {
    const key = ridKey(run.hub, run.rid);
    const queue = queues.get(key);
    if (!queue) continue;
    const runnable = runnableOf(queueNumbers(queue.row, queue.locks));
    batches.set(key, await readBatch(session, run, runnable));
  }
  return batches;
}

async function readBatch(session: SqlSession, run: RunRow, runnable: Runnable): Promise<Batch> {
  const { sender, before } = runnable;
  const rows = await session.all(
    `select seq, type, sender, bytes from inbox
      where hub = $1 and rid = $2 and seq < $3${sender === undefined ? '' : ' and sender = $4'}
      order by seq limit ${ENTITY_BATCH_MAX}`,
    [run.hub, run.rid, before, ...(sender === undefined ? [] : [sender])],
  );
  return {
    operations: operationsForBatch(rows.map(readInbox)),
    sender: sender ?? null,
  };
}
