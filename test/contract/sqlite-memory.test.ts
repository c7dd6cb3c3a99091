import { systemIds } from '../../src/base/ids.ts';
import { DEFAULT_PAYLOAD_LIMITS } from '../../src/core/limits.ts';
import { openSqlite } from '../../src/storage/sqlite-session.ts';
import { SqlStore } from '../../src/storage/sql-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { START_AT } from './store/bench.ts';
import { storeContract } from './store.contract.ts';

/** A memory database dies with its process; the next owner here is a second store on the same one. */
storeContract('SQLite in memory', async () => {
  const database = openSqlite({ path: ':memory:' });
  const openOn = (): Promise<Store> =>
    SqlStore.open({
      database,
      ids: systemIds,
      logger: silentLogger,
      limits: DEFAULT_PAYLOAD_LIMITS,
      now: START_AT,
    });
  return { store: await openOn(), reopen: openOn, close: () => database.close() };
});
