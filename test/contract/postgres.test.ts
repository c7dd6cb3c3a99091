import assert from 'node:assert/strict';
import { systemClock } from '../../src/base/clock.ts';
import { systemIds } from '../../src/base/ids.ts';
import { openStore } from '../../src/storage/open-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { PostgresSchema, sharedPostgres, stopSharedPostgres } from '../support/postgres.ts';
import { Neighbour } from './two-stores/neighbour.ts';
import { storeContract } from './store.contract.ts';

describe('PostgreSQL', function () {
  // The neighbour takes its share of the processor.
  this.timeout(20_000);

  before(async function () {
    this.timeout(60_000);
    await sharedPostgres();
  });
  after(async () => {
    await stopSharedPostgres();
    assert.ok(generations > 100, `the neighbour worked all the time: ${generations} generations`);
  });

  let generations = 0;

  storeContract('PostgreSQL beside a neighbour', async () => {
    const schema = await PostgresSchema.create();
    const open = (): Promise<Store> =>
      openStore({ storage: schema.url, logger: silentLogger, clock: systemClock, ids: systemIds });
    let current = await open();
    const neighbour = await Neighbour.open(schema.url);
    return {
      store: neighbour.besides(current),
      reopen: async () => {
        await current.close();
        current = await open();
        return neighbour.besides(current);
      },
      close: async () => {
        await neighbour.close();
        generations += neighbour.generations;
        await current.close();
        await schema[Symbol.asyncDispose]();
      },
    };
  });
});
