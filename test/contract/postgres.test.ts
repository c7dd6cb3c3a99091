import { systemClock } from '../../src/base/clock.ts';
import { systemIds } from '../../src/base/ids.ts';
import { openStore } from '../../src/storage/open-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { PostgresSchema, sharedPostgres, stopSharedPostgres } from '../support/postgres.ts';
import { storeContract } from './store.contract.ts';

describe('PostgreSQL', () => {
  before(async function () {
    this.timeout(60_000);
    await sharedPostgres();
  });
  after(stopSharedPostgres);

  storeContract('PostgreSQL', async () => {
    const schema = await PostgresSchema.create();
    const open = (): Promise<Store> =>
      openStore({ storage: schema.url, logger: silentLogger, clock: systemClock, ids: systemIds });
    let current = await open();
    return {
      store: current,
      reopen: async () => {
        await current.close();
        current = await open();
        return current;
      },
      close: async () => {
        await current.close();
        await schema[Symbol.asyncDispose]();
      },
    };
  });
});
