import type { PostgresSchema } from '../../support/postgres.ts';

/** Every column, constraint and index of a schema, one a line, in a fixed order. */
export async function dumpPostgres(schema: PostgresSchema): Promise<string> {
  const client = await schema.connect();
  try {
    const { rows } = await client.query<{ line: string }>(
      `select line from (
         select 1 as part, format('%s.%s %s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                  case when l.collname is null or l.collname = 'default' then '' else ' collate "' || l.collname || '"' end,
                  case when a.attnotnull then ' not null' else '' end) as line,
                c.relname as name, a.attnum as place
           from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
           left join pg_collation l on l.oid = a.attcollation
          where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
         union all
         select 2, c.relname || ' with ' || array_to_string(c.reloptions, ', '), c.relname, 0
           from pg_class c
          where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and c.reloptions is not null
         union all
         select 3, replace(indexdef, schemaname || '.', ''), tablename, 0
           from pg_indexes where schemaname = current_schema()
       ) lines order by part, name collate "C", place, line collate "C"`,
    );
    return rows.map(({ line }) => `${line}\n`).join('');
  } finally {
    await client.end();
  }
}
