import type { PostgresSchema } from '../../support/postgres.ts';

/** Each finds rows that must not be there when nothing is under way; its name says what would be wrong. */
const FAULTS: Readonly<Record<string, string>> = {
  'a live instance without a run':
    'select i.id from instances i left join runs r using (hub, rid) where i.completed_at is null and r.rid is null',
  'a run of an ended instance':
    'select i.id from runs r join instances i using (hub, rid) where i.completed_at is not null',
  'a run without its instance':
    'select r.rid::text as id from runs r left join instances i using (hub, rid) where i.rid is null or i.exec <> r.exec',
  'an event outside the cursors of its inbox':
    'select r.rid::text as id from inbox b join runs r using (hub, rid) where b.seq <= r.read_seq or b.seq >= r.next_seq',
  'an event of nobody':
    'select b.rid::text as id from inbox b left join runs r using (hub, rid) left join garbage g using (hub, rid) where r.rid is null and g.rid is null',
  'a timer of nobody':
    'select t.rid::text as id from timers t left join runs r using (hub, rid) where r.rid is null or r.exec <> t.exec',
  'an instance that is idle with something to do':
    'select r.rid::text as id from runs r where r.token is null and r.ready_at is null and r.suspended = 0 and exists (select 1 from inbox b where b.hub = r.hub and b.rid = r.rid)',
  'a gap in a history':
    'select r.rid::text as id from runs r where r.next_chunk - r.first_chunk <> (select count(*) from history h where h.hub = r.hub and h.rid = r.rid and h.chunk >= r.first_chunk)',
};

/** What is wrong with the tables of a schema: empty when every row belongs where it is. */
export async function faultsOf(schema: PostgresSchema): Promise<readonly string[]> {
  const client = await schema.connect();
  try {
    const faults: string[] = [];
    for (const [name, sql] of Object.entries(FAULTS)) {
      const { rows } = await client.query<{ id: string }>(sql);
      if (rows.length > 0) faults.push(`${name}: ${rows.map(({ id }) => id).join(', ')}`);
    }
    return faults;
  } finally {
    await client.end();
  }
}

/** Ids of the instances that have not ended. */
export async function liveInstances(schema: PostgresSchema): Promise<readonly string[]> {
  const client = await schema.connect();
  try {
    const { rows } = await client.query<{ id: string }>(
      'select id from instances where completed_at is null order by id',
    );
    return rows.map(({ id }) => id);
  } finally {
    await client.end();
  }
}

/** Deadlocks in the database so far. Statistics come late: those of a connection are complete once it has closed. */
export async function deadlocksOf(schema: PostgresSchema): Promise<number> {
  const client = await schema.connect();
  try {
    const { rows } = await client.query<{ deadlocks: string }>(
      'select deadlocks from pg_stat_database where datname = current_database()',
    );
    return Number(rows[0]?.deadlocks);
  } finally {
    await client.end();
  }
}
