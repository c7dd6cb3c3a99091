/** History in pages of events. */
import { unframeEvents } from '../../../wire/events.ts';
import type {
  HistoryEntry,
  HistoryPage,
  HistoryPageOptions,
  HistoryPosition,
} from '../../inspection.ts';
import { findChunk, findInstance } from '../read.ts';
import type { SqlSession } from '../session.ts';

/** A page ends when it has about this many bytes of events. */
const PAGE_BYTES_MAX = 4 * 1024 * 1024;

export async function readHistoryPage(
  session: SqlSession,
  hub: number,
  id: string,
  { after, limit }: HistoryPageOptions,
): Promise<HistoryPage | undefined> {
  const read = await findInstance(session, hub, id);
  if (!read) return undefined;
  const items: HistoryEntry[] = [];
  let bytesLeft = PAGE_BYTES_MAX;
  let position = after?.position ?? 0;
  const from = Math.max(after?.chunk ?? 0, read.firstChunk);
  for (let chunk = from; chunk < read.nextChunk; chunk += 1) {
    const found = await findChunk(session, read, chunk);
    let index = -1;
    for (const bytes of found ? unframeEvents(found.bytes) : []) {
      index += 1;
      if (after && chunk === after.chunk && index <= after.index) continue;
      if (items.length === limit || bytesLeft <= 0) {
        return { executionId: read.instance.execution_id, items, hasMore: true };
      }
      position += 1;
      bytesLeft -= bytes.length;
      items.push({ chunk, index, position, bytes });
    }
  }
  return { executionId: read.instance.execution_id, items, hasMore: false };
}

export async function readHistoryEvent(
  session: SqlSession,
  hub: number,
  id: string,
  position: HistoryPosition,
): Promise<Uint8Array | undefined> {
  const read = await findInstance(session, hub, id);
  const found = read && (await findChunk(session, read, position.chunk));
  return found && [...unframeEvents(found.bytes)][position.index];
}
