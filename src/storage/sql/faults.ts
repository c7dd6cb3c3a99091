/** What can go wrong with a transaction that is nobody's mistake, in words that the store acts on. */

/** The transaction was rolled back because of what others did at the same time: run it again from the start. */
export class Conflict extends Error {
  override readonly name = 'Conflict';
}

/** The task hub that the round was for has been deleted, by this node or another. */
export class HubGone extends Conflict {}

/** The round found that it needs further rows or types: its keys have grown, run it again with them. */
export class KeysGrew extends Error {
  override readonly name = 'KeysGrew';
}

/** The connection was lost before COMMIT was sent: nothing has happened. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

/** The connection was lost while COMMIT was under way: it may have happened, or not. */
export class CommitUnknown extends Error {
  override readonly name = 'CommitUnknown';
}

/** The same transaction may well go through when it is run again; what became of a COMMIT is the caller's to find out. */
export function isWorthRepeating(error: unknown): boolean {
  if (error instanceof HubGone) return false;
  return (
    error instanceof Conflict || error instanceof ConnectionLost || error instanceof CommitUnknown
  );
}
