/** Runs rounds until they are through: repeats, looks up what became of a lost COMMIT, bisects. */
import { TaskHubError } from '../../core/errors.ts';
import type { PayloadLimits } from '../../core/limits.ts';
import type { IdSource } from '../../base/ids.ts';
import { logEvent } from '../../telemetry/log-events.ts';
import { describeError, type Logger } from '../../telemetry/logger.ts';
import type { RowCommit } from '../round/apply.ts';
import { RowKeys } from '../round/keys.ts';
import { touch } from '../round/touch.ts';
import type { Outcome, Taker } from '../store.ts';
import type { Catalog } from './catalog.ts';
import { CommitUnknown, ConnectionLost, HubGone, isWorthRepeating, KeysGrew } from './faults.ts';
import type { Hints } from './hints.ts';
import { IdsExhausted, type IdBlock } from './id-block.ts';
import { Lanes } from './lanes.ts';
import { repeated } from './repeated.ts';
import type { TooLarge } from './claim.ts';
import { runRound, type PlacedCommit, type RoundOutput } from './round.ts';
import type { SqlDatabase, SqlSession } from './session.ts';

export interface RunnerOptions {
  readonly database: SqlDatabase;
  readonly ids: IdSource;
  readonly logger: Logger;
  readonly limits: PayloadLimits;
  readonly catalog: Catalog;
  readonly hints: Hints;
  readonly idBlock: IdBlock;
  /** This process, as a row in `nodes`. */
  readonly node: number;
}

/** One transaction's worth. */
export interface RoundPart {
  readonly commits: readonly RowCommit[];
  readonly takers: readonly Taker[];
  readonly now: number;
  /** The only hub of this part; `undefined`: all. */
  readonly hub: string | undefined;
}

export type PartOutput = Omit<RoundOutput, 'teach' | 'tooLarge'>;

interface PlacedPart {
  readonly commits: readonly PlacedCommit[];
  readonly takers: readonly Taker[];
  readonly now: number;
  readonly hub: number | undefined;
}

const MARK_ROUND = 'update lanes set round = $1 where node = $2 and lane = $3';

/** How often a round is repeated because of others before it fails. */
const CONFLICTS_MAX = 20;

/** Remembered warnings; beyond it some are said again. */
const WARNED_MAX = 1000;

