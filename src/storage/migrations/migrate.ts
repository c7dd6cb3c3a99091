import { TaskHubError } from '../../core/errors.ts';
import { repeated } from '../sql/repeated.ts';
import type { SqlDatabase, SqlSession } from '../sql/session.ts';
import { initial } from './0001-initial.ts';
import type { Migration } from './migration.ts';

export const MIGRATIONS: readonly Migration[] = [initial];

/** One half of the advisory lock's key, the same in every release; the other is the schema. */
const LOCK = 1_685_419_123;

export interface MigrateOptions {
  readonly now: number;
  /** What the database is called in messages. */
  readonly target: string;
  /** Default: those of this release. */
  readonly migrations?: readonly Migration[] | undefined;
}

/**
 * Brings the schema up to date inside the caller's transaction.
 * A database newer than this code is refused untouched (UNAVAILABLE).
 */
export async function migrate(
  session: SqlSession,
  { now, target, migrations = MIGRATIONS }: MigrateOptions,
): Promise<void> {
  if (session.dialect === 'postgres') {
    // Nodes that start together take turns; given back with the transaction.
    await session.all('select pg_advisory_xact_lock($1, hashtext(current_schema()))::text', [LOCK]);
  }
  if (!(await isMade(session))) {
    await session.run(
      `create table if not exists schema_migrations (id ${session.dialect === 'sqlite' ? 'integer' : 'bigint'} primary key, name text not null, applied_at ${session.dialect === 'sqlite' ? 'integer' : 'bigint'} not null)`,
      [],
    );
  }
  const rows = await session.all('select max(id) as newest from schema_migrations', []);
  const newest = Number(rows[0]?.['newest'] ?? 0);
  const known = migrations.length;
  if (newest > known) throw tooNew(target, newest, known);
  for (const migration of migrations.filter(({ id }) => id > newest)) {
    for (const statement of migration[session.dialect]) await session.run(statement, []);
    await session.run('insert into schema_migrations (id, name, applied_at) values ($1, $2, $3)', [
      migration.id,
      migration.name,
      now,
    ]);
  }
}

/** Asked first: a role that may only read and write rows must not be asked to create what is there. */
async function isMade(session: SqlSession): Promise<boolean> {
  if (session.dialect === 'sqlite') return false;
  const rows = await session.all(
    `select 1 as made from pg_class where oid = to_regclass('schema_migrations')`,
    [],
  );
  return rows.length > 0;
}

/** `migrate` in a transaction of its own; again for whoever has waited too long for another's migration. */
export async function migrateDatabase(
  database: SqlDatabase,
  options: Omit<MigrateOptions, 'target'>,
): Promise<void> {
  const { target } = database;
  await repeated(database, () =>
    database.transaction((session) => migrate(session, { ...options, target })),
  );
}

function tooNew(target: string, newest: number, known: number): TaskHubError {
  return new TaskHubError(
    'UNAVAILABLE',
    `${target} has schema version ${newest}, newer than version ${known} that this release knows, and is left as it is; run the release that wrote it, or a later one`,
  );
}

/** For who only reads: UNAVAILABLE when the schema is not exactly the one that this release writes. */
export async function assertCurrent(session: SqlSession, target: string): Promise<void> {
  const known = MIGRATIONS.length;
  const table =
    session.dialect === 'sqlite'
      ? "select 1 from sqlite_schema where name = 'schema_migrations'"
      : "select 1 from pg_class where oid = to_regclass('schema_migrations')";
  const isMade = (await session.all(table, [])).length > 0;
  const rows = isMade
    ? await session.all('select max(id) as newest from schema_migrations', [])
    : [];
  const newest = Number(rows[0]?.['newest'] ?? 0);
  if (newest > known) throw tooNew(target, newest, known);
  if (newest === known) return;
  throw new TaskHubError(
    'UNAVAILABLE',
    newest === 0
      ? `${target} holds no task hubs; name the one that 'durabletask start' uses`
      : `${target} has schema version ${newest}, older than version ${known} of this release; start a scheduler of this release on it once, then try again`,
  );
}
