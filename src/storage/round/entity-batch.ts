/** The commit of an entity batch: fence, decide, and spread the decision over the rows. */
import { createHash } from 'node:crypto';
import { isTerminal } from '../../core/instance.ts';
import {
  decideEntityBatch,
  type EntityDecision,
  type OrchestrationToStart,
} from '../../core/entity.ts';
import type { OrchestrationStatus } from '../../proto/orchestrator_service_pb.ts';
import { utf8 } from '../../wire/bytes.ts';
import { KIND, type InboxRow, type RunRow } from '../sql/rows.ts';
import type { EntityCommit, FreeLocksCommit, Outcome, SignalCommit } from '../store.ts';
import { abandonDelayMs } from './abandon.ts';
import { advance, freeLocks, isEntity, lookAtTarget, sendToEntity } from './entity.ts';
import { parseToken } from './keys.ts';
import { createInstance, replaceInstance } from './lifecycle.ts';
import { leaseLost, OK, type ApplyContext } from './outcomes.ts';
import type { EntityEntry, RoundState } from './state.ts';
import { release } from './turn.ts';

/** A signal, the answer of a worker, or a cleaning. */
export function applyToEntity(
  state: RoundState,
  commit: SignalCommit | EntityCommit | FreeLocksCommit,
  context: ApplyContext,
): Outcome {
  switch (commit.kind) {
    case 'signal':
      sendToEntity(state, context.hub, commit.message);
      return OK;
    case 'entity':
      return applyBatch(state, commit, context);
    case 'freeLocks': {
      const entry = state.byId(context.hub, commit.entityId);
      return { ok: true, count: isEntity(entry) ? freeLocks(state, entry) : 0 };
    }
  }
}

function applyBatch(
  state: RoundState,
  { token, result }: EntityCommit,
  { hub, limits }: ApplyContext,
): Outcome {
  const rows = parseToken(token, 'entity');
  const entry = rows && state.byRid(hub, rows.rid);
  const run = entry?.run;
  if (!isEntity(entry) || run?.token !== token) return { ok: false, error: leaseLost(token) };
  if (result.requiresState) {
    releaseBatch(run);
    advance(state, entry);
    return OK;
  }
  const operations = state.consumed(entry);
  const { failures } = entry.entity;
  const decision = decideEntityBatch({ operations, failures }, result, {
    limits,
    newId: idsFrom(token),
  });
  prepare(state, { hub, operations, decision });
  if (decision.isRetry) retry(state, entry, run);
  else commitBatch(state, { entry, run, operations, decision });
  return OK;
}

/** Ids that are the same however often the round begins again: what they name is looked up in between. */
function idsFrom(token: string): () => string {
  let count = 0;
  return () => {
    count += 1;
    return createHash('sha256').update(`${token} ${count}`).digest('hex').slice(0, 32);
  };
}

function releaseBatch(run: RunRow): void {
  release(run);
  run.lease_sender = null;
}

interface BatchResult {
  readonly hub: number;
  readonly operations: readonly InboxRow[];
  readonly decision: EntityDecision;
}

/** Looks at every row that the decision touches before anything changes: a missing one restarts the round. */
function prepare(state: RoundState, { hub, operations, decision }: BatchResult): void {
  state.lookAtAll([
    ...decision.answers.map(
      ({ index }) =>
        () =>
          callerOf(state, hub, operations[index]),
    ),
    ...decision.signals.map((signal) => () => {
      lookAtTarget(state, hub, signal, undefined);
    }),
    ...decision.starts.map((start) => () => {
      const { name, version } = start;
      state.type({ hub, kind: KIND.orchestration, name, version });
      holderOf(state, hub, start);
    }),
  ]);
}

function callerOf(
  state: RoundState,
  hub: number,
  operation: InboxRow | undefined,
): ReturnType<RoundState['byRid']> {
  const sender = operation?.sender ?? undefined;
  return sender === undefined ? undefined : state.byRid(hub, sender);
}

/** The worker could not run the batch: another try after a growing delay. */
function retry(state: RoundState, entry: EntityEntry, run: RunRow): void {
  run.token = null;
  run.ready_at = state.env.now + abandonDelayMs(entry.entity.failures);
  entry.entity.failures += 1;
  state.readyEntries.add(entry);
}

interface CommitBatch extends Omit<BatchResult, 'hub'> {
  readonly entry: EntityEntry;
  readonly run: RunRow;
}

function commitBatch(state: RoundState, { entry, run, operations, decision }: CommitBatch): void {
  const { hub } = entry.instance;
  const done = operations.slice(0, decision.consumed);
  if (run.lease_sender === null) {
    run.read_seq = done.at(-1)?.seq ?? run.read_seq;
    entry.consumedUpto = run.read_seq;
  } else {
    entry.consumedSeqs = done.map(({ seq }) => seq);
  }
  releaseBatch(run);
  run.updated_at = state.env.now;
  entry.entity.failures = 0;
  entry.entity.queue.consume(done);
  if (!('keep' in decision.state)) writeState(entry, run, decision.state.value);
  for (const { index, executionId, event } of decision.answers) {
    const caller = callerOf(state, hub, operations[index]);
    if (caller?.run?.execution_id === executionId) state.deliver(caller, event);
  }
  for (const signal of decision.signals) sendToEntity(state, hub, signal);
  for (const start of decision.starts) startOrchestration(state, hub, start);
  advance(state, entry);
}

/** The state is the only chunk of an entity's history; each batch writes a new one. */
function writeState(entry: EntityEntry, run: RunRow, value: string | undefined): void {
  const bytes = value === undefined ? undefined : utf8(value);
  run.first_chunk = bytes ? run.next_chunk : run.next_chunk + 1;
  if (bytes) entry.chunks.push({ chunk: run.next_chunk, hidden: 0, bytes });
  run.next_chunk += 1;
  run.history_bytes = bytes?.length ?? 0;
  entry.historyFrom = run.first_chunk;
}

/** Who has the id; one that was made up differs whenever the round starts over, and is not looked up. */
function holderOf(
  state: RoundState,
  hub: number,
  { instanceId, hasFreshId }: OrchestrationToStart,
): ReturnType<RoundState['byId']> {
  return hasFreshId ? undefined : state.byId(hub, instanceId);
}

/** A live orchestration keeps its id: the start is dropped (wire-protocol 7.4). */
function startOrchestration(state: RoundState, hub: number, start: OrchestrationToStart): void {
  const existing = holderOf(state, hub, start);
  if (existing && !isTerminal(existing.instance.status as OrchestrationStatus)) return;
  if (existing) replaceInstance(state, existing);
  createInstance(state, { ...start, hub, tags: {}, parent: undefined });
}
