import type { Migration } from './migration.ts';

interface TableDefinition {
  readonly name: string;
  /** `column type`, with int, text, blob and `null` where a value may be missing. */
  readonly columns: readonly string[];
  readonly constraints: readonly string[];
}

/**
 * Every key begins with the hub, the distribution column of a distributed PostgreSQL. Integer keys only in hot tables;
 * text ids live in `instances` alone. Measured: composite integer keys on ordinary tables are as fast as packed ones.
 */
const TABLES: readonly TableDefinition[] = [
  {
    name: 'hubs',
    columns: ['hub int', 'name text'],
    constraints: ['primary key (hub)', 'unique (name)'],
  },
  {
    name: 'types',
    columns: ['type int', 'hub int', 'kind int', 'name text', 'version text'],
    constraints: ['primary key (hub, type)', 'unique (hub, kind, name, version)'],
  },
  {
    name: 'instances',
    columns: [
      'hub int',
      'rid int',
      'id text',
      'kind int',
      'type int',
      'execution_id text',
      'exec int',
      'status int',
      'created_at int',
      'updated_at int',
      'completed_at int null',
      'scheduled_at int null',
      'parent_rid int null',
      'parent_exec int null',
      'parent_id text null',
      'tags text null',
      'custom_status text null',
      'error_type text null',
      'error_message text null',
      'first_chunk int',
      'last_chunk int',
    ],
    constraints: ['primary key (hub, rid)', 'unique (hub, id)'],
  },
  {
    name: 'runs',
    columns: [
      'hub int',
      'rid int',
      'kind int',
      'type int',
      'exec int',
      'execution_id text',
      'token text null',
      'node int',
      'attempts int',
      'abandons int',
      'dispatched_at int',
      'lease_upto int',
      'lease_sender int null',
      'ready_at int null',
      'next_seq int',
      'read_seq int',
      'first_chunk int',
      'next_chunk int',
      'history_bytes int',
      'parent_rid int null',
      'parent_exec int null',
      'parent_task int null',
      'suspended int',
      'locking int',
      'updated_at int',
      'trace blob null',
    ],
    constraints: ['primary key (hub, rid)'],
  },
  {
    name: 'history',
    columns: ['hub int', 'rid int', 'chunk int', 'hidden int', 'bytes blob'],
    constraints: ['primary key (hub, rid, chunk)'],
  },
  {
    name: 'inbox',
    columns: ['hub int', 'rid int', 'seq int', 'type int', 'sender int null', 'bytes blob'],
    constraints: ['primary key (hub, rid, seq)'],
  },
  {
    name: 'activities',
    columns: [
      'hub int',
      'aid int',
      'rid int',
      'exec int',
      'type int',
      'task int',
      'token text null',
      'node int',
      'attempts int',
      'abandons int',
      'ready_at int null',
      'detached int',
      'bytes blob',
    ],
    constraints: ['primary key (hub, aid)'],
  },
  {
    name: 'timers',
    columns: ['hub int', 'tid int', 'rid int', 'exec int', 'due_at int', 'bytes blob'],
    constraints: ['primary key (hub, tid)'],
  },
  {
    name: 'entities',
    columns: [
      'hub int',
      'rid int',
      'tail int',
      'lock_count int',
      'lock_seq int null',
      'owner_operations int',
      'ending_seq int null',
      'failures int',
    ],
    constraints: ['primary key (hub, rid)'],
  },
  {
    name: 'locks',
    columns: [
      'hub int',
      'rid int',
      'seq int',
      'owner_rid int',
      'owner_exec int',
      'section text',
      'lock_set text',
      'position int',
      'ahead int',
    ],
    constraints: ['primary key (hub, rid, seq)'],
  },
  {
    name: 'requests',
    columns: ['hub int', 'rid int', 'id text', 'at int'],
    constraints: ['primary key (hub, rid, id)'],
  },
  { name: 'garbage', columns: ['hub int', 'rid int'], constraints: ['primary key (hub, rid)'] },
  {
    name: 'nodes',
    columns: ['node int', 'incarnation text', 'heartbeat_at int', 'announcement text'],
    constraints: ['primary key (node)'],
  },
  {
    name: 'lanes',
    columns: ['node int', 'lane int', 'round int'],
    constraints: ['primary key (node, lane)'],
  },
  { name: 'dropped_hubs', columns: ['hub int'], constraints: ['primary key (hub)'] },
  {
    name: 'role_assignments',
    columns: [
      'id text',
      'role text',
      'issuer text',
      'assignee_type text',
      'assignee text',
      'task_hub text',
      'created_at int',
      'created_by text null',
    ],
    constraints: ['primary key (id)', 'unique (issuer, assignee_type, assignee, role, task_hub)'],
  },
  {
    name: 'retention',
    columns: ['status int', 'days int'],
    constraints: ['primary key (status)'],
  },
  {
    name: 'imports',
    columns: ['id text', 'batch int', 'hubs text', 'type_base int', 'node int'],
    constraints: ['primary key (id)'],
  },
  { name: 'counters', columns: ['name text', 'next int'], constraints: ['primary key (name)'] },
];

