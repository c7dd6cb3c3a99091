/** Picks the driver for a storage setting: `memory`, `sqlite:<path>` or `postgres://…`; loads only that one. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import { invalidArgument, TaskHubError } from '../core/errors.ts';
import { DEFAULT_PAYLOAD_LIMITS, type PayloadLimits } from '../core/limits.ts';
import { DEFAULT_POSTGRES_LIMITS, type PostgresLimits } from '../core/postgres-limits.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SqlDatabase, SqlSource } from './sql/session.ts';
import { SqlStore } from './sql-store.ts';
import type { Store } from './store.ts';

export interface OpenDatabaseOptions {
  /**
   * `memory`; `sqlite:<path>` relative to the working directory; `postgres://user:password@host:5432/database` with
   * `?schema=name` for a deployment of its own within the database (default: the connection's search path) and
   * `&application_name=name` for what the server calls its connections.
   */
  readonly storage: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly postgresLimits?: PostgresLimits;
}

export interface OpenStoreOptions extends OpenDatabaseOptions {
  readonly limits?: PayloadLimits;
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

/** The database alone, for who moves what is in it; nobody is registered and nothing is migrated. */
export async function openDatabase(options: OpenDatabaseOptions): Promise<SqlDatabase> {
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

/**
 * A database to read from, which must be there. `isShared`: beside a scheduler that owns the file; otherwise nobody
 * opens it meanwhile.
 */
export async function openSource(
  options: OpenDatabaseOptions & { readonly isShared: boolean },
): Promise<SqlSource> {
  const file = /^sqlite:(.+)$/.exec(options.storage)?.[1];
  if (file === undefined) return openDatabase(options);
  const path = resolve(file);
  if (!existsSync(path)) throw invalidArgument(`there is no database file '${path}'`);
  const { openSqlite, openSqliteSource } = await import('./sqlite-session.ts');
  return options.isShared ? openSqliteSource(path) : openSqlite({ path });
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
