/** Conditions of lists, and the parts of a filter that each index can answer. */
import type { RowFilter, TextMatch } from '../../inspection.ts';
import type { SqlSession, SqlValue } from '../session.ts';

/** A condition with its values; each `$` stands for the next of them. */
export interface Condition {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

export function condition(text: string, ...values: readonly SqlValue[]): Condition {
  return { text, values };
}

/** The conditions as one text with numbered parameters. */
export function conjunction(conditions: readonly Condition[]): {
  readonly text: string;
  readonly params: readonly SqlValue[];
} {
  const params: SqlValue[] = [];
  const texts = conditions.map(({ text, values }) => {
    let index = 0;
    return text.replaceAll('$', () => {
      params.push(values[index] ?? null);
      index += 1;
      return `$${params.length}`;
    });
  });
  return { text: texts.join(' and '), params };
}

/** SQLite chooses an index by the shape of a condition; a sign before the column says that it is only a filter. */
export function plain(session: Pick<SqlSession, 'dialect'>, column: string): string {
  return session.dialect === 'sqlite' ? `+${column}` : column;
}

export function anyOf(column: string, values: readonly SqlValue[]): Condition {
  return condition(`${column} in (${values.map(() => '$').join(', ')})`, ...values);
}

/** Either text, or one of the ranges of a prefix. */
export function matches(column: string, texts: readonly TextMatch[]): Condition {
  const parts = texts.map(({ text, isPrefix }) =>
    isPrefix
      ? condition(`(${column} >= $ and ${column} < $)`, text, afterPrefix(text))
      : condition(`${column} = $`, text),
  );
  return condition(
    `(${parts.map(({ text }) => text).join(' or ')})`,
    ...parts.flatMap(({ values }) => values),
  );
}

/** The first text after all that begin with the prefix; a range, which an index serves, unlike `like`. */
export function afterPrefix(prefix: string): string {
  const last = prefix.charCodeAt(prefix.length - 1);
  return prefix.slice(0, -1) + String.fromCharCode(last + 1);
}

export function range(column: string, { from, to }: RowFilter['created']): readonly Condition[] {
  return [
    ...(from === undefined ? [] : [condition(`${column} >= $`, from)]),
    ...(to === undefined ? [] : [condition(`${column} < $`, to)]),
  ];
}

/** What no index answers, tried row by row. `tags` and `errorText` are narrowed here and exact in `isMatch`. */
export function residual(
  session: Pick<SqlSession, 'dialect'>,
  filter: RowFilter,
): readonly Condition[] {
  const { children, tags, errorTypes, errorText } = filter;
  const contains = (column: string, text: string): Condition =>
    condition(
      session.dialect === 'sqlite' ? `instr(${column}, $) > 0` : `strpos(${column}, $) > 0`,
      text,
    );
  return [
    ...(children === 'fold' ? [condition('i.parent_id is null')] : []),
    ...(children === 'only' ? [condition('i.parent_id is not null')] : []),
    ...tags.map(({ key, value }) => contains('i.tags', tagText(key, value))),
    ...(errorTypes.length > 0 ? [anyOf('i.error_type', errorTypes)] : []),
    ...(errorText === undefined ? [] : [contains('i.error_message', errorText)]),
  ];
}

/** Tags are stored as `JSON.stringify` writes them. */
function tagText(key: string | undefined, value: string | undefined): string {
  if (key !== undefined && value !== undefined) {
    return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
  }
  return key === undefined ? `:${JSON.stringify(value ?? '')}` : `${JSON.stringify(key)}:`;
}

/** Whether the tags are there as tags, not merely as text inside another one. */
export function hasTags(tags: Readonly<Record<string, string>>, filter: RowFilter): boolean {
  return filter.tags.every(({ key, value }) =>
    Object.entries(tags).some(
      ([name, held]) =>
        (key === undefined || key === name) && (value === undefined || value === held),
    ),
  );
}
