/** The one SQL store: rounds on a `SqlDatabase`, whichever engine is behind it. */
import { TaskHubError } from '../core/errors.ts';
import type { RuntimeStatus } from '../core/instance.ts';
import type { PayloadLimits } from '../core/limits.ts';
import type { IdSource } from '../base/ids.ts';
import { describeError, type Logger } from '../telemetry/logger.ts';
import type { TypeKey } from './round/keys.ts';
import { migrate } from './migrations/migrate.ts';
import { Catalog } from './sql/catalog.ts';
import { Hints } from './sql/hints.ts';
import { createHub, deleteHub } from './sql/hubs.ts';
import { IdBlock, IdsExhausted, takeCounter } from './sql/id-block.ts';
import { releaseOrphans, sweep } from './sql/upkeep.ts';
import { listChildren, listEnded, listInstances } from './sql/list.ts';
import { findInstance, readChunk, readRecord, readStarted } from './sql/read.ts';
import { runRound, type PlacedCommit, type RoundOutput } from './sql/round.ts';
import { KIND } from './sql/rows.ts';
import type { SqlDatabase, SqlSession } from './sql/session.ts';
import type {
  Commit,
  CreateHubCommit,
  DeleteHubCommit,
  EndedQuery,
  HistoryOptions,
  InstanceQuery,
  InstanceRecord,
  Outcome,
  Page,
  ReleaseOrphansOptions,
  Round,
  RoundResult,
  StartRecord,
  StatusChange,
  Store,
  Claimed,
  Taker,
} from './store.ts';

export interface SqlStoreOptions {
  readonly database: SqlDatabase;
  readonly ids: IdSource;
  readonly logger: Logger;
  readonly limits: PayloadLimits;
  readonly now: number;
}

export class SqlStore implements Store {
  readonly #database: SqlDatabase;
  readonly #ids: IdSource;
  readonly #logger: Logger;
  readonly #limits: PayloadLimits;
  readonly #catalog = new Catalog();
  readonly #hints = new Hints();
  readonly #idBlock: IdBlock;
  readonly #node: number;
  #round = 0;

  private constructor(options: SqlStoreOptions, node: number) {
    this.#database = options.database;
    this.#ids = options.ids;
    this.#logger = options.logger;
    this.#limits = options.limits;
    this.#idBlock = new IdBlock(options.database);
    this.#node = node;
  }

  /** Migrates the schema, registers this process as a node and learns what is waiting. */
  static async open(options: SqlStoreOptions): Promise<SqlStore> {
    const { database, ids, now } = options;
    await database.transaction((session) => migrate(session, now));
    const node = await takeCounter(database, 'nodes', 1);
    await database.transaction((session) =>
      session.run(
        'insert into nodes (node, incarnation, round, heartbeat_at) values ($1, $2, 0, $3)',
        [node, ids.uuid(), now],
      ),
    );
    const store = new SqlStore(options, node);
    await store.#learn();
    return store;
  }

