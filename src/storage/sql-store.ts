/** The one SQL store: rounds on a `SqlDatabase`, whichever engine is behind it. */
import { TaskHubError } from '../core/errors.ts';
import type { RuntimeStatus } from '../core/instance.ts';
import type { PayloadLimits } from '../core/limits.ts';
import type { RetentionPolicy } from '../core/retention.ts';
import type { IdSource } from '../base/ids.ts';
import { logEvent } from '../telemetry/log-events.ts';
import { describeError, type Logger } from '../telemetry/logger.ts';
import type { RowCommit } from './round/apply.ts';
import { migrateDatabase } from './migrations/migrate.ts';
import type { Migration } from './migrations/migration.ts';
import { assertNoImport } from './transfer/exclusive.ts';
import { Catalog } from './sql/catalog.ts';
import { Hints } from './sql/hints.ts';
import { createHub, dropHub } from './sql/hubs.ts';
import { IdBlock, takeCounter } from './sql/id-block.ts';
import { openLanes } from './sql/lanes.ts';
import { readCurrent } from './sql/leases.ts';
import { Lookout, readTime } from './sql/lookout.ts';
import { splitAtHubs, splitByHub, type HubPart } from './sql/parts.ts';
import { Orphans, sweep } from './sql/upkeep.ts';
import { createSqlRoles } from './sql/roles.ts';
import { createSqlInspection } from './sql/inspection.ts';
import { listParked, retryParked } from './sql/parked.ts';
import { listChildren, listEnded, listInstances } from './sql/list.ts';
import { findChunk, findInstance, readRecord, readStarted, readStatuses } from './sql/read.ts';
import { forgetRequests, type ForgetOptions } from './sql/requests.ts';
import { listEntities, listOrphanedLocks, readEntity } from './sql/read-entities.ts';
import { readRetention, writeRetention } from './sql/retention.ts';
import { asTaskHubError, refuse, RoundRunner, unknownHub, type PartOutput } from './sql/runner.ts';
import type { SqlDatabase } from './sql/session.ts';
import type { Inspection } from './inspection.ts';
import type { RoleStore } from './role-store.ts';
import type {
  CreateHubCommit,
  DeleteHubCommit,
  EndedQuery,
  EntityQuery,
  EntityRecord,
  HistoryOptions,
  Holding,
  InstanceQuery,
  InstanceRecord,
  Outcome,
  Page,
  ParkedItem,
  ReleaseOrphansOptions,
  RetryParkedOptions,
  Round,
  RoundResult,
  StartRecord,
  StatusChange,
  Store,
  Claimed,
  Doorbell,
} from './store.ts';

export interface SqlStoreOptions {
  readonly database: SqlDatabase;
  readonly ids: IdSource;
  readonly logger: Logger;
  readonly limits: PayloadLimits;
  readonly now: number;
  /** Default: the migrations of this release. */
  readonly migrations?: readonly Migration[] | undefined;
}

/** A round without changes of hubs. */
interface RowRound extends Round {
  readonly commits: readonly RowCommit[];
}

export class SqlStore implements Store {
  readonly #database: SqlDatabase;
  readonly #logger: Logger;
  readonly #catalog = new Catalog();
  readonly #hints = new Hints((hub) => this.#catalog.hubNames.has(hub));
  readonly #runner: RoundRunner;
  readonly #node: number;
  readonly #orphans: Orphans;
  readonly #lookout: Lookout;
  readonly roundsMax: number;
  readonly isShared: boolean;
  readonly doorbell: Doorbell | undefined;
  readonly inspection: Inspection;
  readonly roles: RoleStore;

