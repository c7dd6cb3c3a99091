/** `Inspection` on a `SqlDatabase`. */
import { OrchestrationStatus } from '../../proto/orchestrator_service_pb.ts';
import type { Inspection, Row } from '../inspection.ts';
import { readHistoryEvent, readHistoryPage } from './inspect/history.ts';
import { readLeased, readOutstanding } from './inspect/outstanding.ts';
import { readBacklog, readNames } from './inspect/overview.ts';
import { readQueueTotals } from './inspect/queues.ts';
import {
  countRows,
  countStatuses,
  listRows,
  readChildren,
  readFacets,
  readRowsById,
} from './inspect/rows.ts';
import type { SqlDatabase, SqlSession } from './session.ts';

const STATUSES = [
  OrchestrationStatus.PENDING,
  OrchestrationStatus.RUNNING,
  OrchestrationStatus.SUSPENDED,
  OrchestrationStatus.COMPLETED,
  OrchestrationStatus.FAILED,
  OrchestrationStatus.TERMINATED,
  OrchestrationStatus.CANCELED,
];

export interface SqlInspectionOptions {
  readonly database: SqlDatabase;
  /** TASK_HUB_NOT_FOUND. */
  readonly hubNumber: (hub: string) => Promise<number>;
  readonly node: number;
}

/** A node that was silent for so long may have lost its workers to another one that counts them too. */
const ANNOUNCED_MS = 5000;

export function createSqlInspection({
  database,
  hubNumber,
  node,
}: SqlInspectionOptions): Inspection {
  const read = async <T>(
    hub: string,
    work: (session: SqlSession, hub: number) => Promise<T>,
  ): Promise<T> => {
    const number = await hubNumber(hub);
    return database.readHeavy((session) => work(session, number));
  };
  return {
    rows: (query) => read(query.hub, (session, hub) => listRows(session, hub, query)),
    rowsById: (name, ids) => read(name, (session, hub) => readRowsById(session, hub, ids)),
    count: (name, filter, max) =>
      read(name, (session, hub) => countRows(session, { hub, filter, max })),
    statusCounts: (name, max) =>
      read(name, (session, hub) => countStatuses(session, hub, { statuses: STATUSES, max })),
    facets: (name, filter, max) =>
      read(name, (session, hub) => readFacets(session, { hub, filter, max })),
    children: (name, id, limit) =>
      read(name, (session, hub) => readChildren(session, hub, { id, limit, isLive: false })),
    ancestors: (name, id, limit) =>
      read(name, (session, hub) => readAncestors(session, hub, { id, limit })),
    historyPage: (name, id, options) =>
      read(name, (session, hub) => readHistoryPage(session, hub, id, options)),
    historyEvent: (name, id, position) =>
      read(name, (session, hub) => readHistoryEvent(session, hub, id, position)),
    outstanding: (name, id, limit) =>
      read(name, (session, hub) => readOutstanding(session, hub, { id, limit })),
    backlog: (name) => read(name, readBacklog),
    queueTotals: (now) => database.readHeavy((session) => readQueueTotals(session, now)),
    announcements: async (now) => {
      if (database.dialect === 'sqlite') return [];
      const rows = await database.readHeavy((session) =>
        session.all(
          "select announcement from nodes where heartbeat_at >= $1 and node <> $2 and announcement <> ''",
          [now - ANNOUNCED_MS, node],
        ),
      );
      return rows.map((row) => String(row['announcement']));
    },
    names: (name) => read(name, readNames),
    leased: (name, tokens) => read(name, (session, hub) => readLeased(session, hub, tokens)),
  };
}

async function readAncestors(
  session: SqlSession,
  hub: number,
  { id, limit }: { readonly id: string; readonly limit: number },
): Promise<readonly Row[]> {
  const ancestors: Row[] = [];
  let [row] = await readRowsById(session, hub, [id]);
  while (row?.parentId !== undefined && ancestors.length < limit) {
    [row] = await readRowsById(session, hub, [row.parentId]);
    if (row) ancestors.push(row);
  }
  return ancestors;
}
