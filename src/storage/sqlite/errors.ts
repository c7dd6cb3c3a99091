/** What goes wrong with a database file, in one sentence for the operator: the file, the rule, the remedy. */
import { TaskHubError } from '../../core/errors.ts';

/** SQLite's primary result codes that say something about the file or its disk. */
const CODES = {
  busy: 5,
  readOnly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const;

const GUIDE = 'see docs/OPERATIONS.md';

const SENTENCES: ReadonlyMap<number | undefined, (path: string, why: string) => string> = new Map([
  [
    CODES.readOnly,
    (path) =>
      `the database file '${path}' may not be written by this user; give it the right to write the file and its folder, or choose another file with --storage sqlite:<path>`,
  ],
  [
    CODES.io,
    (path, why) =>
      `the database file '${path}' cannot be read or written (${why}); check its disk, then start the scheduler again`,
  ],
  [CODES.corrupt, damaged],
  [
    CODES.full,
    (path) =>
      `the disk of the database file '${path}' is full: nothing was stored; free some space, the scheduler then goes on by itself`,
  ],
  [
    CODES.cannotOpen,
    (path, why) =>
      `the database file '${path}' cannot be opened (${why}); this user must be able to write the file and its folder; or choose another file with --storage sqlite:<path>`,
  ],
  [
    CODES.notADatabase,
    (path) =>
      `the database file '${path}' is no SQLite database, or its beginning is damaged; choose another file with --storage sqlite:<path>, or restore a back-up (${GUIDE})`,
  ],
]);

function damaged(path: string, why: string): string {
  return `the database file '${path}' is damaged (${why}) and is not written any more; stop the scheduler and restore a back-up (${GUIDE})`;
}

/** The primary result code; `undefined` for what SQLite did not say. */
function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

/** SQLITE_BUSY, the only answer that means that somebody else has the lock. */
export function isBusy(error: unknown): boolean {
  return codeOf(error) === CODES.busy;
}

/** No room for what was to be written. */
export function isFull(error: unknown): boolean {
  return codeOf(error) === CODES.full;
}

/** Writing on would make it worse. */
export function isDamage(error: unknown): boolean {
  const code = codeOf(error);
  return code === CODES.corrupt || code === CODES.notADatabase;
}

/** A failure of the file or its disk as UNAVAILABLE; any other error stays what it is. */
export function translateError(path: string, error: unknown): unknown {
  const sentence = SENTENCES.get(codeOf(error));
  if (!sentence) return error;
  return new TaskHubError('UNAVAILABLE', sentence(path, (error as Error).message), {
    cause: error,
  });
}

/** Why a file cannot be opened, whatever the reason. */
export function cannotOpen(path: string, cause: unknown): TaskHubError {
  const known = cause instanceof TaskHubError ? cause : translateError(path, cause);
  if (known instanceof TaskHubError) return known;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new TaskHubError(
    'UNAVAILABLE',
    `the database file '${path}' cannot be opened: ${why}; ${GUIDE}, or choose another with --storage sqlite:<path>`,
    { cause },
  );
}

/** A check of the file found this; `why` is SQLite's own finding. */
export function damagedFile(path: string, why: string): TaskHubError {
  return new TaskHubError('UNAVAILABLE', damaged(path, why));
}