  private constructor(options: SqlStoreOptions, node: number) {
    this.#database = options.database;
    this.#logger = options.logger;
    this.#node = node;
    this.roundsMax = options.database.writersMax;
    this.isShared = options.database.dialect === 'postgres';
    this.doorbell = options.database.doorbell;
    this.#orphans = new Orphans(options.database, node);
    this.#lookout = new Lookout({
      ...options,
      ...{ node, catalog: this.#catalog, hints: this.#hints },
    });
    this.roles = createSqlRoles(options.database);
    this.inspection = createSqlInspection({
      database: options.database,
      hubNumber: (hub) => this.#hubNumber(hub),
      node,
    });
    this.#runner = new RoundRunner({
      ...options,
      node,
      catalog: this.#catalog,
      hints: this.#hints,
      idBlock: new IdBlock(options.database),
    });
  }

  /** Migrates the schema, registers this process as a node and learns what is waiting. */
  static async open(options: SqlStoreOptions): Promise<SqlStore> {
    const { database, ids, now, migrations } = options;
    const { target } = database;
    await migrateDatabase(database, { now, migrations });
    const node = await takeCounter(database, 'nodes', 1);
    await database.transaction(async (session) => {
      await session.run(
        "insert into nodes (node, incarnation, heartbeat_at, announcement) values ($1, $2, $3, '')",
        [node, ids.uuid(), now],
      );
      await openLanes(session, node);
      await assertNoImport(session, target);
    });
    const store = new SqlStore(options, node);
    await store.#lookout.open();
    return store;
  }

  catchUp(): Promise<void> {
    return this.#lookout.catchUp();
  }

  announce(say: () => string): void {
    this.#lookout.announcement = say;
  }

  async time(): Promise<number | undefined> {
    return this.isShared ? this.#database.read(readTime) : undefined;
  }

  async exchange(round: Round): Promise<RoundResult> {
    await this.#lookout.poll(round.now);
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
      const takers = isLast ? round.takers : [];
      const result = await this.#exchange({ ...round, commits: segment, takers });
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

  /** SQLite commits for all hubs at once; on PostgreSQL each hub has a round of its own. */
  async #exchange({ commits, takers, now, hub }: RowRound): Promise<Omit<PartOutput, 'isNews'>> {
    if (this.#database.dialect === 'sqlite') {
      return this.#runner.run({ commits, takers, now, hub: undefined });
    }
    await this.#refreshHubs(commits);
    const parts = splitByHub(
      { commits, takers, now },
      {
        hubs: hub === undefined ? this.#catalog.hubNumbers.keys() : [hub],
        isDue: (hub) => this.#isDue(hub, now),
      },
    );
    const outcomes: Outcome[] = [];
    const results: PartOutput[] = [];
    for (const part of parts) {
      const result = await this.#runPart(part, results.length === 0 && part === parts.at(-1));
      if (result.claimed.length + result.outcomes.length > 0) results.push(result);
      for (const [at, index] of part.indexes.entries()) {
        outcomes[index] = result.outcomes[at] ?? refuse(asTaskHubError(undefined));
      }
    }
    return {
      outcomes,
      claimed: results.flatMap(({ claimed }) => claimed),
      changes: results.flatMap(({ changes }) => changes),
    };
  }

  /** What one hub's round comes to; a failure is told to its own commits while others have something to tell. */
  async #runPart(part: HubPart, isAlone: boolean): Promise<PartOutput> {
    try {
      const output = await this.#runner.run(part);
      if (output.isNews && this.#lookout.hasCompany) this.doorbell?.ring();
      return output;
    } catch (error) {
      if (isAlone) throw error;
      logEvent(this.#logger, 'hubRoundFailed', {
        taskHub: part.hub,
        error: describeError(error),
      });
      const outcomes = part.commits.map(() => refuse(asTaskHubError(error)));
      return { outcomes, claimed: [], changes: [], isNews: false };
    }
  }

  /** Whether a hub has something to fire or to hand out. */
  #isDue(name: string, now: number): boolean {
    const hub = this.#catalog.hubNumbers.get(name);
    return (
      hub !== undefined &&
      (this.#hints.dueTimers(now).includes(hub) ||
        this.#hints.dueQueues(now).some(({ queue }) => queue.hub === hub))
    );
  }

  /** A hub that is not known here may have been made by another node. */
  async #refreshHubs(commits: readonly { readonly hub: string }[]): Promise<void> {
    if (this.#database.dialect === 'sqlite') return;
    if (commits.every(({ hub }) => this.#catalog.hubNumbers.has(hub))) return;
    await this.#database.read((session) => this.#catalog.loadHubs(session));
  }

  /** The hub's number; TASK_HUB_NOT_FOUND. */
  async #hubNumber(hub: string): Promise<number> {
    await this.#refreshHubs([{ hub }]);
    const number = this.#catalog.hubNumbers.get(hub);
    if (number === undefined) throw unknownHub(hub);
    return number;
  }

  async #applyHub(commit: CreateHubCommit | DeleteHubCommit): Promise<Outcome> {
    try {
      const hub = this.#catalog.hubNumbers.get(commit.hub);
      if (hub !== undefined && (commit.kind === 'deleteHub' || commit.recreate)) {
        await dropHub(this.#database, hub, { keepsRoles: commit.kind === 'createHub' });
        this.#hints.forgetHub(hub);
      }
      if (commit.kind === 'createHub') await createHub(this.#database, commit.hub);
      await this.#database.transaction((session) => this.#catalog.loadHubs(session));
      this.doorbell?.ring();
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
    const number = await this.#hubNumber(hub);
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
    if (number === undefined) return new Map();
    return this.#database.read((session) => readStatuses(session, number, instanceIds));
  }

  async *history(options: HistoryOptions): AsyncIterable<Uint8Array> {
    const number = await this.#hubNumber(options.hub);
    const read = await this.#database.read((session) =>
      findInstance(session, number, options.instanceId),
    );
    const { executionId, forWorker } = options;
    if (!read && !forWorker) return;
    if (!read || (executionId !== undefined && executionId !== read.instance.execution_id)) {
      throw new TaskHubError(
        'WRONG_STATE',
        `execution '${executionId ?? ''}' of instance '${options.instanceId}' is not its current one`,
      );
    }
    for (let chunk = read.firstChunk; chunk < read.nextChunk; chunk += 1) {
      options.signal.throwIfAborted();
      const found = await this.#database.read((session) => findChunk(session, read, chunk));
      if (!found) {
        throw new TaskHubError(
          'WRONG_STATE',
          `the history of instance '${options.instanceId}' was replaced while it was being read; read it again`,
        );
      }
      if (!(forWorker && found.isHidden)) yield found.bytes;
    }
  }

  async queryInstances(query: InstanceQuery): Promise<Page<InstanceRecord>> {
    const hubNumber = await this.#hubNumber(query.hub);
    return this.#database.readHeavy((session) =>
      listInstances(session, { ...query, hubNumber }, query),
    );
  }

  async listEnded(query: EndedQuery): Promise<Page<string>> {
    const hubNumber = await this.#hubNumber(query.hub);
    return this.#database.readHeavy((session) => listEnded(session, { ...query, hubNumber }));
  }

  async children(hub: string, instanceIds: readonly string[]): Promise<readonly string[]> {
    const hubNumber = await this.#hubNumber(hub);
    return this.#database.readHeavy((session) => listChildren(session, hubNumber, instanceIds));
  }

  async getStart(hub: string, instanceId: string): Promise<StartRecord | undefined> {
    const hubNumber = await this.#hubNumber(hub);
    return this.#database.read(async (session) => {
      const read = await findInstance(session, hubNumber, instanceId);
      if (!read) return undefined;
      const started = await readStarted(session, read);
      const { name, version } = read;
      const status = read.instance.status as RuntimeStatus;
      return { name, version, status, input: started?.input, tags: started?.tags ?? {} };
    });
  }

  async getEntity(
    hub: string,
    entityId: string,
    options: { readonly state: boolean },
  ): Promise<EntityRecord | undefined> {
    const number = await this.#hubNumber(hub);
    return this.#database.read((session) =>
      readEntity(session, { hub: number, id: entityId }, options),
    );
  }

  async queryEntities(query: EntityQuery): Promise<Page<EntityRecord>> {
    const hubNumber = await this.#hubNumber(query.hub);
    return this.#database.readHeavy((session) => listEntities(session, { ...query, hubNumber }));
  }

  async parked(hub: string, limit: number): Promise<readonly ParkedItem[]> {
    const hubNumber = await this.#hubNumber(hub);
    return this.#database.readHeavy((session) => listParked(session, hubNumber, limit));
  }

  async retryParked(hub: string, options: RetryParkedOptions): Promise<number> {
    const hubNumber = await this.#hubNumber(hub);
    return retryParked(this.#database, this.#hints, hubNumber, options);
  }

  async currentLeases(hub: string, holdings: readonly Holding[]): Promise<ReadonlySet<string>> {
    const number = this.#catalog.hubNumbers.get(hub);
    if (number === undefined) return new Set();
    return this.#database.read((session) => readCurrent(session, number, holdings));
  }

  retention(): Promise<RetentionPolicy> {
    return readRetention(this.#database);
  }

  setRetention(policy: RetentionPolicy): Promise<void> {
    return writeRetention(this.#database, policy);
  }

  taskHubs(): Promise<readonly string[]> {
    return Promise.resolve([...this.#catalog.hubNumbers.keys()]);
  }

  async releaseOrphans(options: ReleaseOrphansOptions): Promise<boolean> {
    return this.#orphans.release(this.#hints, options);
  }

  async sweep({ limit }: { readonly limit: number }): Promise<boolean> {
    return sweep(this.#database, limit);
  }

  forgetRequests(options: ForgetOptions): Promise<boolean> {
    return forgetRequests(this.#database, options);
  }

  async orphanedLocks(
    hub: string,
    options: { readonly after: string; readonly limit: number },
  ): Promise<readonly string[]> {
    const number = await this.#hubNumber(hub);
    return this.#database.readHeavy((session) => listOrphanedLocks(session, number, options));
  }

  async close(): Promise<void> {
    this.#runner.close();
    if (this.#database.dialect === 'postgres') await this.#leave();
    await this.#database.close();
  }

  /** So that other nodes need not wait for the heartbeat to grow old before they take over. */
  async #leave(): Promise<void> {
    try {
      await this.#database.transaction(
        (session) => session.run('update nodes set heartbeat_at = 0 where node = $1', [this.#node]),
        { isPatient: false },
      );
    } catch (error) {
      logEvent(this.#logger, 'farewellFailed', {
        error: describeError(error),
      });
    }
  }
}
