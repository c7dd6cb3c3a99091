/** What clients read: committed state, outside rounds. */
import {
  OrchestrationStatus,
  type ExecutionStartedEvent,
  type TaskFailureDetails,
} from '../../proto/orchestrator_service_pb.ts';
import { decodeEvent, EVENT_NUMBER, eventTypeOf, unframeEvents } from '../../wire/events.ts';
import { isTerminal, type RuntimeStatus } from '../../core/instance.ts';
import { findStarted } from '../round/turn.ts';
import type { InstanceRecord } from '../store.ts';
import { KIND, readRow, type InstanceRow } from './rows.ts';
import type { SqlRow, SqlSession } from './session.ts';
import { columnsOf, selectWhere } from './statement.ts';
import { INSTANCES } from './tables.ts';

export interface InstanceRead {
  readonly instance: InstanceRow;
  readonly name: string;
  readonly version: string;
  /** Cursors of the run where there is one, else of the instance. */
  readonly firstChunk: number;
  readonly nextChunk: number;
  readonly readSeq: number;
  readonly updatedAt: number;
}

/** What `instanceRead` reads, and from where. */
export const READ_COLUMNS = `${columnsOf(INSTANCES, 'i')}, t.name as type_name, t.version as type_version,
  r.first_chunk as run_first, r.next_chunk as run_next, r.read_seq as run_read, r.updated_at as run_updated`;
export const READ_TABLES = `instances i
  join types t on t.hub = i.hub and t.type = i.type
  left join runs r on r.hub = i.hub and r.rid = i.rid`;

/** The row of an orchestration with its type and history cursors. */
export async function findInstance(
  session: SqlSession,
  hub: number,
  id: string,
): Promise<InstanceRead | undefined> {
  const rows = await session.all(
    `select ${READ_COLUMNS} from ${READ_TABLES} where i.hub = $1 and i.id = $2 and i.kind = $3`,
    [hub, id, KIND.orchestration],
  );
  return rows[0] && instanceRead(rows[0]);
}

const STATUS = selectWhere(INSTANCES, {
  where: [
    ['hub', '='],
    ['id', '='],
    ['kind', '='],
  ],
  columns: ['id', 'status'],
});

/** Those of these orchestrations that exist. */
export async function readStatuses(
  session: SqlSession,
  hub: number,
  ids: readonly string[],
): Promise<ReadonlyMap<string, RuntimeStatus>> {
  const rows = await session.allMany(
    STATUS,
    ids.map((id) => [hub, id, KIND.orchestration]),
  );
  return new Map(rows.map(({ id, status }) => [String(id), status as RuntimeStatus]));
}

export function instanceRead(row: SqlRow): InstanceRead {
  const instance = readRow<InstanceRow>(row);
  const number = (name: string, fallback: number): number => {
    const value = row[name];
    return typeof value === 'number' ? value : fallback;
  };
  return {
    instance,
    name: String(row['type_name']),
    version: String(row['type_version']),
    firstChunk: number('run_first', instance.first_chunk),
    nextChunk: number('run_next', instance.last_chunk + 1),
    readSeq: number('run_read', 0),
    updatedAt: Math.max(instance.updated_at, number('run_updated', 0)),
  };
}

/** What an instance was started with, as its first event says. */
export async function readStarted(
  session: SqlSession,
  read: InstanceRead,
): Promise<ExecutionStartedEvent | undefined> {
  const stored =
    read.nextChunk > read.firstChunk
      ? findStarted(await readChunk(session, read, read.firstChunk))
      : await readWaitingStart(session, read);
  if (!stored) return undefined;
  const { eventType } = decodeEvent({ type: EVENT_NUMBER.executionStarted, bytes: stored });
  return eventType.case === 'executionStarted' ? eventType.value : undefined;
}

export async function readRecord(
  session: SqlSession,
  read: InstanceRead,
  { payloads }: { readonly payloads: boolean },
): Promise<InstanceRecord> {
  const { instance } = read;
  const none = { input: undefined, output: undefined, failureDetails: undefined };
  const values = payloads ? await readPayloads(session, read) : none;
  return {
    instanceId: instance.id,
    executionId: instance.execution_id,
    name: read.name,
    version: read.version,
    status: instance.status as RuntimeStatus,
    createdAt: instance.created_at,
    updatedAt: read.updatedAt,
    completedAt: instance.completed_at ?? undefined,
    scheduledAt: instance.scheduled_at ?? undefined,
    parentInstanceId: instance.parent_id ?? undefined,
    tags: instance.tags === null ? {} : (JSON.parse(instance.tags) as Record<string, string>),
    customStatus: payloads ? (instance.custom_status ?? undefined) : undefined,
    ...values,
  };
}

interface Payloads {
  readonly input: string | undefined;
  readonly output: string | undefined;
  readonly failureDetails: TaskFailureDetails | undefined;
}

/** Input stands in the first event, output and failure in the last: they are stored nowhere else. */
async function readPayloads(session: SqlSession, read: InstanceRead): Promise<Payloads> {
  const input = (await readStarted(session, read))?.input;
  if (!isTerminal(read.instance.status as RuntimeStatus)) {
    return { input, output: undefined, failureDetails: undefined };
  }
  const last = await readChunk(session, read, read.nextChunk - 1);
  for (const bytes of last ? unframeEvents(last) : []) {
    if (eventTypeOf(bytes) !== EVENT_NUMBER.executionCompleted) continue;
    const { eventType } = decodeEvent({ type: EVENT_NUMBER.executionCompleted, bytes });
    if (eventType.case !== 'executionCompleted') continue;
    const { result, failureDetails, orchestrationStatus } = eventType.value;
    const isFailed = orchestrationStatus === OrchestrationStatus.FAILED;
    return { input, output: result, failureDetails: isFailed ? failureDetails : undefined };
  }
  return { input, output: undefined, failureDetails: undefined };
}

/** Before the first turn of a generation is committed its `executionStarted` waits in the inbox. */
async function readWaitingStart(
  session: SqlSession,
  { instance }: InstanceRead,
): Promise<Uint8Array | undefined> {
  const rows = await session.all(
    'select bytes from inbox where hub = $1 and rid = $2 and type = $3 order by seq limit 1',
    [instance.hub, instance.rid, EVENT_NUMBER.executionStarted],
  );
  return rows[0]?.['bytes'] as Uint8Array | undefined;
}

async function readChunk(
  session: SqlSession,
  read: InstanceRead,
  chunk: number,
): Promise<Uint8Array | undefined> {
  const found = await findChunk(session, read, chunk);
  return found?.bytes;
}

/** A chunk of the history, and whether workers must not see it. */
export async function findChunk(
  session: SqlSession,
  { instance }: InstanceRead,
  chunk: number,
): Promise<{ readonly bytes: Uint8Array; readonly isHidden: boolean } | undefined> {
  const rows = await session.all(
    'select bytes, hidden from history where hub = $1 and rid = $2 and chunk = $3',
    [instance.hub, instance.rid, chunk],
  );
  const [row] = rows;
  return row && { bytes: row['bytes'] as Uint8Array, isHidden: row['hidden'] === 1 };
}
