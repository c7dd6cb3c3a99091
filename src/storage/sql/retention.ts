/** The retention policy of the scheduler: few rows, read before each sweep. */
import { DEFAULT_RETENTION, type RetentionPolicy } from '../../core/retention.ts';
import type { RuntimeStatus } from '../../core/instance.ts';
import { repeated } from './repeated.ts';
import type { SqlDatabase } from './session.ts';

/** In the column `status`: the rule of all others, and the mark that a policy was set, if an empty one. */
const OF_ALL = -1;
const MARK = -2;

export async function readRetention(database: SqlDatabase): Promise<RetentionPolicy> {
  const rows = await database.read((session) =>
    session.all('select status, days from retention order by status', []),
  );
  if (rows.length === 0) return DEFAULT_RETENTION;
  return rows
    .map((row) => ({ status: Number(row['status']), days: Number(row['days']) }))
    .filter(({ status }) => status !== MARK)
    .map(({ status, days }) => ({
      status: status === OF_ALL ? undefined : (status as RuntimeStatus),
      days,
    }));
}

export async function writeRetention(
  database: SqlDatabase,
  policy: RetentionPolicy,
): Promise<void> {
  await repeated(database, () =>
    database.transaction(async (session) => {
      await session.run('delete from retention', []);
      const rows = [...policy.map(({ status = OF_ALL, days }) => [status, days]), [MARK, 0]];
      for (const row of rows) {
        await session.run('insert into retention (status, days) values ($1, $2)', row);
      }
    }),
  );
}
