/** PostgreSQL's errors in the words of the store and of the operator. Passwords never get into them. */
import { DatabaseError } from 'pg';
import { TaskHubError } from '../../core/errors.ts';
import { Conflict, ConnectionLost, HubGone } from '../sql/faults.ts';

/** Deadlock, serialisation failure, lock not available, and a key that a concurrent round took first. */
const CONFLICTS: ReadonlySet<string> = new Set(['40P01', '40001', '55P03', '23505']);

/** The server ends the connection or cannot take one now; class 08 beside these. */
const DISCONNECTS: ReadonlySet<string> = new Set([
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '25P03',
  // A standby took over and this one only reads now: the name may lead elsewhere the next time.
  '25006',
  '53300',
]);

/** `statement_timeout`. */
const STATEMENT_GIVEN_UP = '57014';
const NUL_IN_TEXT = '22021';
/** Only the mark of a round divides, by the number of rows of its hub. */
const DIVISION_BY_ZERO = '22012';

/** `error` of a statement as what the store acts on; what it does not know stays as it is. */
export function translateError(error: unknown): unknown {
  if (!(error instanceof DatabaseError)) {
    return new ConnectionLost('the connection to PostgreSQL was lost', { cause: error });
  }
  const { code = '' } = error;
  if (CONFLICTS.has(code)) {
    return new Conflict(`PostgreSQL rolled back (${code}): ${error.message}`, { cause: error });
  }
  if (DISCONNECTS.has(code) || code.startsWith('08')) {
    return new ConnectionLost(`PostgreSQL ended the connection (${code})`, { cause: error });
  }
  if (code === DIVISION_BY_ZERO) return new HubGone('the task hub is gone', { cause: error });
  if (code === STATEMENT_GIVEN_UP) {
    return new TaskHubError(
      'UNAVAILABLE',
      'PostgreSQL took longer over a statement than it may; ask for less at a time, look at its load, or raise statementMs of --postgres-limits',
      { cause: error },
    );
  }
  if (code === NUL_IN_TEXT) {
    return new TaskHubError(
      'INVALID_ARGUMENT',
      'a text holds the character U+0000, which PostgreSQL cannot store; leave it out',
      { cause: error },
    );
  }
  return error;
}

const HINTS: Readonly<Record<string, string>> = {
  '28P01': 'the user name or the password is wrong',
  '28000': 'the server does not let this user in (pg_hba.conf)',
  '3D000': 'there is no such database; create it first',
  '42501': 'the user lacks a right; it needs CREATE on the database or on the schema',
  '53300': 'the server has no free connection',
  '57P03': 'the server is starting up or shutting down; try again',
  ENOTFOUND: 'the host name is not known',
  ECONNREFUSED: 'nothing listens there; is the server running?',
  ENOENT: 'there is no such socket',
};

/** As `pg` says it, which has no code for it. */
const NO_ANSWER = /timeout/;

/** One sentence for the operator; `target` names server and database without user and password. */
export function cannotOpen(target: string, cause: unknown): TaskHubError {
  const { code = '', message } = cause as { readonly code?: string; readonly message?: string };
  const why = HINTS[code] ?? whyOf(message ?? '') ?? code;
  return new TaskHubError('UNAVAILABLE', `PostgreSQL at ${target} cannot be used: ${why}`, {
    cause,
  });
}

function whyOf(message: string): string | undefined {
  if (NO_ANSWER.test(message))
    return 'it does not answer; raise connectMs of --postgres-limits if it only takes long';
  return message === '' ? undefined : message;
}
