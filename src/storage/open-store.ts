/** Picks the driver for a storage setting: `memory`, `sqlite:<path>` or `postgres://…`; loads only that one. */
import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import { invalidArgument, TaskHubError } from '../core/errors.ts';
import { DEFAULT_PAYLOAD_LIMITS, type PayloadLimits } from '../core/limits.ts';
import { DEFAULT_POSTGRES_LIMITS, type PostgresLimits } from '../core/postgres-limits.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SqlDatabase } from './sql/session.ts';
import { SqlStore } from './sql-store.ts';
import type { Store } from './store.ts';

export interface OpenStoreOptions {
  /**
   * `memory`; `sqlite:<path>` relative to the working directory; `postgres://user:password@host:5432/database` with
   * `?schema=name` for a deployment of its own within the database (default: the connection's search path) and
   * `&application_name=name` for what the server calls its connections.
   */
  readonly storage: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly limits?: PayloadLimits;
  readonly postgresLimits?: PostgresLimits;
}

/** Opens and migrates the store. UNAVAILABLE with one clear sentence when it cannot be opened. */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const database = await openDatabase(options);
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

const POSTGRES = /^postgres(ql)?:\/\//;

async function openDatabase(options: OpenStoreOptions): Promise<SqlDatabase> {
  const { storage } = options;
  if (POSTGRES.test(storage)) {
    const { openPostgres } = await import('./postgres-session.ts');
    const { postgresLimits: limits = DEFAULT_POSTGRES_LIMITS } = options;
    return openPostgres({ ...options, url: storage, limits });
  }
  const file = /^sqlite:(.+)$/.exec(storage)?.[1];
  if (file === undefined && storage !== 'memory') {
    throw invalidArgument(
      `storage '${storage}' is not known; use memory, sqlite:<path> or postgres://…`,
    );
  }
  const { openSqlite } = await import('./sqlite-session.ts');
  return openSqlite({ path: file === undefined ? ':memory:' : makeFolder(resolve(file)) });
}

function makeFolder(path: string): string {
  try {
    mkdirSync(dirname(path), { recursive: true });
    return path;
  } catch (cause) {
    throw new TaskHubError(
      'UNAVAILABLE',
      `the folder of the database file '${path}' cannot be made; check its rights or choose another with --storage`,
      { cause },
    );
  }
}
