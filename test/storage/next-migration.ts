/** The schema of a release that does not exist yet: it only adds, as the rule is (docs/decisions/0014-migrations.md). */
import { MIGRATIONS } from '../../src/storage/migrations/migrate.ts';
import type { Migration } from '../../src/storage/migrations/migration.ts';
import * as tables from '../../src/storage/sql/tables.ts';

function render(int: string): readonly string[] {
  return [
    // Every table, so that every statement of the older release meets one that has grown.
    ...Object.values(tables).map(
      ({ name }) => `alter table ${name} add column later ${int} not null default 7`,
    ),
    'alter table instances add column note text',
    'create index instances_note on instances (hub, note) where note is not null',
    `create table notes (hub ${int} not null, rid ${int} not null, primary key (hub, rid))`,
    'insert into notes (hub, rid) select hub, rid from instances',
  ];
}

const next: Migration = {
  id: MIGRATIONS.length + 1,
  name: 'next',
  sqlite: render('integer'),
  postgres: render('bigint'),
};

/** Of that release. */
export const NEXT_MIGRATIONS: readonly Migration[] = [...MIGRATIONS, next];

/** Of one whose last statement fails. */
export const BROKEN_MIGRATIONS: readonly Migration[] = [
  ...MIGRATIONS,
  {
    ...next,
    sqlite: [...next.sqlite, 'insert into nowhere values (1)'],
    postgres: [...next.postgres, 'insert into nowhere values (1)'],
  },
];
