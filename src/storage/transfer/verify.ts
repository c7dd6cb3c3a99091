/** Reads what was imported and compares it with what was exported, before anybody works with it. */
import { TaskHubError } from '../../core/errors.ts';
import type { SqlDatabase } from '../sql/session.ts';
import { digestKey, encodeRow, RowDigest, type ExportEnd, type TableDigest } from './format.ts';
import type { ImportedHub, ImportState } from './import-state.ts';
import type { TransferProgress } from './progress.ts';
import { HUB_TABLES, readPages, type MovedTable } from './tables.ts';

export interface VerifyOptions {
  readonly target: SqlDatabase;
  readonly state: ImportState;
  readonly end: ExportEnd;
  readonly rowsTotal: number;
  readonly onProgress: TransferProgress;
}

/** UNAVAILABLE when a table does not hold what the file says. */
export async function verifyImport(options: VerifyOptions): Promise<void> {
  const { state, end, target } = options;
  let done = 0;
  for (const hub of state.hubs) {
    for (const moved of HUB_TABLES) {
      const expected = end.digests[digestKey(hub.from, moved.table.name)];
      const found = await digestOf(options, hub, moved, done);
      done += found.rows;
      if (expected?.sha256 === found.sha256) continue;
      throw new TaskHubError(
        'UNAVAILABLE',
        `table ${moved.table.name} of task hub '${hub.name}' in ${target.target} is not what was exported (${found.rows} rows, ${expected?.rows ?? 0} expected); take the import back with 'durabletask import --abandon', then import again`,
      );
    }
  }
}

function digestOf(
  { target, state, rowsTotal, onProgress }: VerifyOptions,
  { to }: ImportedHub,
  moved: MovedTable,
  done: number,
): Promise<TableDigest> {
  const type = moved.hasType ? moved.columns.indexOf('type') : -1;
  return target.read(async (session) => {
    const digest = new RowDigest();
    let rows = done;
    for await (const page of readPages(session, moved, to)) {
      for (const row of page) {
        const original = row.map((value, index) =>
          index === type ? Number(value) - state.typeBase : value,
        );
        digest.add(encodeRow(original));
      }
      rows += page.length;
      onProgress({ phase: 'verify', rows, rowsTotal });
    }
    return digest.end();
  });
}
