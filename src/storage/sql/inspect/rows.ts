/** Pages of orchestrations in any order that an index has, forwards and backwards. */
import type { RuntimeStatus } from '../../../core/instance.ts';
import { keyOf } from '../../inspection.ts';
import type {
  Count,
  Facet,
  Row,
  RowBounds,
  RowFilter,
  RowKey,
  RowPage,
  RowQuery,
} from '../../inspection.ts';
import { KIND } from '../rows.ts';
import type { SqlRow, SqlSession } from '../session.ts';
import { condition, conjunction, hasTags, type Condition } from './conditions.ts';
import { planRows, type Plan, type RowType, type Stream } from './plan.ts';

const BOUNDS: RowBounds = { sorted: 2000, tried: 50_000 };
/** Characters of custom status and error message that a list shows. */
const PREVIEW = 200;

const COLUMNS = `i.id, i.rid, i.type, i.execution_id, i.exec, i.status, i.created_at, i.updated_at, i.completed_at,
  i.scheduled_at, i.parent_id, i.tags, substr(i.custom_status, 1, ${PREVIEW}) as custom_status, i.error_type,
  substr(i.error_message, 1, ${PREVIEW}) as error_message, i.last_chunk,
  r.updated_at as run_updated, r.history_bytes, r.next_chunk, r.next_seq, r.suspended`;
const FROM = 'instances i left join runs r on r.hub = i.hub and r.rid = i.rid';

export type Types = ReadonlyMap<number, RowType>;

export async function readTypes(session: SqlSession, hub: number): Promise<Types> {
  const rows = await session.all(
    'select type, name, version from types where hub = $1 and kind = $2',
    [hub, KIND.orchestration],
  );
  return new Map(
    rows.map((row) => {
      const type = Number(row['type']);
      return [type, { type, name: String(row['name']), version: String(row['version']) }];
    }),
  );
}

const ORDER_COLUMN = { created: 'i.created_at', completed: 'i.completed_at', id: 'i.id' } as const;

interface Order {
  readonly column: (typeof ORDER_COLUMN)[keyof typeof ORDER_COLUMN];
  readonly isDescending: boolean;
}

function orderText({ column, isDescending }: Order): string {
  const direction = isDescending ? 'desc' : 'asc';
  return column === 'i.id' ? `i.id ${direction}` : `${column} ${direction}, i.rid ${direction}`;
}

/** Beyond the key, or (`upTo`) not beyond it. */
function beyond({ column, isDescending }: Order, key: RowKey, upTo = false): Condition {
  const sign = isDescending === upTo ? '>' : '<';
  const comparison = upTo ? `${sign}=` : sign;
  return column === 'i.id'
    ? condition(`i.id ${comparison} $`, key.at)
    : condition(`(${column}, i.rid) ${comparison} ($, $)`, key.at, key.rid);
}

interface Walked {
  readonly rows: readonly SqlRow[];
  /** The walk ended here because of its bound, not because there was no more. */
  readonly end: RowKey | undefined;
}

interface WalkOptions {
  readonly order: Order;
  readonly after: RowKey | undefined;
  readonly limit: number;
  readonly walkMax: number;
  readonly columns: string;
}

async function walk(session: SqlSession, stream: Stream, options: WalkOptions): Promise<Walked> {
  const { order, after, limit, walkMax, columns } = options;
  const keys = [...stream.keys, ...(after ? [beyond(order, after)] : [])];
  const end = stream.rest.length > 0 ? await findEnd(session, keys, order, walkMax) : undefined;
  const all = [...keys, ...(end ? [beyond(order, end, true)] : []), ...stream.rest];
  const { text, params } = conjunction(all);
  const rows = await session.all(
    `select ${columns} from ${FROM} where ${text} order by ${orderText(order)} limit ${limit}`,
    params,
  );
  return { rows, end: rows.length < limit ? end : undefined };
}

async function findEnd(
  session: SqlSession,
  keys: readonly Condition[],
  order: Order,
  walkMax: number,
): Promise<RowKey | undefined> {
  const { text, params } = conjunction(keys);
  const column = order.column;
  const rows = await session.all(
    `select ${column} as at, i.rid from instances i where ${text} order by ${orderText(order)} limit 1 offset ${walkMax}`,
    params,
  );
  return rows[0] && { at: rows[0]['at'] as number | string, rid: Number(rows[0]['rid']) };
}

