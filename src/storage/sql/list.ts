/** Lists of instances, a page at a time, in an order that new rows do not disturb. */
import { isTerminal, type RuntimeStatus } from '../../core/instance.ts';
import type { PageToken } from '../../core/page-token.ts';
import { OrchestrationStatus } from '../../proto/orchestrator_service_pb.ts';
import type { InstanceFilter, InstanceRecord, Page } from '../store.ts';
import { instanceRead, READ_COLUMNS, READ_TABLES, readRecord } from './read.ts';
import { KIND } from './rows.ts';
import type { SqlRow, SqlSession } from './session.ts';
import { afterPrefix, PAGE_BYTES_MAX, Where } from './where.ts';

export interface ListOptions extends InstanceFilter {
  /** The hub's number. */
  readonly hubNumber: number;
  readonly after: PageToken | undefined;
  readonly limit: number;
}

/** With a prefix in the order of ids, else by time of creation. */
export async function listInstances(
  session: SqlSession,
  options: ListOptions,
  { payloads }: { readonly payloads: boolean },
): Promise<Page<InstanceRecord>> {
  const { after, limit } = options;
  const byId = options.idPrefix !== undefined;
  const where = filterOf(options);
  const [first, second] = after ?? [];
  if (byId && typeof first === 'string') where.add('i.id > $', first);
  if (!byId && typeof first === 'number' && second !== undefined) {
    where.addAfter('i.created_at, i.rid', [first, second]);
  }
  const rows = await session.all(
    `select ${READ_COLUMNS} from ${READ_TABLES} where ${where.text}
      order by ${byId ? 'i.id' : 'i.created_at, i.rid'} limit ${limit + 1}`,
    where.params,
  );
  const tokenOf = (row: SqlRow): PageToken =>
    byId ? [String(row['id'])] : [Number(row['created_at']), Number(row['rid'])];
  return readPage(session, rows, { limit, payloads, tokenOf });
}

/** Half-open in time: `createdFrom` is in, `createdTo` is out. */
function filterOf(options: ListOptions): Where {
  const { statuses, createdFrom, createdTo, idPrefix } = options;
  const where = new Where();
  where.add('i.hub = $', options.hubNumber);
  where.add('i.kind = $', KIND.orchestration);
  if (statuses.length > 0) where.addStatuses(statuses);
  if (createdFrom !== undefined) where.add('i.created_at >= $', createdFrom);
  if (createdTo !== undefined) where.add('i.created_at < $', createdTo);
  if (idPrefix !== undefined && idPrefix !== '') {
    where.add('i.id >= $', idPrefix);
    where.add('i.id < $', afterPrefix(idPrefix));
  }
  return where;
}

interface PageOptions {
  readonly limit: number;
  readonly payloads: boolean;
  readonly tokenOf: (row: SqlRow) => PageToken;
}

/** One row more than the page was asked for: there is a next page only if it is there. */
async function readPage(
  session: SqlSession,
  rows: readonly SqlRow[],
  { limit, payloads, tokenOf }: PageOptions,
): Promise<Page<InstanceRecord>> {
  const items: InstanceRecord[] = [];
  let bytes = 0;
  let last: SqlRow | undefined;
  for (const row of rows.slice(0, limit)) {
    const record = await readRecord(session, instanceRead(row), { payloads });
    bytes += payloadBytes(record);
    if (items.length > 0 && bytes > PAGE_BYTES_MAX) break;
    items.push(record);
    last = row;
  }
  const isMore = items.length < rows.length;
  return { items, next: isMore && last ? tokenOf(last) : undefined };
}

function payloadBytes({ input, output, customStatus, failureDetails }: InstanceRecord): number {
  const failure =
    (failureDetails?.errorMessage.length ?? 0) + (failureDetails?.stackTrace?.length ?? 0);
  const texts = (input?.length ?? 0) + (output?.length ?? 0) + (customStatus?.length ?? 0);
  return texts + failure;
}

export interface EndedOptions {
  readonly hubNumber: number;
  readonly statuses: readonly RuntimeStatus[];
  readonly completedFrom: number | undefined;
  readonly completedTo: number | undefined;
  readonly after: PageToken | undefined;
  readonly limit: number;
}

/** Ids of ended orchestrations, oldest end first. */
export async function listEnded(session: SqlSession, options: EndedOptions): Promise<Page<string>> {
  const { statuses, completedFrom, completedTo, after, limit } = options;
  const where = new Where();
  where.add('i.hub = $', options.hubNumber);
  where.add('i.kind = $', KIND.orchestration);
  where.add('i.completed_at >= $', completedFrom ?? 0);
  if (completedTo !== undefined) where.add('i.completed_at < $', completedTo);
  where.addStatuses(statuses.length > 0 ? statuses.filter(isTerminal) : TERMINAL);
  const [first, second] = after ?? [];
  if (typeof first === 'number' && second !== undefined) {
    where.addAfter('i.completed_at, i.rid', [first, second]);
  }
  const rows = await session.all(
    `select i.id, i.rid, i.completed_at from instances i where ${where.text}
      order by i.completed_at, i.rid limit ${limit + 1}`,
    where.params,
  );
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(({ id }) => String(id)),
    next:
      rows.length > limit && last ? [Number(last['completed_at']), Number(last['rid'])] : undefined,
  };
}

const TERMINAL = Object.values(OrchestrationStatus).filter((status) => isTerminal(status));

/** Ids of the direct children of these instances. */
export async function listChildren(
  session: SqlSession,
  hub: number,
  ids: readonly string[],
): Promise<readonly string[]> {
  const children: string[] = [];
  for (const id of ids) {
    const rows = await session.all(
      `select c.id
         from instances p
         join instances c on c.hub = p.hub and c.parent_rid = p.rid
        where p.hub = $1 and p.id = $2`,
      [hub, id],
    );
    children.push(...rows.map((row) => String(row['id'])));
  }
  return children;
}