const INDEXES: readonly string[] = [
  'create index instances_created on instances (hub, kind, created_at, rid)',
  'create index instances_status on instances (hub, kind, status, created_at, rid)',
  'create index instances_type on instances (hub, type, created_at, rid)',
  'create index instances_completed on instances (hub, kind, completed_at, rid) where completed_at is not null',
  'create index instances_parent on instances (hub, parent_rid) where parent_rid is not null',
  'create index runs_ready on runs (hub, kind, type, ready_at) where ready_at is not null',
  'create index activities_ready on activities (hub, type, ready_at) where ready_at is not null',
  'create index timers_due on timers (hub, due_at)',
  'create index inbox_sender on inbox (hub, rid, sender, seq) where sender is not null',
  'create index locks_owner on locks (hub, owner_rid)',
  'create index requests_at on requests (at)',
  'create index timers_run on timers (hub, rid)',
];

function createTable(table: TableDefinition, engine: 'sqlite' | 'postgres'): string {
  const columns = table.columns.map((column) => createColumn(column, engine));
  const strict = engine === 'sqlite' ? ' strict' : '';
  return `create table ${table.name} (${[...columns, ...table.constraints].join(', ')})${strict}`;
}

const TYPES = {
  sqlite: { int: 'integer', text: 'text', blob: 'blob' },
  postgres: { int: 'bigint', text: 'text collate "C"', blob: 'bytea' },
} as const;

function createColumn(column: string, engine: 'sqlite' | 'postgres'): string {
  const [name = '', type = '', nullable] = column.split(' ');
  const sqlType = TYPES[engine][type as keyof (typeof TYPES)['sqlite']];
  return `${name} ${sqlType}${nullable === 'null' ? '' : ' not null'}`;
}

/** Row ids start at 1 and are never reused; nodes take them in blocks. */
const SEED = `insert into counters (name, next) values ('ids', 1), ('hubs', 1), ('nodes', 1)`;

/**
 * Rows that come and go by the million: room on the page for updates in place, and dead rows taken away by number
 * instead of by share, at full speed (measured; `autovacuum_naptime` of the server is what decides how often).
 */
const CHURNED = ['runs', 'inbox', 'activities', 'timers', 'entities', 'requests'].map(
  (table) =>
    `alter table ${table} set (fillfactor = ${table === 'runs' ? 70 : 90}, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0)`,
);

function render(engine: 'sqlite' | 'postgres'): readonly string[] {
  const settings = engine === 'postgres' ? CHURNED : [];
  return [...TABLES.map((table) => createTable(table, engine)), ...INDEXES, ...settings, SEED];
}

export const initial: Migration = {
  id: 1,
  name: 'initial',
  sqlite: render('sqlite'),
  postgres: render('postgres'),
};