export async function listRows(
  session: SqlSession,
  hub: number,
  query: RowQuery,
): Promise<RowPage> {
  const types = await readTypes(session, hub);
  const { filter, sort, limit, isBackwards, bounds = BOUNDS } = query;
  const plan = await planRows(session, {
    ...{ hub, filter, sort },
    types: [...types.values()],
    sortedMax: bounds.sorted,
  });
  if (!plan) return { items: [], next: undefined, isPartial: false };
  const order = { column: ORDER_COLUMN[sort], isDescending: query.isDescending !== isBackwards };
  const walked = await walkAll(session, plan, {
    order,
    after: query.after,
    limit: limit + 1,
    walkMax: bounds.tried,
    columns: COLUMNS,
  });
  const found = walked.rows
    .map((row) => toRow(row, types))
    .filter(({ tags }) => hasTags(tags, filter));
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const isMore = found.length > limit;
  const next = isMore && last ? keyOf(last, sort) : walked.end;
  return {
    items: isBackwards ? items.reverse() : items,
    next,
    isPartial: !isMore && walked.end !== undefined,
  };
}

/** The rows of all streams in one order, as far as every stream has been walked. */
async function walkAll(session: SqlSession, plan: Plan, options: WalkOptions): Promise<Walked> {
  const walkMax = Math.max(1, Math.floor(options.walkMax / plan.streams.length));
  const streams: Walked[] = [];
  for (const stream of plan.streams) {
    const rest = plan.isSmall ? [] : stream.rest;
    const keys = plan.isSmall ? [...stream.keys, ...stream.rest] : stream.keys;
    streams.push(await walk(session, { keys, rest }, { ...options, walkMax }));
  }
  const { order, limit } = options;
  const compare = comparison(order);
  const ends = streams.flatMap(({ end }) => (end ? [end] : [])).sort(compare);
  const [end] = ends;
  const rows = streams
    .flatMap((stream) => stream.rows)
    .map((row) => ({ row, key: sqlKey(row, order) }))
    .filter(({ key }) => !end || compare(key, end) <= 0)
    .sort((a, b) => compare(a.key, b.key))
    .map(({ row }) => row);
  return { rows: rows.slice(0, limit), end: rows.length < limit ? end : undefined };
}

function sqlKey(row: SqlRow, { column }: Order): RowKey {
  return { at: row[column.slice(2)] as number | string, rid: Number(row['rid']) };
}

function comparison({ isDescending }: Order): (a: RowKey, b: RowKey) => number {
  const sign = isDescending ? -1 : 1;
  return (a, b) => {
    if (a.at !== b.at) return a.at < b.at ? -sign : sign;
    return (a.rid - b.rid) * sign;
  };
}

function optionalNumber(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}

function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function toRow(row: SqlRow, types: Types): Row {
  const type = types.get(Number(row['type']));
  const runUpdated = optionalNumber(row['run_updated']);
  const updatedAt = Math.max(Number(row['updated_at']), runUpdated ?? 0);
  const tags = optionalText(row['tags']);
  const parts = [
    row['rid'],
    row['exec'],
    row['status'],
    updatedAt,
    row['next_chunk'],
    row['next_seq'],
  ];
  return {
    instanceId: String(row['id']),
    rid: Number(row['rid']),
    executionId: String(row['execution_id']),
    generation: Number(row['exec']),
    name: type?.name ?? '',
    version: type?.version ?? '',
    status: Number(row['status']) as RuntimeStatus,
    createdAt: Number(row['created_at']),
    updatedAt,
    completedAt: optionalNumber(row['completed_at']),
    scheduledAt: optionalNumber(row['scheduled_at']),
    parentId: optionalText(row['parent_id']),
    tags: tags === undefined ? {} : (JSON.parse(tags) as Record<string, string>),
    customStatus: optionalText(row['custom_status']),
    errorType: optionalText(row['error_type']),
    errorMessage: optionalText(row['error_message']),
    historyBytes: optionalNumber(row['history_bytes']),
    revision: [...parts, row['suspended']].map((part) => String(part ?? '')).join('.'),
  };
}

