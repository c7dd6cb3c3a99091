/** Messages reach entities: they queue, lock, unlock, and make batches due. */
import { parseEntityId } from '../../core/entity-id.ts';
import type { EntityMessage, OperationMessage } from '../../core/entity-message.ts';
import type { LockRequest } from '../../core/entity-queue.ts';
import { decodeEvent, encodeEvent, EVENT_NUMBER, eventTypeOf } from '../../wire/events.ts';
import { KIND, type TimerRow } from '../sql/rows.ts';
import { newEntityPart } from './entity-part.ts';
import type { TypeKey } from './keys.ts';
import { newEntityRows } from './new-rows.ts';
import type { EntityEntry, Entry, RoundState } from './state.ts';

export function isEntity(entry: Entry | undefined): entry is EntityEntry {
  return entry?.entity !== undefined;
}

export function entityType(hub: number, entityId: string): TypeKey {
  const name = parseEntityId(entityId)?.name ?? '';
  return { hub, kind: KIND.entity, name, version: '' };
}

/** The entity with this id, made if it is not there. */
function findOrCreate(state: RoundState, hub: number, entityId: string): EntityEntry {
  const existing = state.byId(hub, entityId);
  if (isEntity(existing)) return existing;
  const type = state.type(entityType(hub, entityId));
  const { now } = state.env;
  const rid = state.env.nextId();
  const executionId = state.env.random();
  const rows = newEntityRows({ hub, rid, type, id: entityId, executionId, now });
  return state.create(rows.instance, rows.run, newEntityPart()) as EntityEntry;
}

/** The rows that a message will need. */
export function lookAtTarget(
  state: RoundState,
  hub: number,
  message: EntityMessage,
  executionId: string | undefined,
): void {
  const ids = message.kind === 'lock' ? message.lockSet : [message.entityId];
  state.lookAtAll(
    ids.flatMap((id) => [
      () => state.type(entityType(hub, id)),
      () => {
        const entry = state.byId(hub, id);
        if (!entry || message.kind !== 'operation') return;
        state.isRequestSeen(entry, requestKey(message, executionId));
      },
    ]),
  );
}

/**
 * Under which a request is remembered. What an orchestration sends counts once for each execution: another one (after a
 * rewind, or the next generation, whose ids may repeat when both turns have the same time) asks anew. What a client or
 * an entity sends counts once, however often it is sent.
 */
export function requestKey(
  { requestId }: OperationMessage,
  executionId: string | undefined,
): string {
  return executionId === undefined ? requestId : `${requestId} ${executionId}`;
}

/** Delivers a message; `sender` is the orchestration that it comes from. */
export function sendToEntity(
  state: RoundState,
  hub: number,
  message: EntityMessage,
  sender?: Entry,
): void {
  switch (message.kind) {
    case 'operation':
      sendOperation(state, findOrCreate(state, hub, message.entityId), message, sender);
      return;
    case 'lock': {
      const { run, instance } = sender ?? {};
      if (!run || !instance) return;
      const { section, lockSet } = message;
      run.locking = 1;
      const owner = { owner: instance.rid, ownerExec: run.exec };
      requestLock(state, hub, { ...owner, section, lockSet, position: 0 });
      return;
    }
    case 'unlock': {
      const entry = state.byId(hub, message.entityId);
      if (!isEntity(entry) || !entry.run || !sender) return;
      const at = { owner: sender.instance.rid, seq: entry.run.next_seq };
      entry.entity.queue.unlock(message.section, at);
      entry.run.next_seq += 1;
      advance(state, entry);
      return;
    }
  }
}

function sendOperation(
  state: RoundState,
  entry: EntityEntry,
  message: OperationMessage,
  sender: Entry | undefined,
): void {
  const { requestId, event, scheduledAt } = message;
  const { hub, rid } = entry.instance;
  if (requestId !== '') {
    const key = requestKey(message, sender?.run?.execution_id);
    if (state.isRequestSeen(entry, key)) return;
    state.noteRequest(entry, key);
  }
  if (scheduledAt !== undefined && scheduledAt > state.env.now) {
    const tid = state.env.nextId();
    state.timers.push({ hub, tid, rid, exec: 1, due_at: scheduledAt, bytes: event.bytes });
    return;
  }
  const isCall = event.type === EVENT_NUMBER.entityOperationCalled;
  enqueue(state, entry, { event, sender: isCall ? (sender?.instance.rid ?? null) : null });
}

