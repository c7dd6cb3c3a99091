import type { InboxRow } from './rows.ts';
import type { SqlRow } from './session.ts';

/** A row of the inbox; its key stays with whoever asked. */
export function readInbox(row: SqlRow): InboxRow {
  return {
    seq: row['seq'] as number,
    type: row['type'] as number,
    sender: row['sender'] as number | null,
    bytes: row['bytes'] as Uint8Array,
  };
}
