/**
 * Statements that run for many rows at once. The two engines want opposite things: PostgreSQL one statement with
 * arrays (`unnest`), SQLite one cached statement for each row. Each is described once and rendered for both.
 */

export type ColumnType = 'int' | 'text' | 'blob';
export type Columns = Readonly<Record<string, ColumnType>>;

export interface Table {
  readonly name: string;
  readonly columns: Columns;
}

export interface Statement {
  /** `?` placeholders in the order of `types`. */
  readonly sqlite: string;
  /** `$n` arrays in the order of `types`; a blob column takes three: one buffer, offsets and lengths. */
  readonly postgres: string;
  readonly types: readonly ColumnType[];
  /** Rows for one PostgreSQL statement; more of them are sent as several. Default: no bound. */
  readonly rowsMax?: number;
}

/** Each row of an update or delete is compared to all keys of its statement, so that these must not be many. */
const CHANGED_ROWS_MAX = 32;

type Comparison = '=' | '<' | '<=' | '>' | '>=';
/** A column compared to a parameter; the same column may be compared twice under two names. */
export type Condition = readonly [column: string, comparison: Comparison];

/**
 * The columns of a table by name, never `*`: a statement that PostgreSQL has prepared fails for ever once a later
 * release has added a column to what it answers.
 */
export function columnsOf(table: Table, alias: string): string {
  return Object.keys(table.columns)
    .map((column) => `${alias}.${column}`)
    .join(', ');
}

const POSTGRES_TYPES = { int: 'bigint[]', text: 'text[]' } as const;

function typesOf(table: Table, columns: readonly string[]): readonly ColumnType[] {
  return columns.map((column) => {
    const type = table.columns[column];
    if (type === undefined) throw new TypeError(`table ${table.name} has no column ${column}`);
    return type;
  });
}

/**
 * The rows given, as a table `u(p1, p2, …)`. Bytes come as one buffer that is cut here: as an array they would
 * travel as text, twice as long.
 */
function unnest(types: readonly ColumnType[]): string {
  const arrays: string[] = [];
  const names: string[] = [];
  const columns: string[] = [];
  let parameter = 0;
  const add = (type: string, name: string): void => {
    parameter += 1;
    arrays.push(`$${parameter}::${type}`);
    names.push(name);
  };
  for (const [index, type] of types.entries()) {
    const number = index + 1;
    if (type === 'blob') {
      parameter += 1;
      columns.push(
        `substring($${parameter}::bytea from v.o${number} for v.l${number}) as p${number}`,
      );
      add('int[]', `o${number}`);
      add('int[]', `l${number}`);
    } else {
      columns.push(`v.p${number}`);
      add(POSTGRES_TYPES[type], `p${number}`);
    }
  }
  const rows = `unnest(${arrays.join(', ')})`;
  if (!types.includes('blob')) return `${rows} u(${names.join(', ')})`;
  return `(select ${columns.join(', ')} from ${rows} v(${names.join(', ')})) u`;
}

/**
 * Conditions of an update or delete, whose parameters begin after `before` others. Each key is compared twice: to its
 * row, and to all rows given. With the second a plan that was made when the table was almost empty, and begins with
 * the table instead of the rows, still goes by the index; without it, it reads the whole table for as long as it is
 * cached.
 */
function postgresWhere(
  types: readonly ColumnType[],
  conditions: readonly Condition[],
  before: number,
): string {
  const parameterOf = (column: number): number =>
    1 + types.slice(0, column).reduce((sum, type) => sum + (type === 'blob' ? 3 : 1), 0);
  return conditions
    .flatMap(([column, op], index) => {
      const place = before + index;
      const one = `t.${column} ${op} u.p${place + 1}`;
      return op === '=' ? [one, `t.${column} = any($${parameterOf(place)})`] : [one];
    })
    .join(' and ');
}

export interface InsertOptions {
  /** Rows whose key is taken are left out instead of failing. */
  readonly orIgnore?: boolean;
}

export function insertInto(table: Table, options: InsertOptions = {}): Statement {
  const columns = Object.keys(table.columns);
  const types = typesOf(table, columns);
  const into = `insert into ${table.name} (${columns.join(', ')})`;
  const conflict = options.orIgnore === true ? ' on conflict do nothing' : '';
  return {
    sqlite: `${into} values (${columns.map(() => '?').join(', ')})${conflict}`,
    postgres: `${into} select * from ${unnest(types)}${conflict}`,
    types,
  };
}

/** Parameters: the columns to set, then the key. */
export function updateByKey(
  table: Table,
  keys: readonly string[],
  columns: readonly string[],
): Statement {
  const types = typesOf(table, [...columns, ...keys]);
  const sets = (value: (index: number) => string): string =>
    columns.map((column, index) => `${column} = ${value(index)}`).join(', ');
  const where = postgresWhere(
    types,
    keys.map((key) => [key, '='] as const),
    columns.length,
  );
  return {
    sqlite: `update ${table.name} set ${sets(() => '?')} where ${keys.map((key) => `${key} = ?`).join(' and ')}`,
    postgres: `update ${table.name} t set ${sets((index) => `u.p${index + 1}`)} from ${unnest(types)} where ${where}`,
    types,
    rowsMax: CHANGED_ROWS_MAX,
  };
}

export function deleteWhere(table: Table, conditions: readonly Condition[]): Statement {
  const types = typesOf(
    table,
    conditions.map(([column]) => column),
  );
  return {
    sqlite: `delete from ${table.name} where ${conditions.map(([column, op]) => `${column} ${op} ?`).join(' and ')}`,
    postgres: `delete from ${table.name} t using ${unnest(types)} where ${postgresWhere(types, conditions, 0)}`,
    types,
    rowsMax: CHANGED_ROWS_MAX,
  };
}

export interface SelectOptions {
  readonly where: readonly Condition[];
  /** Default: all of the table's. */
  readonly columns?: readonly string[];
  readonly orderBy?: readonly string[];
  /**
   * Rows stay locked until the transaction ends (PostgreSQL; SQLite has one writer anyway). `now`: fails with
   * `Conflict` instead of waiting, for a lock that is taken out of order.
   */
  readonly lock?: 'wait' | 'now';
}

/** Each also keeps the planner from turning the loop around: rows are looked up, and locked, in the order given. */
const LOCKS = {
  none: ' offset 0',
  wait: ' for update',
  now: ' for update nowait',
} as const;

export function selectWhere(table: Table, options: SelectOptions): Statement {
  const { where, columns = Object.keys(table.columns), orderBy = [], lock } = options;
  const types = typesOf(
    table,
    where.map(([column]) => column),
  );
  const order = (prefix: string): string =>
    orderBy.length === 0
      ? ''
      : ` order by ${orderBy.map((column) => `${prefix}${column}`).join(', ')}`;
  const conditions = where.map(([column, op], index) => `t.${column} ${op} u.p${index + 1}`);
  return {
    sqlite: `select ${columns.join(', ')} from ${table.name} where ${where.map(([column, op]) => `${column} ${op} ?`).join(' and ')}${order('')}`,
    postgres: `select ${columns.map((column) => `t.${column}`).join(', ')} from ${unnest(types)} cross join lateral (select * from ${table.name} t where ${conditions.join(' and ')}${LOCKS[lock ?? 'none']}) t${order('t.')}`,
    types,
  };
}