export class RoundRunner {
  /** Instances whose turn was reported as too large. */
  readonly #warned = new Set<string>();
  readonly #options: RunnerOptions;
  readonly #lanes = new Lanes();
  #round = 0;
  #isClosed = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Rejects only when the database cannot be reached or answers nonsense. */
  async run(part: RoundPart): Promise<PartOutput> {
    const { catalog, database } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#runKnown(part);
      } catch (error) {
        if (!(error instanceof HubGone) || attempt > CONFLICTS_MAX) throw error;
        await database.transaction((session) => catalog.loadHubs(session));
      }
    }
  }

  /** Commits of unknown hubs are refused here; the others know their hub's number. */
  async #runKnown({ commits, takers, now, hub }: RoundPart): Promise<PartOutput> {
    const { hubNumbers } = this.#options.catalog;
    const placed = commits.map((commit) => ({ commit, hub: hubNumbers.get(commit.hub) }));
    const known = placed.filter((item): item is PlacedCommit => item.hub !== undefined);
    const only = hub === undefined ? undefined : (hubNumbers.get(hub) ?? -1);
    const result = await this.#runBisected({ commits: known, takers, now, hub: only });
    const outcomes = [...result.outcomes];
    return {
      ...result,
      outcomes: placed.map((item) =>
        item.hub === undefined
          ? refuse(unknownHub(item.commit.hub))
          : (outcomes.shift() ?? lostOutcome()),
      ),
    };
  }

  /** A round that throws is rolled back and cut in half until the culprit alone gets the error. */
  async #runBisected(part: PlacedPart): Promise<PartOutput> {
    const { commits, takers } = part;
    try {
      return await this.#runOne(part);
    } catch (error) {
      if (commits.length === 0 || !isOfOneCommit(error)) throw error;
      const only = commits.length === 1 ? commits[0] : undefined;
      if (only) {
        logEvent(this.#options.logger, 'commitNotApplied', {
          taskHub: only.commit.hub,
          commit: only.commit.kind,
          error: describeError(error),
        });
        const { claimed } = await this.#claimOnly(part);
        return { outcomes: [refuse(asTaskHubError(error))], claimed, changes: [], isNews: false };
      }
      const half = Math.ceil(commits.length / 2);
      const first = await this.#runBisected({
        ...part,
        commits: commits.slice(0, half),
        takers: [],
      });
      const second = await this.#runBisected({ ...part, commits: commits.slice(half), takers });
      return {
        outcomes: [...first.outcomes, ...second.outcomes],
        claimed: second.claimed,
        changes: [...first.changes, ...second.changes],
        isNews: first.isNews || second.isNews,
      };
    }
  }

  /** After the culprit was refused: what waits is handed out all the same, if that is possible. */
  async #claimOnly(part: PlacedPart): Promise<Pick<RoundOutput, 'claimed'>> {
    if (part.takers.length === 0) return { claimed: [] };
    try {
      return await this.#runOne({ ...part, commits: [] });
    } catch (error) {
      logEvent(this.#options.logger, 'claimFailed', { error: describeError(error) });
      return { claimed: [] };
    }
  }

  /** One round, from the start as often as others get in its way: it is a function of its input. */
  #runOne(part: PlacedPart): Promise<RoundOutput> {
    return this.#lanes.use((lane) => this.#runInLane(part, lane));
  }

  async #runInLane(part: PlacedPart, lane: number): Promise<RoundOutput> {
    const keys = new RowKeys();
    for (const { commit, hub } of part.commits) touch(keys, commit, hub);
    let needed = idsNeeded(part);
    for (let conflicts = 0; ;) {
      const attempt: Attempt = { lane, output: undefined, mark: undefined };
      try {
        return await this.#attempt(part, keys, { attempt, needed });
      } catch (error) {
        if (error instanceof CommitUnknown && (await this.#isCommitted(attempt))) {
          return this.#teach(attempt);
        }
        if (error instanceof KeysGrew) continue;
        needed *= error instanceof IdsExhausted ? 2 : 1;
        conflicts += 1;
        await this.#mayRepeat(error, conflicts);
      }
    }
  }

  /** Waits until the round may be tried again, or throws. */
  async #mayRepeat(error: unknown, conflicts: number): Promise<void> {
    if (error instanceof IdsExhausted) return;
    if (!isWorthRepeating(error) || conflicts >= CONFLICTS_MAX) throw error;
    await this.#options.database.pause(conflicts);
  }

  async #attempt(
    part: PlacedPart,
    keys: RowKeys,
    { attempt, needed }: { readonly attempt: Attempt; readonly needed: number },
  ): Promise<RoundOutput> {
    const { database, idBlock, catalog } = this.#options;
    await idBlock.ensure(needed + keys.types.size);
    await repeated(database, () =>
      catalog.makeTypes(database, keys.types.values(), () => idBlock.take()),
    );
    await database.transaction(async (session) => {
      attempt.output = await this.#inTransaction(session, part, keys, attempt);
    });
    return this.#teach(attempt);
  }

  /** Once for each instance: it is tried again every second. */
  #warnTooLarge({ hub, instanceId, bytes }: TooLarge): void {
    const key = `${hub} ${instanceId}`;
    if (this.#warned.has(key)) return;
    if (this.#warned.size >= WARNED_MAX) this.#warned.clear();
    this.#warned.add(key);
    logEvent(this.#options.logger, 'turnTooLarge', { taskHub: hub, instanceId, bytes });
  }

  #teach({ output }: Attempt): RoundOutput {
    if (!output) throw new Error('a round was committed before it was decided');
    output.teach(this.#options.hints);
    for (const item of output.tooLarge) this.#warnTooLarge(item);
    return output;
  }

  #inTransaction(
    session: SqlSession,
    part: PlacedPart,
    keys: RowKeys,
    attempt: Attempt,
  ): Promise<RoundOutput> {
    const { ids, idBlock, node, catalog, hints, limits } = this.#options;
    return runRound(session, {
      ...part,
      env: { now: part.now, node, nextId: () => idBlock.take(), random: ids.hex32 },
      ...{ keys, catalog, hints, limits },
      mark: (open) => this.#mark(open, part.hub, attempt),
    });
  }

  /**
   * The number of the round, for whoever must find out later whether it was committed. On PostgreSQL it also holds
   * the hub's row, so that nobody deletes the hub meanwhile, and fails with `HubGone` if somebody has.
   */
  async #mark(session: SqlSession, hub: number | undefined, attempt: Attempt): Promise<void> {
    this.#round += 1;
    attempt.mark = this.#round;
    const { node } = this.#options;
    if (hub === undefined) {
      await session.run(MARK_ROUND, [this.#round, node, attempt.lane]);
      return;
    }
    await session.run(
      `update lanes set round = $1 / (select count(*) from (select 1 from hubs where hub = $4 for key share) h)
        where node = $2 and lane = $3`,
      [this.#round, node, attempt.lane, hub],
    );
  }

  /**
   * After a COMMIT whose answer was lost: asks until the database tells. The row is locked, so that a COMMIT which
   * is still under way is waited for.
   */
  async #isCommitted({ lane, mark }: Attempt): Promise<boolean> {
    const { database, node, logger } = this.#options;
    if (mark === undefined) return false;
    logEvent(logger, 'commitInDoubt', { node });
    for (let attempt = 1; ; attempt += 1) {
      try {
        const rows = await database.transaction((session) =>
          session.all('select round from lanes where node = $1 and lane = $2 for update', [
            node,
            lane,
          ]),
        );
        return Number(rows[0]?.['round'] ?? 0) >= mark;
      } catch (error) {
        if (this.#isClosed || !(isAway(error) || isWorthRepeating(error))) throw error;
      }
      await database.pause(attempt);
    }
  }

  /** Ends waiting for a database that is away. */
  close(): void {
    this.#isClosed = true;
  }
}

/** What one attempt has to show if its COMMIT went through although nobody said so. */
interface Attempt {
  readonly lane: number;
  output: RoundOutput | undefined;
  mark: number | undefined;
}

function isAway(error: unknown): boolean {
  return error instanceof TaskHubError && error.code === 'UNAVAILABLE';
}

/** False for what would be the same for every other commit. */
function isOfOneCommit(error: unknown): boolean {
  return !(
    isAway(error) ||
    error instanceof HubGone ||
    error instanceof ConnectionLost ||
    error instanceof CommitUnknown
  );
}

/** Rows that the commits can make, and a lease for everything that can be handed out. */
function idsNeeded({ commits, takers }: PlacedPart): number {
  let needed = 100;
  for (const { commit } of commits) {
    needed += 4 + (commit.kind === 'turn' ? commit.actions.length * 3 : 0);
  }
  for (const { credit } of takers) needed += credit;
  return needed;
}

export function refuse(error: TaskHubError): Outcome {
  return { ok: false, error };
}

export function unknownHub(hub: string): TaskHubError {
  return new TaskHubError('TASK_HUB_NOT_FOUND', `Task hub not found: ${hub}`);
}

function lostOutcome(): Outcome {
  return refuse(new TaskHubError('UNAVAILABLE', 'the round gave no outcome for this commit'));
}

export function asTaskHubError(error: unknown): TaskHubError {
  if (error instanceof TaskHubError) return error;
  return new TaskHubError('UNAVAILABLE', 'the store could not commit this request; try again', {
    cause: error,
  });
}
