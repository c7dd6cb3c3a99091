/**
 * Names and attributes of the spans of durable work: those of the product and of every Durable Task
 * SDK (docs/TELEMETRY.md), so that queries and workbooks made for them find ours.
 */

export const ATTRIBUTE = {
  type: 'durabletask.type',
  name: 'durabletask.task.name',
  version: 'durabletask.task.version',
  instanceId: 'durabletask.task.instance_id',
  executionId: 'durabletask.task.execution_id',
  status: 'durabletask.task.status',
  taskId: 'durabletask.task.task_id',
  eventTarget: 'durabletask.event.target_instance_id',
  fireAt: 'durabletask.fire_at',
  operation: 'durabletask.entity.operation',
  entityId: 'durabletask.entity.instance_id',
} as const;

export type StepType = 'activity' | 'orchestration';

/** `activity:Hello`, `create_orchestration:Trip@(2)`. */
export function taskSpanName(
  type: StepType | 'create_orchestration',
  name: string,
  version?: string,
): string {
  const base = `${type}:${name}`;
  return version === undefined || version === '' ? base : `${base}@(${version})`;
}

export function timerSpanName(orchestration: string): string {
  return `orchestration:${orchestration}:timer`;
}

export function eventSpanName(event: string): string {
  return `orchestration_event:${event}`;
}

/** `call_entity:<operation>`, `signal_entity:<operation>`; `entity:<name>` is the run of one. */
export function entitySpanName(
  type: 'call_entity' | 'signal_entity' | 'entity',
  name: string,
): string {
  return `${type}:${name}`;
}

export const LOCK_SPAN_NAME = 'entity:lock_request';
