/** Writes all that there is of task hubs to a file, as it was at one moment. */
import { invalidArgument, TaskHubError } from '../../core/errors.ts';
import { assertCurrent } from '../migrations/migrate.ts';
import type { SqlSession, SqlSource } from '../sql/session.ts';
import { assertUnused } from './exclusive.ts';
import { ExportFile } from './file.ts';
import {
  digestKey,
  encodeRow,
  FORMAT,
  FORMAT_VERSION,
  RowDigest,
  type ExportedHub,
  type ExportEnd,
  type ExportHeader,
  type Row,
  type TableDigest,
} from './format.ts';
import type { TransferProgress } from './progress.ts';
import { HUB_TABLES, readPages, readSchedulerTable, SCHEDULER_TABLES } from './tables.ts';

export interface ExportOptions {
  readonly source: SqlSource;
  /** Must not exist. */
  readonly file: string;
  /** Default: all hubs. */
  readonly taskHubs: readonly string[] | undefined;
  /** A copy is made beside schedulers that run; otherwise that is refused: what they do afterwards would be missing. */
  readonly isSnapshot: boolean;
  readonly id: string;
  readonly now: number;
  readonly onProgress: TransferProgress;
  readonly signal: AbortSignal;
}

/**
 * Memory is bounded by the size of a page. INVALID_ARGUMENT for a hub that is not there or a file that is; UNAVAILABLE
 * when the store is in use.
 */
export function exportHubs(options: ExportOptions): Promise<ExportHeader> {
  return options.source.read(async (session) => {
    const { source, isSnapshot, now } = options;
    await assertCurrent(session, source.target);
    if (!isSnapshot) await assertUnused(session, { target: source.target, now });
    if (session.dialect === 'postgres') {
      // A slow disk on this side is no reason to end the transaction that all is read in.
      await session.run('set local idle_in_transaction_session_timeout = 0', []);
      await session.run('set local statement_timeout = 0', []);
    }
    // Made in here: after a lost connection all of this runs once more.
    const file = await ExportFile.create(options.file);
    try {
      const header = await new Exporter(session, file, options).run();
      await file.finish();
      return header;
    } catch (error) {
      await file.discard();
      throw error;
    }
  });
}

class Exporter {
  readonly #session: SqlSession;
  readonly #file: ExportFile;
  readonly #options: ExportOptions;
  readonly #digests: Record<string, TableDigest> = {};
  #batches = 0;
  #rows = 0;

  constructor(session: SqlSession, file: ExportFile, options: ExportOptions) {
    this.#session = session;
    this.#file = file;
    this.#options = options;
  }

  async run(): Promise<ExportHeader> {
    const header = await this.#header();
    await this.#file.write(JSON.stringify(header));
    for (const { hub } of header.hubs) {
      for (const table of HUB_TABLES) {
        const pages = readPages(this.#session, table, hub);
        await this.#table(hub, table.table.name, pages, header.rowsTotal);
      }
    }
    const names = new Set(header.hubs.map(({ name }) => name));
    for (const table of SCHEDULER_TABLES) {
      const rows = await readSchedulerTable(this.#session, table, names);
      await this.#table(0, table.name, rows.length === 0 ? [] : [rows], header.rowsTotal);
    }
    const end: ExportEnd = { end: true, batches: this.#batches, digests: this.#digests };
    await this.#file.write(JSON.stringify(end));
    return header;
  }

  async #header(): Promise<ExportHeader> {
    const { id, now, source } = this.#options;
    const hubs = await this.#hubs();
    const [counter] = await this.#session.all("select next from counters where name = 'ids'", []);
    const [schema] = await this.#session.all('select max(id) as id from schema_migrations', []);
    if (!counter) throw new TaskHubError('UNAVAILABLE', `${source.target} has lost its counters`);
    let rowsTotal = 0;
    for (const { hub } of hubs) {
      for (const { table } of HUB_TABLES) {
        const count = `select count(*) as count from ${table.name} where hub = $1`;
        rowsTotal += Number((await this.#session.all(count, [hub]))[0]?.['count']);
      }
    }
    return {
      format: FORMAT,
      version: FORMAT_VERSION,
      ...{ id, schema: Number(schema?.['id']), createdAt: now, hubs },
      ...{ idsEnd: Number(counter['next']), rowsTotal },
    };
  }

  async #hubs(): Promise<readonly ExportedHub[]> {
    const { taskHubs, source } = this.#options;
    const rows = await this.#session.all('select hub, name from hubs order by hub', []);
    const found = rows.map((row) => ({ hub: Number(row['hub']), name: String(row['name']) }));
    const missing = taskHubs?.find((name) => !found.some((hub) => hub.name === name));
    if (missing !== undefined) {
      const names = found.map(({ name }) => name).join(', ');
      throw invalidArgument(
        `there is no task hub '${missing}' in ${source.target}; there are ${names}`,
      );
    }
    return found.filter(({ name }) => taskHubs?.includes(name) ?? true);
  }

  async #table(
    hub: number,
    table: string,
    pages: AsyncIterable<readonly Row[]> | Iterable<readonly Row[]>,
    rowsTotal: number,
  ): Promise<void> {
    const digest = new RowDigest();
    for await (const page of pages) {
      this.#options.signal.throwIfAborted();
      const rows = page.map(encodeRow);
      for (const row of rows) digest.add(row);
      this.#batches += 1;
      this.#rows += rows.length;
      await this.#file.write(`{"hub":${hub},"table":"${table}","rows":[${rows.join(',')}]}`);
      this.#options.onProgress({ phase: 'export', rows: this.#rows, rowsTotal });
    }
    this.#digests[digestKey(hub, table)] = digest.end();
  }
}