function enqueue(
  state: RoundState,
  entry: EntityEntry,
  operation: { readonly event: OperationMessage['event']; readonly sender: number | null },
): void {
  const seq = entry.run?.next_seq ?? 0;
  state.append(entry, operation.event, operation.sender);
  entry.entity.queue.arrive({ seq, sender: operation.sender });
  advance(state, entry);
}

/** A scheduled signal or call is due: it joins the queue now. */
export function fireOperation(state: RoundState, entry: EntityEntry, timer: TimerRow): void {
  const event = { type: eventTypeOf(timer.bytes), bytes: timer.bytes };
  const { eventType } = decodeEvent(event);
  const call = eventType.case === 'entityOperationCalled' ? eventType.value : undefined;
  const caller = call && state.byId(entry.instance.hub, call.parentInstanceId ?? '');
  const isCurrent = caller?.run?.execution_id === call?.parentExecutionId;
  enqueue(state, entry, { event, sender: isCurrent ? (caller?.instance.rid ?? null) : null });
}

/** A lock request joins the queue of the entity at its position. */
function requestLock(state: RoundState, hub: number, request: Omit<LockRequest, 'seq'>): void {
  const entityId = request.lockSet[request.position];
  if (entityId === undefined) return;
  const entry = findOrCreate(state, hub, entityId);
  const { run } = entry;
  if (!run) return;
  entry.entity.queue.request({ ...request, seq: run.next_seq });
  run.next_seq += 1;
  advance(state, entry);
}

/** After anything that moves the queue: the lock request whose turn it is is granted, a batch that may run is ready. */
export function advance(state: RoundState, entry: EntityEntry): void {
  const { run, entity, instance } = entry;
  const { queue } = entity;
  if (!run) return;
  const request = queue.grantable;
  if (request) {
    queue.grant(queue.operations === 0 ? 0 : state.waitingFrom(entry, request.owner));
    granted(state, instance.hub, request);
  }
  // Nothing waits any more: what arrives next can be handed out without a look at the tables.
  if (queue.operations === 0 && run.token === null) run.read_seq = run.next_seq - 1;
  if (queue.runnable > 0) state.makeReady(entry, state.env.now);
}

/** On to the next entity of the critical section; after the last one the owner is told. */
function granted(state: RoundState, hub: number, request: LockRequest): void {
  const position = request.position + 1;
  if (position < request.lockSet.length) {
    requestLock(state, hub, { ...request, position });
    return;
  }
  const owner = state.byRid(hub, request.owner);
  if (owner?.run?.exec !== request.ownerExec) return;
  const { section: criticalSectionId } = request;
  state.deliver(
    owner,
    encodeEvent({ eventType: { case: 'entityLockGranted', value: { criticalSectionId } } }),
  );
}

/** An execution is over, however it ended: what it locked, or asked to lock, is free. */
export function releaseLocks(state: RoundState, owner: Entry): void {
  const { run, instance } = owner;
  if (!run || run.locking === 0) return;
  run.locking = 0;
  for (const entry of state.lockedBy(owner)) {
    const { rid } = instance;
    if (entry.entity.queue.withdraw(({ owner }) => owner === rid)) takeBack(entry, rid);
    advance(state, entry);
  }
}

/** Locks and requests whose owners are over, which no execution will withdraw; how many there were. */
export function freeLocks(state: RoundState, entry: EntityEntry): number {
  const { queue } = entry.entity;
  const { held, waiting } = queue.numbers;
  const requests = [...(held ? [held] : []), ...waiting.map(({ request }) => request)];
  const over = new Set(
    requests.filter(
      ({ owner, ownerExec }) => state.byRid(entry.instance.hub, owner)?.run?.exec !== ownerExec,
    ),
  );
  if (queue.withdraw((request) => over.has(request)) && held) takeBack(entry, held.owner);
  advance(state, entry);
  return over.size;
}

/** An operation that runs under a lock which is gone is handed out again, in its turn. */
function takeBack({ run }: Entry, owner: number): void {
  if (run?.lease_sender !== owner) return;
  run.token = null;
  run.ready_at = null;
  run.lease_sender = null;
}
