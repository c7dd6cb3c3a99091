/** Picks the driver for a storage setting: `memory`, `sqlite:<path>`, later `postgres://…`. */
import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import { invalidArgument, TaskHubError } from '../core/errors.ts';
import { DEFAULT_PAYLOAD_LIMITS, type PayloadLimits } from '../core/limits.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SqlDatabase } from './sql/session.ts';
import { SqlStore } from './sql-store.ts';
import type { Store } from './store.ts';

export interface OpenStoreOptions {
  /** `memory`, or `sqlite:<path>` relative to the working directory. */
  readonly storage: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly limits?: PayloadLimits;
}

/** Opens and migrates the store. UNAVAILABLE with one clear sentence when it cannot be opened. */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const database = await openDatabase(options.storage);
  try {
    return await SqlStore.open({
      database,
      ids: options.ids,
      logger: options.logger,
      limits: options.limits ?? DEFAULT_PAYLOAD_LIMITS,
      now: options.clock.now(),
    });
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function openDatabase(storage: string): Promise<SqlDatabase> {
  const { openSqlite } = await import('./sqlite-session.ts');
  if (storage === 'memory') return openSqlite({ path: ':memory:' });
  const file = /^sqlite:(.+)$/.exec(storage)?.[1];
  if (file !== undefined) {
    const path = resolve(file);
    try {
      mkdirSync(dirname(path), { recursive: true });
    } catch (cause) {
      throw new TaskHubError(
        'UNAVAILABLE',
        `the folder of the database file '${path}' cannot be made; check its rights or choose another with --storage`,
        { cause },
      );
    }
    return openSqlite({ path });
  }
  if (/^postgres(ql)?:\/\//.test(storage)) {
    throw new TaskHubError(
      'UNIMPLEMENTED',
      'PostgreSQL storage is not in this version yet; use sqlite:<path> or memory',
    );
  }
  throw invalidArgument(
    `storage '${storage}' is not known; use memory, sqlite:<path> or postgres://…`,
  );
}
