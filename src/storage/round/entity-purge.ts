/** Deleting an entity: its state and what waits for it. Whoever waits for an answer is told. */
import { operationFailed } from '../../core/entity-action.ts';
import { failure } from '../../core/failures.ts';
import { decodeEvent, EVENT_NUMBER } from '../../wire/events.ts';
import type { InboxRow } from '../sql/rows.ts';
import { advance } from './entity.ts';
import type { EntityEntry, RoundState } from './state.ts';

/**
 * How many entities this deletes: one, or none where there is nothing. A lock and the requests for it stay, so that
 * nobody waits for ever; what a worker holds is void.
 */
export function purgeEntity(state: RoundState, entry: EntityEntry): number {
  const { run, entity } = entry;
  if (!run) return 0;
  const queued = state.queued(entry);
  const hasState = run.next_chunk > run.first_chunk;
  if (!hasState && queued.length === 0 && entity.queue.isEmpty) return 0;
  const answers = queued.flatMap((row) => answerTo(state, entry, row) ?? []);
  state.lookAtAll(answers.map(({ look }) => look));
  for (const { tell } of answers) tell();
  run.token = null;
  run.ready_at = null;
  run.lease_sender = null;
  run.read_seq = run.next_seq - 1;
  run.first_chunk = run.next_chunk;
  run.history_bytes = 0;
  entry.appended = [];
  entry.chunks = [];
  entry.consumedUpto = run.read_seq;
  entry.historyFrom = run.first_chunk;
  entry.dropsTimers = true;
  entity.failures = 0;
  entity.queue.clear();
  state.readyEntries.delete(entry);
  advance(state, entry);
  return 1;
}

interface PurgeAnswer {
  readonly look: () => unknown;
  readonly tell: () => void;
}

function answerTo(
  state: RoundState,
  { instance }: EntityEntry,
  row: InboxRow,
): PurgeAnswer | undefined {
  if (row.type !== EVENT_NUMBER.entityOperationCalled || row.sender === null) return undefined;
  const { sender } = row;
  const { eventType } = decodeEvent(row);
  if (eventType.case !== 'entityOperationCalled') return undefined;
  const { requestId, parentExecutionId } = eventType.value;
  return {
    look: () => state.byRid(instance.hub, sender),
    tell: () => {
      const caller = state.byRid(instance.hub, sender);
      if (caller?.run?.execution_id !== parentExecutionId || !caller?.run) return;
      const details = failure('EntityPurged', `The entity '${instance.id}' was purged`);
      state.deliver(caller, operationFailed(requestId, details));
    },
  };
}
