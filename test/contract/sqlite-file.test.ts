import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { systemIds } from '../../src/base/ids.ts';
import { openStore } from '../../src/storage/open-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { storeContract } from './store.contract.ts';

storeContract('SQLite on file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'store-contract-'));
  const storage = `sqlite:${join(folder, 'scheduler.db')}`;
  const openFile = (): Promise<Store> =>
    openStore({ storage, logger: silentLogger, clock: systemClock, ids: systemIds });
  let current = await openFile();
  return {
    store: current,
    reopen: async () => {
      await current.close();
      current = await openFile();
      return current;
    },
    close: async () => {
      await current.close();
      await rm(folder, { recursive: true });
    },
  };
});
