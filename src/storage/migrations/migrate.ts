import { TaskHubError } from '../../core/errors.ts';
import type { SqlSession } from '../sql/session.ts';
import { initial } from './0001-initial.ts';
import type { Migration } from './migration.ts';

export const MIGRATIONS: readonly Migration[] = [initial];

/**
 * Brings the schema up to date inside the caller's transaction.
 * A database newer than this code is refused untouched (UNAVAILABLE).
 */
export async function migrate(session: SqlSession, now: number): Promise<void> {
  await session.run(
    `create table if not exists schema_migrations (id ${session.dialect === 'sqlite' ? 'integer' : 'bigint'} primary key, name text not null, applied_at ${session.dialect === 'sqlite' ? 'integer' : 'bigint'} not null)`,
    [],
  );
  const rows = await session.all('select max(id) as newest from schema_migrations', []);
  const newest = Number(rows[0]?.['newest'] ?? 0);
  const known = MIGRATIONS.length;
  if (newest > known) {
    throw new TaskHubError(
      'UNAVAILABLE',
      `the database has schema version ${newest}, newer than version ${known} that this release knows; run the release that wrote it, or a later one`,
    );
  }
  for (const migration of MIGRATIONS.filter(({ id }) => id > newest)) {
    for (const statement of migration[session.dialect]) await session.run(statement, []);
    await session.run('insert into schema_migrations (id, name, applied_at) values ($1, $2, $3)', [
      migration.id,
      migration.name,
      now,
    ]);
  }
}
