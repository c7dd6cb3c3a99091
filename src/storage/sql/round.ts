/** One attempt at one round, inside the caller's transaction: look, decide, write, claim. */
import type { PayloadLimits } from '../../core/limits.ts';
import { OrchestrationStatus } from '../../proto/orchestrator_service_pb.ts';
import { applyCommit, fireTimer, type RowCommit } from '../round/apply.ts';
import type { DispatchEnv } from '../round/dispatch.ts';
import { RowKeys } from '../round/keys.ts';
import { Room } from '../round/room.ts';
import { MissingRows, RoundState } from '../round/state.ts';
import { touchFurther } from '../round/touch.ts';
import type { Claimed, Outcome, StatusChange, Taker } from '../store.ts';
import type { Catalog } from './catalog.ts';
import {
  claimBacklog,
  claimDirectly,
  readHistories,
  type ClaimContext,
  type TooLarge,
} from './claim.ts';
import { KeysGrew } from './faults.ts';
import { keyOfQueue, type Hints } from './hints.ts';
import { RowCache } from './load.ts';
import { readRow, type TimerRow } from './rows.ts';
import type { SqlSession } from './session.ts';
import { selectWhere } from './statement.ts';
import { TIMERS } from './tables.ts';
import { writeRound } from './write.ts';

/** Timers fired in one round; more of them make the next round come at once. */
const TIMERS_PER_ROUND = 500;

export interface PlacedCommit {
  readonly commit: RowCommit;
  readonly hub: number;
}

export interface RoundInput {
  readonly commits: readonly PlacedCommit[];
  readonly takers: readonly Taker[];
  readonly env: DispatchEnv;
  readonly catalog: Catalog;
  readonly hints: Hints;
  readonly limits: PayloadLimits;
  /** Rows that earlier attempts were found to need; grows. Their types are made. */
  readonly keys: RowKeys;
  /** The only hub whose timers may fire in this round; `undefined`: all. */
  readonly hub: number | undefined;
  /**
   * Marks the round as committed, for whoever must find out later. Must be answered before COMMIT is sent: only then
   * is a COMMIT that arrives late, its connection long lost, waited for by who looks the mark up.
   */
  readonly mark: (session: SqlSession) => Promise<void>;
}

export interface RoundOutput {
  readonly outcomes: readonly Outcome[];
  readonly claimed: readonly Claimed[];
  readonly changes: readonly StatusChange[];
  readonly tooLarge: readonly TooLarge[];
  /** Other nodes may have room for what is left, or somebody who waits for what has changed. */
  readonly isNews: boolean;
  /** Runs after COMMIT only: what this round taught about queues and timers. */
  readonly teach: (hints: Hints) => void;
}

export async function runRound(session: SqlSession, input: RoundInput): Promise<RoundOutput> {
  const mark = input.hints.mark;
  const isOfCommits = input.commits.length > 0;
  // Not waited for: the rows are asked for behind it, and their answer is its answer.
  if (isOfCommits) await input.mark(session);
  const due = await readDueTimers(session, input);
  const isWriting = isOfCommits || due.timers.length > 0;
  if (isWriting && !isOfCommits) await input.mark(session);
  const { state, outcomes } = await decide(session, input, due.timers);
  const context: ClaimContext = {
    ...input,
    room: new Room(input.takers),
    left: [],
    seen: [],
    tooLarge: [],
  };
  const handed = claimDirectly(state, context);
  if (isWriting) await writeRound(session, state);
  await claimBacklog(session, context, handed);
  const isHanding = handed.turns.length > 0 || handed.activities.length > 0;
  const isMarkedLast = isHanding && !isWriting;
  if (isMarkedLast) await input.mark(session);
  const [turns] = await Promise.all([
    readHistories(session, handed.turns, input.catalog.hubNames),
    // There may be no history to ask for, and the mark needs an answer.
    isMarkedLast ? session.all('select 1', []) : undefined,
  ]);
  return {
    outcomes,
    claimed: [...turns, ...handed.activities],
    changes: state.changes,
    tooLarge: context.tooLarge,
    isNews: state.changes.some(isWaitedFor) || leavesWork(context),
    teach: (hints) => {
      for (const { queue, at } of context.seen) hints.setQueue(queue, at, mark);
      for (const { hub, at } of due.looked) hints.setTimer(hub, at, mark);
      // What was left before the backlog was looked through, that look has seen.
      const seen = new Set(context.seen.map(({ queue }) => keyOfQueue(queue)));
      for (const { queue, at } of context.left) {
        if (!seen.has(keyOfQueue(queue))) hints.noteQueue(queue, at);
      }
      for (const timer of state.timers) hints.noteTimer(timer.hub, timer.due_at);
    },
  };
}