  async #learn(): Promise<void> {
    await this.#database.transaction(async (session) => {
      await this.#catalog.loadHubs(session);
      await this.#catalog.loadTypes(session);
      await this.#learnQueues(session);
    });
  }

  async #learnQueues(session: SqlSession): Promise<void> {
    const runs = await session.all(
      'select hub, kind, type, min(ready_at) as at from runs where ready_at is not null group by hub, kind, type',
      [],
    );
    for (const { hub, kind, type, at } of runs) {
      this.#hints.noteQueue(
        { hub: Number(hub), kind: Number(kind), type: Number(type) },
        Number(at),
      );
    }
    const activities = await session.all(
      'select hub, type, min(ready_at) as at from activities where ready_at is not null group by hub, type',
      [],
    );
    for (const { hub, type, at } of activities) {
      this.#hints.noteQueue(
        { hub: Number(hub), kind: KIND.activity, type: Number(type) },
        Number(at),
      );
    }
    const timers = await session.all('select hub, min(due_at) as at from timers group by hub', []);
    for (const { hub, at } of timers) this.#hints.noteTimer(Number(hub), Number(at));
  }

  async exchange(round: Round): Promise<RoundResult> {
    const outcomes: Outcome[] = [];
    const changes: StatusChange[] = [];
    let claimed: readonly Claimed[] = [];
    const segments = splitAtHubs(round.commits);
    for (const [index, segment] of segments.entries()) {
      if (!Array.isArray(segment)) {
        outcomes.push(await this.#applyHub(segment));
        continue;
      }
      const isLast = index === segments.length - 1;
      const result = await this.#exchange(segment, isLast ? round.takers : [], round.now);
      outcomes.push(...result.outcomes);
      changes.push(...result.changes);
      claimed = result.claimed;
    }
    return {
      outcomes,
      claimed,
      changes,
      hasMore: this.#hints.dueTimers(round.now).length > 0,
      wakeAt: this.#hints.nextAt(round.now),
    };
  }

  /** Commits of unknown hubs are refused here; the others know their hub's number. */
  async #exchange(
    commits: readonly RowCommit[],
    takers: readonly Taker[],
    now: number,
  ): Promise<Omit<RoundOutput, 'teach'>> {
    const placed = commits.map((commit) => ({
      commit,
      hub: this.#catalog.hubNumbers.get(commit.hub),
    }));
    const good = placed.filter((item): item is PlacedCommit => item.hub !== undefined);
    const result = await this.#runBisected(good, takers, now);
    const outcomes = [...result.outcomes];
    return {
      ...result,
      outcomes: placed.map(({ commit, hub }) =>
        hub === undefined ? refuse(unknownHub(commit.hub)) : (outcomes.shift() ?? lostOutcome()),
      ),
    };
  }

  /** A round that throws is rolled back and cut in half until the culprit alone gets the error. */
  async #runBisected(
    commits: readonly PlacedCommit[],
    takers: readonly Taker[],
    now: number,
  ): Promise<Omit<RoundOutput, 'teach'>> {
    try {
      return await this.#run(commits, takers, now);
    } catch (error) {
      if (commits.length === 0) throw error;
      const only = commits.length === 1 ? commits[0] : undefined;
      if (only) {
        this.#logger.error('a commit could not be applied', {
          taskHub: only.commit.hub,
          commit: only.commit.kind,
          error: describeError(error),
        });
        const { claimed } = await this.#claimOnly(takers, now);
        return { outcomes: [refuse(asTaskHubError(error))], claimed, changes: [] };
      }
      const half = Math.ceil(commits.length / 2);
      const first = await this.#runBisected(commits.slice(0, half), [], now);
      const second = await this.#runBisected(commits.slice(half), takers, now);
      return {
        outcomes: [...first.outcomes, ...second.outcomes],
        claimed: second.claimed,
        changes: [...first.changes, ...second.changes],
      };
    }
  }

  /** After the culprit was refused: what waits is handed out all the same, if that is possible. */
  async #claimOnly(takers: readonly Taker[], now: number): Promise<Pick<RoundOutput, 'claimed'>> {
    if (takers.length === 0) return { claimed: [] };
    try {
      return await this.#run([], takers, now);
    } catch (error) {
      this.#logger.error('work could not be handed out', { error: describeError(error) });
      return { claimed: [] };
    }
  }

  async #run(
    commits: readonly PlacedCommit[],
    takers: readonly Taker[],
    now: number,
  ): Promise<RoundOutput> {
    for (let needed = idsNeeded(commits, takers); ; needed *= 2) {
      await this.#idBlock.ensure(needed);
      const made: TypeKey[] = [];
      try {
        const output = await this.#database.transaction((session) =>
          runRound(session, {
            commits,
            takers,
            env: {
              now,
              node: this.#node,
              nextId: () => this.#idBlock.take(),
              random: this.#ids.hex32,
            },
            catalog: this.#catalog,
            hints: this.#hints,
            limits: this.#limits,
            made,
            mark: (open) => this.#mark(open),
          }),
        );
        output.teach(this.#hints);
        return output;
      } catch (error) {
        this.#catalog.forget(made);
        if (!(error instanceof IdsExhausted)) throw error;
      }
    }
  }

  async #mark(session: SqlSession): Promise<void> {
    this.#round += 1;
    await session.run('update nodes set round = $1 where node = $2', [this.#round, this.#node]);
  }

  async #applyHub(commit: CreateHubCommit | DeleteHubCommit): Promise<Outcome> {
    try {
      const hub = this.#catalog.hubNumbers.get(commit.hub);
      if (hub !== undefined && (commit.kind === 'deleteHub' || commit.recreate)) {
        await deleteHub(this.#database, hub);
        this.#hints.forgetHub(hub);
      }
      if (commit.kind === 'createHub') await createHub(this.#database, commit.hub);
      await this.#database.transaction((session) => this.#catalog.loadHubs(session));
      return { ok: true };
    } catch (error) {
      return refuse(asTaskHubError(error));
    }
  }

  async getInstance(
    hub: string,
    instanceId: string,
    options: { readonly payloads: boolean },
  ): Promise<InstanceRecord | undefined> {
    const number = this.#catalog.hubNumbers.get(hub);
    if (number === undefined) throw unknownHub(hub);
    return this.#database.read(async (session) => {
      const read = await findInstance(session, number, instanceId);
      return read && (await readRecord(session, read, options));
    });
  }

  async statuses(
    hub: string,
    instanceIds: readonly string[],
  ): Promise<ReadonlyMap<string, RuntimeStatus>> {
    const number = this.#catalog.hubNumbers.get(hub);
    const found = new Map<string, RuntimeStatus>();
    if (number === undefined) return found;
    await this.#database.read(async (session) => {
      for (const id of instanceIds) {
        const rows = await session.all(
          'select status from instances where hub = $1 and id = $2 and kind = $3',
          [number, id, KIND.orchestration],
        );
        const status = rows[0]?.['status'];
        if (typeof status === 'number') found.set(id, status as RuntimeStatus);
      }
    });
    return found;
  }

  async *history(options: HistoryOptions): AsyncIterable<Uint8Array> {
    const number = this.#catalog.hubNumbers.get(options.hub);
    if (number === undefined) throw unknownHub(options.hub);
    const read = await this.#database.read((session) =>
      findInstance(session, number, options.instanceId),
    );
    if (!read) return;
    const { executionId } = options;
    if (executionId !== undefined && executionId !== read.instance.execution_id) {
      throw new TaskHubError(
        'WRONG_STATE',
        `execution '${executionId}' of instance '${options.instanceId}' is not its current one`,
      );
    }
    for (let chunk = read.firstChunk; chunk < read.nextChunk; chunk += 1) {
      options.signal.throwIfAborted();
      const bytes = await this.#database.read((session) => readChunk(session, read, chunk));
      if (!bytes) {
        throw new TaskHubError(
          'WRONG_STATE',
          `the history of instance '${options.instanceId}' was replaced while it was being read; read it again`,
        );
      }
      yield bytes;
    }
  }

  async queryInstances(query: InstanceQuery): Promise<Page<InstanceRecord>> {
    const hubNumber = this.#hubNumber(query.hub);
    return this.#database.readHeavy((session) =>
      listInstances(session, { ...query, hubNumber }, query),
    );
  }

  async listEnded(query: EndedQuery): Promise<Page<string>> {
    const hubNumber = this.#hubNumber(query.hub);
    return this.#database.readHeavy((session) => listEnded(session, { ...query, hubNumber }));
  }

  async children(hub: string, instanceIds: readonly string[]): Promise<readonly string[]> {
    const hubNumber = this.#hubNumber(hub);
    return this.#database.readHeavy((session) => listChildren(session, hubNumber, instanceIds));
  }

  async getStart(hub: string, instanceId: string): Promise<StartRecord | undefined> {
    const hubNumber = this.#hubNumber(hub);
    return this.#database.read(async (session) => {
      const read = await findInstance(session, hubNumber, instanceId);
      if (!read) return undefined;
      const started = await readStarted(session, read);
      const { name, version } = read;
      const status = read.instance.status as RuntimeStatus;
      return { name, version, status, input: started?.input, tags: started?.tags ?? {} };
    });
  }

  #hubNumber(hub: string): number {
    const number = this.#catalog.hubNumbers.get(hub);
    if (number === undefined) throw unknownHub(hub);
    return number;
  }

  taskHubs(): Promise<readonly string[]> {
    return Promise.resolve([...this.#catalog.hubNumbers.keys()]);
  }

  async releaseOrphans(options: ReleaseOrphansOptions): Promise<boolean> {
    return releaseOrphans(this.#database, this.#hints, { ...options, node: this.#node });
  }

  async sweep({ limit }: { readonly limit: number }): Promise<boolean> {
    return sweep(this.#database, limit);
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

type RowCommit = Exclude<Commit, CreateHubCommit | DeleteHubCommit>;

/** Runs of commits between changes of hubs, which have transactions of their own; the last is never a hub. */
function splitAtHubs(
  commits: readonly Commit[],
): (RowCommit[] | CreateHubCommit | DeleteHubCommit)[] {
  let current: RowCommit[] = [];
  const segments: (RowCommit[] | CreateHubCommit | DeleteHubCommit)[] = [];
  for (const commit of commits) {
    if (commit.kind === 'createHub' || commit.kind === 'deleteHub') {
      if (current.length > 0) segments.push(current);
      segments.push(commit);
      current = [];
    } else {
      current.push(commit);
    }
  }
  return [...segments, current];
}

/** Rows that the commits can make, and a lease for everything that can be handed out. */
function idsNeeded(commits: readonly PlacedCommit[], takers: readonly Taker[]): number {
  let needed = 100;
  for (const { commit } of commits) {
    needed += 4 + (commit.kind === 'turn' ? commit.actions.length * 3 : 0);
  }
  for (const { credit } of takers) needed += credit;
  return needed;
}

function refuse(error: TaskHubError): Outcome {
  return { ok: false, error };
}

function unknownHub(hub: string): TaskHubError {
  return new TaskHubError('TASK_HUB_NOT_FOUND', `Task hub not found: ${hub}`);
}

function lostOutcome(): Outcome {
  return refuse(new TaskHubError('UNAVAILABLE', 'the round gave no outcome for this commit'));
}

function asTaskHubError(error: unknown): TaskHubError {
  if (error instanceof TaskHubError) return error;
  return new TaskHubError('UNAVAILABLE', 'the store could not commit this request; try again', {
    cause: error,
  });
}
