/** Opening a database file: who owns it, whose it is, and whether it is whole. */
import { existsSync, realpathSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { TaskHubError } from '../../core/errors.ts';
import { cannotOpen, damagedFile, isBusy } from './errors.ts';

/** `DTSC`, in the header of every file that is ours; nothing is ever written to another program's. */
const APPLICATION_ID = 0x44_54_53_43;

/** Larger files are not read through at each start (measured: 1.6 ms for each MB); what is damaged in them shows when it is read. */
const CHECKED_BYTES_MAX = 128 * 1024 * 1024;

/**
 * One owner per file, by an exclusive lock on a file beside it: SQLite takes it from the operating system, which gives
 * it back however the process ends. The database itself stays readable for others (backups, the command line).
 */
export function lockFile(path: string): DatabaseSync {
  let lock: DatabaseSync;
  try {
    lock = new DatabaseSync(`${realPath(path)}.lock`);
  } catch (cause) {
    throw cannotOpen(path, cause);
  }
  try {
    lock.exec('pragma busy_timeout = 0');
    lock.exec('pragma journal_mode = memory');
    lock.exec('begin exclusive');
    return lock;
  } catch (cause) {
    lock.close();
    if (!isBusy(cause)) throw cannotOpen(path, cause);
    throw new TaskHubError(
      'UNAVAILABLE',
      `the database file '${path}' is in use by another scheduler; stop that one, or choose another file with --storage sqlite:<path>`,
      { cause },
    );
  }
}

/** One name for the file, so that a link to it does not make a second lock. */
function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

/**
 * The writing connection: WAL with `synchronous=FULL`, so that a commit is on disk before its reply (measured:
 * grouping makes FULL affordable); pages of 8 KiB and a checkpoint every 3,000 of them. A file that is not ours, not
 * whole or not writable is refused before anything is written to it.
 */
export function openWriter(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    database.exec('pragma page_size = 8192');
    database.exec('pragma busy_timeout = 5000');
    const isNew = checkOwner(database, path);
    if (!isNew) checkPages(database, path);
    // Fails here, in words, on a file that SQLite could open for reading only.
    database.exec('begin immediate');
    database.exec('rollback');
    if (isNew) database.exec(`pragma application_id = ${APPLICATION_ID}`);
    database.exec('pragma journal_mode = wal');
    database.exec('pragma synchronous = full');
    database.exec('pragma wal_autocheckpoint = 3000');
    database.exec('pragma cache_size = -65536');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** True for a file with nothing in it; throws for one with another program's tables. */
function checkOwner(database: DatabaseSync, path: string): boolean {
  const id = ask(database, 'select application_id as answer from pragma_application_id');
  if (id === APPLICATION_ID) return false;
  if (id === 0 && ask(database, 'select count(*) as answer from sqlite_schema') === 0) return true;
  throw new TaskHubError(
    'UNAVAILABLE',
    `the database file '${path}' belongs to another program and is left as it is; choose another file with --storage sqlite:<path>`,
  );
}

function checkPages(database: DatabaseSync, path: string): void {
  const pages = Number(ask(database, 'select page_count as answer from pragma_page_count'));
  const size = Number(ask(database, 'select page_size as answer from pragma_page_size'));
  if (pages * size > CHECKED_BYTES_MAX) return;
  const finding = database.prepare('pragma quick_check(1)').get()?.['quick_check'];
  if (finding !== 'ok') throw damagedFile(path, String(finding));
}

function ask(database: DatabaseSync, sql: string): unknown {
  return database.prepare(sql).get()?.['answer'];
}