/** Nobody waits for an instance to be pending. */
function isWaitedFor({ status }: StatusChange): boolean {
  return status !== OrchestrationStatus.PENDING;
}

/** Something new is due and was not handed out. */
function leavesWork({ left, seen, env }: ClaimContext): boolean {
  const lookedAt = new Map(seen.map(({ queue, at }) => [keyOfQueue(queue), at ?? Infinity]));
  return left.some(({ queue, at }) => (lookedAt.get(keyOfQueue(queue)) ?? at) <= env.now);
}

interface DueTimers {
  readonly timers: readonly TimerRow[];
  /** For each hub looked at, when its next timer is due. */
  readonly looked: readonly { readonly hub: number; readonly at: number | undefined }[];
}

async function readDueTimers(
  session: SqlSession,
  { hints, env, hub: only }: RoundInput,
): Promise<DueTimers> {
  const timers: TimerRow[] = [];
  const looked: { hub: number; at: number | undefined }[] = [];
  for (const hub of hints.dueTimers(env.now)) {
    if (only !== undefined && hub !== only) continue;
    const rows = await session.all(
      `select hub, tid, rid, exec, due_at, bytes
         from timers
        where hub = $1 and due_at <= $2
        order by due_at, tid
        limit $3`,
      [hub, env.now, TIMERS_PER_ROUND],
    );
    timers.push(...rows.map((row) => readRow<TimerRow>(row)));
    if (rows.length === TIMERS_PER_ROUND) continue;
    const next = await session.all(
      'select min(due_at) as at from timers where hub = $1 and due_at > $2',
      [hub, env.now],
    );
    const at = next[0]?.['at'];
    looked.push({ hub, at: typeof at === 'number' ? at : undefined });
  }
  return { timers, looked };
}

const TIMER = selectWhere(TIMERS, {
  where: [
    ['hub', '='],
    ['tid', '='],
  ],
  columns: ['tid'],
});

/** A timer goes under the lock of its run: one that another node has fired meanwhile is not there any more. */
async function stillThere(
  session: SqlSession,
  timers: readonly TimerRow[],
): Promise<readonly TimerRow[]> {
  if (session.dialect === 'sqlite' || timers.length === 0) return timers;
  const rows = await session.allMany(
    TIMER,
    timers.map(({ hub, tid }) => [hub, tid]),
  );
  const tids = new Set(rows.map(({ tid }) => tid));
  return timers.filter(({ tid }) => tids.has(tid));
}

interface Decided {
  readonly state: RoundState;
  readonly outcomes: readonly Outcome[];
}

/** How often a round may find that it needs further rows; each time it knows at least one more. */
const ATTEMPTS_MAX = 50;

async function decide(
  session: SqlSession,
  input: RoundInput,
  due: readonly TimerRow[],
): Promise<Decided> {
  const { commits, catalog, env, limits, keys } = input;
  const cache = new RowCache();
  const load = async (more: RowKeys): Promise<void> => {
    try {
      await cache.load(session, more);
    } finally {
      keys.merge(more);
    }
    await catalog.learnTypes(session, cache.types());
  };
  for (const { hub, rid } of due) keys.addRid(hub, rid);
  await load(keys);
  const timers = await stillThere(session, due);
  const further = new RowKeys();
  const found = cache.found();
  for (const { commit, hub } of commits) touchFurther(further, commit, hub, found);
  await load(further);
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const missing = new RowKeys();
    const state = new RoundState(cache.snapshot(catalog), {
      env,
      missing,
      hubNames: catalog.hubNames,
    });
    const outcomes = tryDecide(state, commits, timers, limits);
    if (outcomes) return { state, outcomes };
    await load(missing);
    if (missing.types.size > 0) throw new KeysGrew('a round needs types that are to be made');
  }
  throw new Error(`a round still lacked rows after ${ATTEMPTS_MAX} attempts`);
}

function tryDecide(
  state: RoundState,
  commits: readonly PlacedCommit[],
  timers: readonly TimerRow[],
  limits: PayloadLimits,
): readonly Outcome[] | undefined {
  const misses: unknown[] = [];
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      // After a miss the state is worth nothing; the others are only asked what they need.
      if (misses.length === 0 && !(error instanceof MissingRows)) throw error;
      misses.push(error);
      return undefined;
    }
  };
  for (const timer of timers) {
    attempt(() => {
      fireTimer(state, timer);
    });
  }
  const outcomes = commits.flatMap(({ commit, hub }) => {
    return attempt(() => applyCommit(state, commit, { hub, limits })) ?? [];
  });
  return misses.length > 0 ? undefined : outcomes;
}
