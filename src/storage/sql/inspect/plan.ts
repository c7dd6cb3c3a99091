/**
 * How a list is read. Whatever the filter, a page costs a bounded number of rows: either some part of the filter leaves
 * few instances, and these are sorted; or rows are walked in the order of an index, the rest of the filter tried on each,
 * for at most a fixed number of them.
 */
import type { RowFilter, RowQuery } from '../../inspection.ts';
import { KIND } from '../rows.ts';
import type { SqlSession } from '../session.ts';
import {
  anyOf,
  condition,
  conjunction,
  matches,
  plain,
  range,
  residual,
  type Condition,
} from './conditions.ts';

/** Indexes walked side by side; more values are tried row by row. */
const STREAMS_MAX = 20;

export interface RowType {
  readonly type: number;
  readonly name: string;
  readonly version: string;
}

/** One walk along an index. */
export interface Stream {
  /** Answered by the index. */
  readonly keys: readonly Condition[];
  /** Tried on each row. */
  readonly rest: readonly Condition[];
}

export interface Plan {
  readonly streams: readonly Stream[];
  /** The rows are so few that they are all read and sorted. */
  readonly isSmall: boolean;
}

export interface PlanOptions {
  readonly hub: number;
  readonly filter: RowFilter;
  readonly sort: RowQuery['sort'];
  readonly types: readonly RowType[];
  /** Rows that are sorted without an index. */
  readonly sortedMax: number;
}

/** `undefined`: nothing can match. */
export async function planRows(
  session: SqlSession,
  options: PlanOptions,
): Promise<Plan | undefined> {
  const parts = await partsOf(session, options);
  if (!parts) return undefined;
  const small = await smallest(session, options, parts);
  if (small) {
    const ended =
      options.sort === 'completed'
        ? [condition(`${plain(session, 'i.completed_at')} is not null`)]
        : [];
    const rest = [...hiddenParts(session, options, parts, small), ...ended];
    return { isSmall: true, streams: [{ keys: [hubIs(options.hub), ...small.keys], rest }] };
  }
  return { isSmall: false, streams: streamsOf(session, options, parts) };
}

const hubIs = (hub: number): Condition => condition('i.hub = $', hub);
const isOrchestration = condition('i.kind = $', KIND.orchestration);

/** A part of the filter that an index can answer by itself. */
interface Part {
  readonly name: 'ids' | 'parent' | 'types' | 'statuses';
  readonly keys: readonly Condition[];
  /** One value each, for walks in order; empty where the index has no order in time. */
  readonly values: readonly (readonly Condition[])[];
}

async function partsOf(
  session: SqlSession,
  { hub, filter, types }: PlanOptions,
): Promise<readonly Part[] | undefined> {
  const parts: Part[] = [];
  const { ids, parentId, names, versions, statuses } = filter;
  if (ids.length > 0) parts.push({ name: 'ids', keys: [matches('i.id', ids)], values: [] });
  if (parentId !== undefined) {
    const [parent] = await session.all('select rid from instances where hub = $1 and id = $2', [
      hub,
      parentId,
    ]);
    if (!parent) return undefined;
    parts.push({
      name: 'parent',
      keys: [condition('i.parent_rid = $', Number(parent['rid']))],
      values: [],
    });
  }
  if (names.length > 0 || versions.length > 0) {
    const asked = types.filter((type) => isAsked(type, filter)).map(({ type }) => type);
    if (asked.length === 0) return undefined;
    const values = asked.map((type) => [condition('i.type = $', type)]);
    parts.push({ name: 'types', keys: [anyOf('i.type', asked)], values });
  }
  if (statuses.length > 0) {
    const values = statuses.map((status) => [isOrchestration, condition('i.status = $', status)]);
    parts.push({
      name: 'statuses',
      keys: [isOrchestration, anyOf('i.status', statuses)],
      values,
    });
  }
  return parts;
}

function isAsked({ name, version }: RowType, { names, versions }: RowFilter): boolean {
  const isNamed =
    names.length === 0 ||
    names.some(({ text, isPrefix }) => (isPrefix ? name.startsWith(text) : name === text));
  return isNamed && (versions.length === 0 || versions.includes(version));
}

/** The part with the fewest rows, if these are few enough to sort. */
async function smallest(
  session: SqlSession,
  { hub, sortedMax }: PlanOptions,
  parts: readonly Part[],
): Promise<Part | undefined> {
  let best: { readonly part: Part; readonly count: number } | undefined;
  for (const part of parts) {
    const { text, params } = conjunction([hubIs(hub), ...part.keys]);
    const rows = await session.all(
      `select count(*) as n from (select 1 from instances i where ${text} limit ${sortedMax + 1}) found`,
      params,
    );
    const count = Number(rows[0]?.['n']);
    if (count <= sortedMax && count < (best?.count ?? Infinity)) best = { part, count };
  }
  return best?.part;
}

/** Everything of the filter but one part, so written that no index is chosen for it. */
function hiddenParts(
  session: SqlSession,
  { filter }: PlanOptions,
  parts: readonly Part[],
  but: Part | undefined,
): readonly Condition[] {
  const hide = ({ text, values }: Condition): Condition => ({
    text: text.replaceAll(/\bi\.(?:id|parent_rid|type|status|kind)\b/g, (column) =>
      plain(session, column),
    ),
    values,
  });
  const others = parts.filter((part) => part !== but).flatMap(({ keys }) => keys);
  return [
    ...[isOrchestration, ...others].map(hide),
    ...range(plain(session, 'i.created_at'), filter.created),
    ...range(plain(session, 'i.completed_at'), filter.completed),
    ...residual(session, filter),
  ];
}

/** Walks in the order that is asked for. */
function streamsOf(
  session: SqlSession,
  options: PlanOptions,
  parts: readonly Part[],
): readonly Stream[] {
  const { hub, filter, sort } = options;
  const hidden = (but: Part | undefined): readonly Condition[] =>
    hiddenParts(session, { ...options, filter: withoutRange(filter, sort) }, parts, but);
  if (sort === 'id') {
    const byId = parts.find(({ name }) => name === 'ids');
    return [{ keys: [hubIs(hub), ...(byId?.keys ?? [])], rest: hidden(byId) }];
  }
  if (sort === 'completed') {
    const keys = [
      hubIs(hub),
      isOrchestration,
      condition('i.completed_at >= $', filter.completed.from ?? 0),
    ];
    const rest = hidden(undefined).slice(1);
    return [
      {
        keys: [...keys, ...range('i.completed_at', { ...filter.completed, from: undefined })],
        rest,
      },
    ];
  }
  const created = range('i.created_at', filter.created);
  const driver = parts.find(({ values }) => values.length > 0 && values.length <= STREAMS_MAX);
  if (!driver) {
    return [{ keys: [hubIs(hub), isOrchestration, ...created], rest: hidden(undefined).slice(1) }];
  }
  return driver.values.map((value) => ({
    keys: [hubIs(hub), ...value, ...created],
    rest: hidden(driver).slice(1),
  }));
}

/** The range that the walk itself keeps to. */
function withoutRange(filter: RowFilter, sort: RowQuery['sort']): RowFilter {
  const none = { from: undefined, to: undefined };
  if (sort === 'created') return { ...filter, created: none };
  return sort === 'completed' ? { ...filter, completed: none } : filter;
}
