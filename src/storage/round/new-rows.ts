/** The two rows that a new instance begins with. */
import { OrchestrationStatus } from '../../proto/orchestrator_service_pb.ts';
import type { StoredEvent } from '../../wire/events.ts';
import { KIND, type InstanceRow, type RunRow } from '../sql/rows.ts';
import type { Entry } from './state.ts';

export interface NewInstance {
  readonly hub: number;
  readonly instanceId: string;
  readonly executionId: string;
  readonly name: string;
  readonly version: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly scheduledAt: number | undefined;
  readonly parent:
    { readonly entry: Entry; readonly exec: number; readonly taskId: number } | undefined;
  /** Without a time. */
  readonly started: StoredEvent;
}

interface NewRow {
  readonly rid: number;
  readonly type: number;
  readonly now: number;
  /** `null`: at once. */
  readonly scheduledAt: number | null;
}

interface NewRows {
  readonly instance: InstanceRow;
  readonly run: RunRow;
}

export function newRows(fresh: NewInstance, row: NewRow): NewRows {
  const { hub, executionId } = fresh;
  const { rid, type, now } = row;
  const parent = parentColumns(fresh.parent);
  const common = { hub, rid, kind: KIND.orchestration, type, execution_id: executionId, exec: 1 };
  return {
    instance: {
      ...common,
      id: fresh.instanceId,
      status: OrchestrationStatus.PENDING,
      created_at: now,
      updated_at: now,
      scheduled_at: row.scheduledAt,
      parent_rid: parent.parent_rid,
      parent_exec: parent.parent_exec,
      parent_id: fresh.parent?.entry.instance.id ?? null,
      tags: Object.keys(fresh.tags).length === 0 ? null : JSON.stringify(fresh.tags),
      ...NO_END,
    },
    run: { ...common, ...parent, ...IDLE, updated_at: now },
  };
}

const NO_END = {
  completed_at: null,
  custom_status: null,
  error_type: null,
  error_message: null,
  first_chunk: 1,
  last_chunk: 0,
} as const;

/** A run that nobody has been handed and nothing has reached. */
const IDLE = {
  token: null,
  node: 0,
  attempts: 0,
  abandons: 0,
  dispatched_at: 0,
  lease_upto: 0,
  lease_sender: null,
  ready_at: null,
  next_seq: 1,
  read_seq: 0,
  first_chunk: 1,
  next_chunk: 1,
  history_bytes: 0,
  suspended: 0,
  locking: 0,
  trace: null,
} as const;

interface NewEntity {
  readonly hub: number;
  readonly rid: number;
  readonly type: number;
  readonly id: string;
  readonly executionId: string;
  readonly now: number;
}

/** An entity is an instance that does not end. */
export function newEntityRows({ hub, rid, type, id, executionId, now }: NewEntity): NewRows {
  const common = { hub, rid, kind: KIND.entity, type, execution_id: executionId, exec: 1 };
  return {
    instance: {
      ...common,
      ...NO_END,
      id,
      status: OrchestrationStatus.RUNNING,
      created_at: now,
      updated_at: now,
      scheduled_at: null,
      parent_rid: null,
      parent_exec: null,
      parent_id: null,
      tags: null,
    },
    run: { ...common, ...parentColumns(undefined), ...IDLE, updated_at: now },
  };
}

function parentColumns(
  parent: NewInstance['parent'],
): Pick<RunRow, 'parent_rid' | 'parent_exec' | 'parent_task'> {
  if (!parent) return { parent_rid: null, parent_exec: null, parent_task: null };
  return {
    parent_rid: parent.entry.instance.rid,
    parent_exec: parent.exec,
    parent_task: parent.taskId,
  };
}
