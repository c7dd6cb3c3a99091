/**
 * A SQLite file with as many orchestrations as wanted: a few are run for real, in every status, and their rows are
 * copied under other ids, names, times and tags.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { TaskHubClient } from '../../src/client/index.ts';
import { openScheduler } from '../../src/server/index.ts';
import { TaskHubWorker, type CoreOrchestrationContext } from '../../src/worker/index.ts';
import { CITIES, sayHello } from './hello.ts';

/** Names that the copies get: `Orders.Name00` and so on. */
const NAMES = 40;
const TEAMS = 25;
const BATCH = 20_000;
/** The copies' ages are spread over this time. */
const SPREAD_MS = 60 * 86_400_000;

/** How many of a hundred thousand copies are of which kind. */
const SHARES = {
  completed: 83_000,
  failed: 10_000,
  terminated: 3000,
  running: 3000,
  suspended: 500,
  pending: 500,
} as const;
type Kind = keyof typeof SHARES;

type Row = Record<string, SQLInputValue>;
/** The tables that belong to one instance, by kind of instance. */
const TABLES = ['instances', 'runs', 'history', 'inbox'] as const;
type Table = (typeof TABLES)[number];
type Template = Readonly<Record<Table, readonly Row[]>>;

export interface FillOptions {
  readonly path: string;
  readonly instances: number;
  readonly onProgress: (done: number) => void;
}

/** Makes the file anew. */
export async function fillDatabase({ path, instances, onProgress }: FillOptions): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    if (existsSync(file)) rmSync(file);
  }
  await runTemplates(`sqlite:${path}`);
  const database = new DatabaseSync(path);
  try {
    database.exec('pragma synchronous = off');
    copyAll(database, instances, onProgress);
    database.exec('analyze; pragma wal_checkpoint(truncate)');
  } finally {
    database.close();
  }
}

/** One real instance of each kind, its id the kind's name. */
async function runTemplates(storage: string): Promise<void> {
  const scheduler = await openScheduler({ storage, grpcPort: 0, httpPort: 0, logLevel: 'warn' });
  const target = { endpoint: scheduler.grpcEndpoint, taskHub: 'default' };
  const client = TaskHubClient.open(target);
  const worker = new TaskHubWorker(target);
  worker.addNamedActivity('SayHello', (_, city: string) => sayHello(city));
  worker.addNamedOrchestrator('Hello', function* (context: CoreOrchestrationContext) {
    const greetings: unknown[] = [];
    for (const city of CITIES) greetings.push(yield context.callActivity('SayHello', city));
    return greetings;
  });
  worker.addNamedOrchestrator('Fail', () => {
    throw new RangeError('the order 4711 has no lines');
  });
  worker.addNamedOrchestrator('Wait', function* (context: CoreOrchestrationContext) {
    yield context.waitForExternalEvent('Paid');
  });
  await worker.connected();
  const start = (name: string, instanceId: Kind): Promise<string> =>
    client.scheduleNewOrchestration(name, { order: 4711 }, instanceId);
  await start('Hello', 'completed');
  await start('Fail', 'failed');
  for (const kind of ['terminated', 'running', 'suspended'] as const) {
    await start('Wait', kind);
    await client.waitForOrchestrationStart(kind);
  }
  await client.terminateOrchestration('terminated', 'no longer wanted');
  await client.suspendOrchestration('suspended', 'out of stock');
  for (const kind of ['completed', 'failed', 'terminated'] as const) {
    await client.waitForOrchestrationCompletion(kind);
  }
  await worker.stop();
  await start('Nobody', 'pending');
  await client.close();
  await scheduler.close();
}

