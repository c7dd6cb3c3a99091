/** `durabletask export` and `import`: task hubs from one store to another, by way of a file. */
import { systemClock } from '../base/clock.ts';
import { systemIds } from '../base/ids.ts';
import { invalidArgument } from '../core/errors.ts';
import { openDatabase, openSource } from '../storage/open-store.ts';
import type { SqlSource } from '../storage/sql/session.ts';
import { exportHubs } from '../storage/transfer/export.ts';
import { abandonImports } from '../storage/transfer/import-state.ts';
import { importHubs } from '../storage/transfer/import.ts';
import type { TransferProgress } from '../storage/transfer/progress.ts';
import { migrateDatabase } from '../storage/migrations/migrate.ts';
import type { Logger } from '../telemetry/logger.ts';

export type { TransferProgress, TransferStep } from '../storage/transfer/progress.ts';

export interface TransferOptions {
  /** As `durabletask start --storage` takes it. */
  readonly storage: string;
  readonly logger: Logger;
}

export interface TransferFileOptions extends TransferOptions {
  readonly file: string;
  readonly onProgress: TransferProgress;
  /** Ends it between two batches, with the signal's reason. */
  readonly signal: AbortSignal;
}

export interface ExportFileOptions extends TransferFileOptions {
  /** Default: all. */
  readonly taskHubs: readonly string[] | undefined;
  /** A copy beside schedulers that run. */
  readonly isSnapshot: boolean;
}

export interface Transferred {
  readonly taskHubs: readonly string[];
  readonly rows: number;
}

/** @throws TaskHubError UNAVAILABLE when the store is in use or cannot be opened; INVALID_ARGUMENT. */
export async function exportToFile(options: ExportFileOptions): Promise<Transferred> {
  const source = await openSource({ ...surroundings(options), isShared: options.isSnapshot });
  return closing(source, async () => {
    const { hubs, rowsTotal } = await exportHubs({
      ...{ source, file: options.file, taskHubs: options.taskHubs, isSnapshot: options.isSnapshot },
      ...{ onProgress: options.onProgress, signal: options.signal },
      id: systemIds.uuid(),
      now: systemClock.now(),
    });
    return { taskHubs: hubs.map(({ name }) => name), rows: rowsTotal };
  });
}

/** Goes on where an interrupted import of the same file has come to (`resumedAt` batches). */
export async function importFromFile(
  options: TransferFileOptions,
): Promise<Transferred & { readonly resumedAt: number }> {
  const target = await openDatabase(surroundings(options));
  const { file, onProgress, signal } = options;
  return closing(target, () =>
    importHubs({ target, file, onProgress, signal, now: systemClock.now() }),
  );
}

/** Takes back the imports that are not finished; returns their task hubs. */
export async function abandonUnfinished(options: TransferOptions): Promise<readonly string[]> {
  const target = await openDatabase(surroundings(options));
  return closing(target, async () => {
    await migrateDatabase(target, { now: systemClock.now() });
    return abandonImports(target);
  });
}

function surroundings({ storage, logger }: TransferOptions) {
  if (storage === 'memory') {
    throw invalidArgument(
      "storage 'memory' ends with its scheduler: there is nothing to export from or import into; name a file or a database with --storage",
    );
  }
  return { storage, logger, clock: systemClock, ids: systemIds };
}

async function closing<T>(source: SqlSource, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await source.close();
  }
}
