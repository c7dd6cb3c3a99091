/** `node test/storage/print-schema.ts > test/fixtures/schema.sqlite.sql` after a new migration. */
import { migrate } from '../../src/storage/migrations/migrate.ts';
import { openSqlite } from '../../src/storage/sqlite-session.ts';
import { dumpSchema } from './dump-schema.ts';

const database = openSqlite({ path: ':memory:' });
await database.transaction((session) => migrate(session, { now: 0, target: database.target }));
process.stdout.write(await dumpSchema(database));
await database.close();
