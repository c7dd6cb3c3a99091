/** Query parameters of lists: the page's own URL uses the same names. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { invalidArgument } from '../../../core/errors.ts';
import type { RowFilter, RowKey, RowQuery, TextMatch } from '../../../storage/inspection.ts';
import { STATUS_WORDS, type StatusWord } from './contract.ts';
import { statusOf } from './status-words.ts';

const many = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value))
  .optional();
const RELATIVE = /^-(\d{1,6})(s|m|h|d)$/;
const timeRule = 'must be RFC 3339 (2026-03-01T09:00:00Z) or relative (-15m, -1h, -7d)';
/** A time in a query. */
export const timeQuery = z
  .string()
  .refine((text) => RELATIVE.test(text) || Number.isFinite(Date.parse(text)), timeRule)
  .optional();

const statusRule = `must be of ${STATUS_WORDS.join(', ')}`;
const words = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value).flatMap((v) => v.split(',')))
  .refine((values) => values.every((v) => STATUS_WORDS.includes(v as StatusWord)), statusRule)
  .optional();

export const FILTER_QUERY = {
  status: words.describe('One or more statuses, repeated or with commas'),
  id: many.describe('Instance ids: exact, or a prefix followed by *'),
  name: many.describe('Names: exact, or a prefix followed by *'),
  version: many,
  tag: many.describe('key=value, key= or =value; all of them'),
  createdFrom: timeQuery,
  createdTo: timeQuery,
  completedFrom: timeQuery,
  completedTo: timeQuery,
  parent: z.string().optional().describe('Direct children of this instance'),
  children: z
    .enum(['fold', 'show', 'only'])
    .default('fold')
    .describe('fold: roots only; only: sub-orchestrations only'),
  errorType: many,
  errorText: z.string().min(1).optional().describe('In the error message, case-sensitive'),
};

export const filterSchema = z.strictObject(FILTER_QUERY);
export type FilterQuery = z.infer<typeof filterSchema>;

const SORTS = ['-created', 'created', '-completed', 'completed', 'id', '-id'] as const;

export const listSchema = filterSchema.extend({
  sort: z.enum(SORTS).default('-created'),
  size: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().optional(),
});
export type ListQuery = z.infer<typeof listSchema>;

export function rowFilter(query: FilterQuery, now: number): RowFilter {
  const at = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : timeOf(text, now);
  return {
    statuses: (query.status ?? []).map((word) => statusOf(word as StatusWord)),
    ids: (query.id ?? []).map(textMatch),
    names: (query.name ?? []).map(textMatch),
    versions: query.version ?? [],
    tags: (query.tag ?? []).map(tagMatch),
    created: { from: at(query.createdFrom), to: at(query.createdTo) },
    completed: { from: at(query.completedFrom), to: at(query.completedTo) },
    parentId: query.parent,
    children: query.parent === undefined ? query.children : 'show',
    errorTypes: query.errorType ?? [],
    errorText: query.errorText,
  };
}

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Epoch ms of a text that `timeQuery` let in. */
export function timeOf(text: string, now: number): number {
  const match = RELATIVE.exec(text);
  if (!match) return Date.parse(text);
  return now - Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
}

function textMatch(text: string): TextMatch {
  const isPrefix = text.length > 1 && text.endsWith('*');
  return { isPrefix, text: isPrefix ? text.slice(0, -1) : text };
}

function tagMatch(text: string): { key: string | undefined; value: string | undefined } {
  const at = text.indexOf('=');
  if (at < 0) return { key: text, value: undefined };
  const [key, value] = [text.slice(0, at), text.slice(at + 1)];
  return { key: key === '' ? undefined : key, value: value === '' ? undefined : value };
}

/** A place in one list: another filter or sort has other places. */
export interface Cursor {
  readonly key: RowKey;
  readonly isBackwards: boolean;
}

export function encodeCursor({ key, isBackwards }: Cursor, list: string): string {
  const parts = [key.at, key.rid, isBackwards ? 1 : 0, list];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

export function decodeCursor(text: string, list: string): Cursor {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    parts = undefined; // Refused below, as any other text that is no cursor.
  }
  const [at, rid, backwards, of] = Array.isArray(parts) ? (parts as readonly unknown[]) : [];
  const isKey = (typeof at === 'number' || typeof at === 'string') && typeof rid === 'number';
  if (!isKey || of !== list) {
    throw invalidArgument(
      'the cursor is of another filter or sort; ask for the first page without a cursor',
    );
  }
  return { key: { at, rid }, isBackwards: backwards === 1 };
}

/** Names the list that a cursor belongs to. */
export function listName(list: ListQuery): string {
  const given = Object.entries({ ...list, cursor: undefined, size: undefined }).filter(
    ([, value]) => value !== undefined,
  );
  return createHash('sha256').update(JSON.stringify(given.sort())).digest('base64url').slice(0, 12);
}

export function rowQuery(hub: string, query: ListQuery, now: number): RowQuery {
  const { sort, size, cursor } = query;
  const at = cursor === undefined ? undefined : decodeCursor(cursor, listName(query));
  return {
    hub,
    filter: rowFilter(query, now),
    sort: sort.replace('-', '') as RowQuery['sort'],
    isDescending: sort.startsWith('-'),
    after: at?.key,
    isBackwards: at?.isBackwards ?? false,
    limit: size,
  };
}