function copyAll(
  database: DatabaseSync,
  count: number,
  onProgress: FillOptions['onProgress'],
): void {
  const templates = new Map(
    (Object.keys(SHARES) as Kind[]).map((kind) => [kind, readTemplate(database, kind)]),
  );
  const next = database.prepare("select next from counters where name = 'ids'").get() as Row;
  const first = Number(next['next']);
  const types = insertTypes(database, first);
  const firstRid = first + NAMES;
  const kinds = kindsInTurn();
  const inserts = new Map<Table, (row: Row) => void>();
  const now = Date.now();
  for (let from = 0; from < count; from += BATCH) {
    database.exec('begin');
    for (let i = from; i < Math.min(count, from + BATCH); i += 1) {
      const template = templates.get(kinds[(i * 7919) % kinds.length] ?? 'completed');
      if (template) copyOne(template, { i, rid: firstRid + i, types, now, count });
    }
    database.exec('commit');
    onProgress(Math.min(count, from + BATCH));
  }
  database.prepare("update counters set next = ? where name = 'ids'").run(firstRid + count + 1);

  function copyOne(template: Template, place: Place): void {
    for (const table of TABLES) {
      for (const row of template[table]) insertInto(table, row, changed(table, row, place));
    }
  }

  function insertInto(table: Table, template: Row, row: Row): void {
    const columns = Object.keys(template);
    const insert =
      inserts.get(table) ??
      ((): ((values: Row) => void) => {
        const marks = columns.map(() => '?').join(', ');
        const statement = database.prepare(
          `insert into ${table} (${columns.join(', ')}) values (${marks})`,
        );
        return (values) => statement.run(...columns.map((column) => values[column] ?? null));
      })();
    inserts.set(table, insert);
    insert(row);
  }
}

function readTemplate(database: DatabaseSync, kind: Kind): Template {
  const found = database.prepare('select hub, rid from instances where id = ?').get(kind) as Row;
  const rowsOf = (table: Table): readonly Row[] =>
    database
      .prepare(`select * from ${table} where hub = ? and rid = ?`)
      .all(found['hub'] ?? null, found['rid'] ?? null);
  return Object.fromEntries(TABLES.map((table) => [table, rowsOf(table)])) as unknown as Template;
}

/** More names of orchestrators; returns their numbers. */
function insertTypes(database: DatabaseSync, first: number): readonly number[] {
  const template = database.prepare("select * from types where name = 'Hello'").get() as Row;
  const insert = database.prepare(
    'insert into types (type, hub, kind, name, version) values (?, ?, ?, ?, ?)',
  );
  return Array.from({ length: NAMES }, (_, index) => {
    const name = `Orders.Name${String(index).padStart(2, '0')}`;
    const version = index % 4 === 0 ? '1.0' : '';
    insert.run(first + index, template['hub'] ?? null, template['kind'] ?? null, name, version);
    return first + index;
  });
}

/** As many places as shares, so that a stride through them meets each kind as often as it should be. */
function kindsInTurn(): readonly Kind[] {
  return (Object.entries(SHARES) as [Kind, number][]).flatMap(([kind, share]) =>
    Array.from({ length: share }, () => kind),
  );
}

interface Place {
  readonly i: number;
  readonly rid: number;
  readonly types: readonly number[];
  readonly now: number;
  readonly count: number;
}

function changed(table: Table, row: Row, { i, rid, types, now, count }: Place): Row {
  if (table === 'history' || table === 'inbox') return { ...row, rid };
  const type = types[i % NAMES] ?? 0;
  const createdAt = now - Math.floor(SPREAD_MS * (1 - i / count));
  const executionId = i.toString(16).padStart(32, '0');
  if (table === 'runs') return { ...row, rid, type, execution_id: executionId };
  const tookMs = Number(row['updated_at']) - Number(row['created_at']);
  return {
    ...row,
    ...{ rid, type, execution_id: executionId, created_at: createdAt },
    id: `order-${String(i).padStart(8, '0')}`,
    updated_at: createdAt + tookMs,
    completed_at: row['completed_at'] === null ? null : createdAt + tookMs,
    tags: i % 3 === 0 ? JSON.stringify({ team: `team-${i % TEAMS}` }) : (row['tags'] ?? null),
  };
}
