/** Rows as the round reads and writes them; `null` is SQL's own and stays inside the storage room. */
import type { SqlRow } from './session.ts';

export const KIND = { orchestration: 1, entity: 2, activity: 3 } as const;

export interface InstanceRow {
  readonly hub: number;
  readonly rid: number;
  readonly id: string;
  readonly kind: number;
  type: number;
  execution_id: string;
  exec: number;
  status: number;
  readonly created_at: number;
  updated_at: number;
  completed_at: number | null;
  readonly scheduled_at: number | null;
  readonly parent_rid: number | null;
  parent_exec: number | null;
  readonly parent_id: string | null;
  readonly tags: string | null;
  custom_status: string | null;
  error_type: string | null;
  error_message: string | null;
  first_chunk: number;
  last_chunk: number;
}

export interface RunRow {
  readonly hub: number;
  readonly rid: number;
  readonly kind: number;
  type: number;
  exec: number;
  execution_id: string;
  token: string | null;
  node: number;
  attempts: number;
  abandons: number;
  dispatched_at: number;
  lease_upto: number;
  /** Of an entity: the orchestration whose operations alone were handed out; `null`: those at the head of the queue. */
  lease_sender: number | null;
  ready_at: number | null;
  next_seq: number;
  read_seq: number;
  first_chunk: number;
  next_chunk: number;
  history_bytes: number;
  readonly parent_rid: number | null;
  parent_exec: number | null;
  readonly parent_task: number | null;
  suspended: number;
  /** 1: this execution has asked for locks; they are released when it ends. */
  locking: number;
  updated_at: number;
  trace: Uint8Array | null;
}

export interface ActivityRow {
  readonly hub: number;
  readonly aid: number;
  readonly rid: number;
  readonly exec: number;
  readonly type: number;
  readonly task: number;
  token: string | null;
  node: number;
  attempts: number;
  abandons: number;
  ready_at: number | null;
  readonly detached: number;
  readonly bytes: Uint8Array;
}

export interface TimerRow {
  readonly hub: number;
  readonly tid: number;
  readonly rid: number;
  readonly exec: number;
  readonly due_at: number;
  readonly bytes: Uint8Array;
}

export interface InboxRow {
  readonly seq: number;
  readonly type: number;
  /** Of an operation for an entity: the orchestration that called. */
  readonly sender: number | null;
  readonly bytes: Uint8Array;
}

/** The queue of an entity, as numbers; see core/entity-queue.ts. */
export interface EntityRow {
  readonly hub: number;
  readonly rid: number;
  /** Operations behind the last lock request. */
  readonly tail: number;
  /** Rows in `locks`, the one that holds the entity included. */
  readonly lock_count: number;
  /** The row in `locks` that holds the entity. */
  readonly lock_seq: number | null;
  readonly owner_operations: number;
  /** Where its owner has unlocked; see `QueueNumbers`. */
  readonly ending_seq: number | null;
  /** Batches in a row that a worker could not run at all. */
  readonly failures: number;
}

/** A lock request that waits in an entity's queue, or holds the entity. */
export interface LockRow {
  readonly hub: number;
  readonly rid: number;
  readonly seq: number;
  readonly owner_rid: number;
  readonly owner_exec: number;
  readonly section: string;
  /** JSON list of entity ids. */
  readonly lock_set: string;
  readonly position: number;
  /** Operations that wait directly ahead of it. */
  readonly ahead: number;
}

/** The columns named in the statement are the fields of the row type; migrations are held to them by a test. */
// The caller names the row type of its own statement; there is nothing to infer it from.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export function readRow<T>(row: SqlRow): T {
  return { ...row } as T;
}