export async function readRowsById(
  session: SqlSession,
  hub: number,
  ids: readonly string[],
): Promise<readonly Row[]> {
  const types = await readTypes(session, hub);
  const rows: Row[] = [];
  for (const id of ids) {
    const found = await session.all(
      `select ${COLUMNS} from ${FROM} where i.hub = $1 and i.id = $2 and i.kind = $3`,
      [hub, id, KIND.orchestration],
    );
    for (const row of found) rows.push(toRow(row, types));
  }
  return rows;
}

/** Direct children, oldest first. */
export async function readChildren(
  session: SqlSession,
  hub: number,
  { id, limit, isLive }: { readonly id: string; readonly limit: number; readonly isLive: boolean },
): Promise<readonly Row[]> {
  const types = await readTypes(session, hub);
  const found = await session.all(
    `select ${COLUMNS} from ${FROM}
      where i.hub = $1 and i.parent_rid = (select rid from instances where hub = $2 and id = $3)
        ${isLive ? 'and i.completed_at is null' : ''}
      order by i.created_at, i.rid limit ${limit}`,
    [hub, hub, id],
  );
  return found.map((row) => toRow(row, types));
}

export interface CountOptions {
  readonly hub: number;
  readonly filter: RowFilter;
  readonly max: number;
}

const LIGHT_COLUMNS = 'i.rid, i.created_at, i.status, i.type, i.error_type, i.tags';

async function lightRows(
  session: SqlSession,
  { hub, filter, max }: CountOptions,
): Promise<{ readonly rows: readonly SqlRow[]; readonly types: Types; readonly isCut: boolean }> {
  const types = await readTypes(session, hub);
  const plan = await planRows(session, {
    ...{ hub, filter, sort: 'created' },
    types: [...types.values()],
    sortedMax: BOUNDS.sorted,
  });
  if (!plan) return { rows: [], types, isCut: false };
  const order = { column: ORDER_COLUMN.created, isDescending: true };
  const walkMax = BOUNDS.tried;
  const options = { order, after: undefined, limit: max + 1, walkMax, columns: LIGHT_COLUMNS };
  const { rows, end } = await walkAll(session, plan, options);
  const exact =
    filter.tags.length === 0
      ? rows
      : rows.filter(({ tags }) =>
          hasTags(JSON.parse(String(tags)) as Record<string, string>, filter),
        );
  return { rows: exact.slice(0, max), types, isCut: rows.length > max || end !== undefined };
}

export async function countRows(session: SqlSession, options: CountOptions): Promise<Count> {
  const { rows, isCut } = await lightRows(session, options);
  return { count: rows.length, isCapped: isCut };
}

export async function readFacets(
  session: SqlSession,
  options: CountOptions,
): Promise<readonly Facet[]> {
  const { rows, types } = await lightRows(session, options);
  const counts = new Map<string, { by: Facet['by']; value: string; count: number }>();
  const add = (by: Facet['by'], value: string): void => {
    const key = `${by} ${value}`;
    const known = counts.get(key);
    if (known) known.count += 1;
    else counts.set(key, { by, value, count: 1 });
  };
  for (const row of rows) {
    const type = types.get(Number(row['type']));
    add('status', String(row['status']));
    add('name', type?.name ?? '');
    add('version', type?.version ?? '');
    const errorType = optionalText(row['error_type']);
    if (errorType !== undefined) add('errorType', errorType);
  }
  return [...counts.values()].sort((a, b) => b.count - a.count);
}

/** How many of each status there are, each counted along the index up to `max`. */
export async function countStatuses(
  session: SqlSession,
  hub: number,
  { statuses, max }: { readonly statuses: readonly RuntimeStatus[]; readonly max: number },
): Promise<ReadonlyMap<RuntimeStatus, Count>> {
  const counts = new Map<RuntimeStatus, Count>();
  for (const status of statuses) {
    const rows = await session.all(
      `select count(*) as n from (select 1 from instances
        where hub = $1 and kind = $2 and status = $3 limit ${max + 1}) found`,
      [hub, KIND.orchestration, status],
    );
    const count = Number(rows[0]?.['n']);
    counts.set(status, { count: Math.min(count, max), isCapped: count > max });
  }
  return counts;
}
