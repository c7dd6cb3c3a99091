/** Lists with a name: a view is nothing but the query of an address. */

export interface View {
  readonly name: string;
  /** Without a question mark; relative times stay relative. */
  readonly query: string;
}

export const BUILT_IN_VIEWS: readonly View[] = [
  { name: 'All roots', query: '' },
  { name: 'Active', query: 'status=Running,Pending,Suspended' },
  { name: 'Failed in the last 24 h', query: 'status=Failed&completedFrom=-24h' },
  { name: 'Suspended', query: 'status=Suspended' },
  { name: 'Failed or suspended, of this week', query: 'status=Failed,Suspended&createdFrom=-7d' },
];

const NAME_MAX = 60;
const QUERY_MAX = 2000;

/** Views as text, one file for all. */
export function writeViews(views: readonly View[]): string {
  return `${JSON.stringify(views, undefined, 2)}\n`;
}

/** @throws Error with a sentence that says what is wrong with the text. */
export function readViews(text: string): readonly View[] {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (error) {
    throw new Error(`This is not JSON: ${(error as Error).message}`);
  }
  if (!Array.isArray(found)) throw new Error('Views are a list: [{"name": …, "query": …}]');
  return found.map((each, index) => viewOf(each, `View ${index + 1}`));
}

function viewOf(value: unknown, which: string): View {
  const { name, query } = (value ?? {}) as Partial<Record<keyof View, unknown>>;
  if (typeof name !== 'string' || name.trim() === '' || name.length > NAME_MAX) {
    throw new Error(`${which} needs a name of 1 to ${NAME_MAX} characters.`);
  }
  if (typeof query !== 'string' || query.length > QUERY_MAX) {
    throw new Error(`${which}, “${name}”, needs a query: a text of up to ${QUERY_MAX} characters.`);
  }
  return { name: name.trim(), query: query.replace(/^\?/, '') };
}

/** The later of two views of one name counts. */
export function withViews(views: readonly View[], more: readonly View[]): readonly View[] {
  const byName = new Map([...views, ...more].map((view) => [view.name, view]));
  return [...byName.values()].sort((a, b) => a.name.localeCompare(b.name));
}
