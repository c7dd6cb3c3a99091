import type { IdSource } from '../../src/base/ids.ts';
import { nextLoop } from '../../src/base/yield.ts';
import { TaskHubClient } from '../../src/client/task-hub-client.ts';
import {
  DEFAULT_SCHEDULER_SETTINGS,
  type SchedulerSettings,
} from '../../src/scheduler/settings.ts';
import { describeError, type Logger } from '../../src/telemetry/logger.ts';
import { TaskHubWorker } from '../../src/worker/task-hub-worker.ts';
import { Checker } from './checker.ts';
import { registerBank } from './bank-programs.ts';
import { LeaseWatch } from './lease-watch.ts';
import { Network } from './network.ts';
import { Outside, registerPrograms } from './programs.ts';
import { Random, seededIds } from './random.ts';
import { ProcessClock, SimClock } from './sim-clock.ts';
import { SimConnection } from './sim-connection.ts';
import { SimDatabase } from './sim-database.ts';
import { HUB, SimServer } from './sim-server.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly logger: Logger;
  readonly report: (violation: string) => void;
  /** Told of everything that is worth a line. */
  readonly note: (line: string) => void;
}

interface WorkerTraits {
  readonly maxConcurrentOrchestrations: number;
  readonly maxConcurrentActivities: number;
  readonly maxConcurrentEntities: number;
  readonly cachedOrchestrationsMax: number;
  readonly cachedEntityBytesMax: number;
}

/** A worker process: it comes back under the same name with an empty memory. */
export interface SimWorker {
  readonly name: string;
  readonly traits: WorkerTraits;
  running:
    | {
        readonly worker: TaskHubWorker;
        readonly clock: ProcessClock;
        readonly connection: SimConnection;
      }
    | undefined;
  isStopping: boolean;
}

/** Turns of the event loop without a sign of life after which nothing happens by itself any more. */
const QUIET_TURNS = 2;

/** One scheduler, its disk, workers, clients and what is between them; nothing moves by itself. */
export class World {
  readonly random: Random;
  readonly clock = new SimClock();
  readonly network = new Network();
  readonly disk = new SimDatabase();
  readonly outside = new Outside();
  readonly checker: Checker;
  readonly connections = new Set<SimConnection>();
  readonly workers: readonly SimWorker[];
  readonly #options: WorldOptions;
  readonly #ids: IdSource;
  readonly #leases: LeaseWatch;
  readonly #settings: SchedulerSettings;
  server: SimServer | undefined;
  crashes = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.random = new Random(options.seed);
    this.#ids = seededIds(this.random.fork());
    this.checker = new Checker(this.disk, options.report);
    this.#leases = new LeaseWatch(options.report, options.note);
    this.#settings = settingsOf(this.random);
    this.workers = Array.from({ length: this.random.int(1, 3) }, (_, index) => ({
      name: `worker${index + 1}`,
      traits: traitsOf(this.random),
      running: undefined,
      isStopping: false,
    }));
  }

  /** Runs everything that needs neither time nor a message. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet += 1) {
      const before = this.#signsOfLife();
      await nextLoop();
      if (this.#signsOfLife() !== before) quiet = -1;
    }
  }

  /** Something that goes on by itself and must not fail. */
  run(name: string, work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      this.#options.report(`${name} failed: ${describeError(error)}`);
    });
  }

  #signsOfLife(): number {
    return this.disk.transactions + this.network.sent + this.clock.asked;
  }

  /** Starts a scheduler process on the disk; it serves after a while. */
  startServer(): Promise<void> {
    const { disk, clock } = this;
    const { logger } = this.#options;
    this.server = new SimServer({
      disk,
      clock,
      logger,
      ids: this.#ids,
      settings: this.#settings,
      watch: (store) => this.#leases.watch(store),
      onCrash: (server) => {
        this.#onCrash(server);
      },
    });
    return this.server.start();
  }

  #onCrash(server: SimServer): void {
    this.crashes += 1;
    if (this.server === server) this.server = undefined;
    for (const connection of this.connections) {
      for (const call of connection.calls) {
        if (call.server === server) call.reset(this.random.chance(0.5));
      }
    }
  }

  async createHub(): Promise<void> {
    await this.server?.scheduler.createTaskHub(HUB, { recreate: false });
  }

  connect(name: string, clock: ProcessClock): SimConnection {
    const connection = new SimConnection({
      name,
      network: this.network,
      clock,
      serve: (call, request) => {
        if (this.server) this.server.serve(call, request);
        else call.reset(false);
      },
    });
    this.connections.add(connection);
    return connection;
  }

  /** What is on disk, for people. */
  async describe(): Promise<readonly string[]> {
    const tables = {
      instances: 'rid, id, exec, status',
      runs: 'rid, exec, token, ready_at, read_seq, next_seq, attempts, suspended',
      activities: 'rid, exec, task, token, ready_at, attempts, detached',
      timers: 'rid, exec, due_at',
      inbox: 'rid, seq, type, sender',
      entities: 'rid, tail, lock_count, lock_seq, owner_operations, ending_seq',
      locks: 'rid, seq, owner_rid, owner_exec, position, ahead',
    };
    const lines: string[] = [];
    for (const [table, columns] of Object.entries(tables)) {
      for (const row of await this.disk.query(`select ${columns} from ${table}`)) {
        lines.push(`${table} ${JSON.stringify(row)}`);
      }
    }
    return lines;
  }

  openClient(name: string): { readonly client: TaskHubClient; readonly clock: ProcessClock } {
    const clock = new ProcessClock(this.clock);
    const connection = this.connect(name, clock);
    return { clock, client: TaskHubClient.open({ connection, clock, ids: this.#ids }) };
  }

  async startWorker(sim: SimWorker): Promise<void> {
    const clock = new ProcessClock(this.clock);
    const connection = this.connect(sim.name, clock);
    const worker = new TaskHubWorker({
      ...sim.traits,
      connection,
      clock,
      ids: this.#ids,
      logger: this.#options.logger,
      drainTimeoutMs: 3000,
      silentLimitMs: 70_000,
    });
    registerBank(worker);
    registerPrograms(worker, { outside: this.outside, clock, random: this.random.fork() });
    sim.running = { worker, clock, connection };
    await worker.start();
  }

  crashWorker(sim: SimWorker): void {
    const { running } = sim;
    sim.running = undefined;
    sim.isStopping = false;
    running?.clock.kill();
    running?.connection.kill();
    if (running) this.connections.delete(running.connection);
  }

  async stopWorker(sim: SimWorker): Promise<void> {
    const { running } = sim;
    if (!running || sim.isStopping) return;
    sim.isStopping = true;
    await running.worker.stop();
    if (sim.running !== running) return;
    sim.running = undefined;
    sim.isStopping = false;
    this.connections.delete(running.connection);
  }
}

function settingsOf(random: Random): SchedulerSettings {
  return {
    ...DEFAULT_SCHEDULER_SETTINGS,
    waitPollMs: 10_000,
    upkeepMs: 5_000,
    parkAfterLosses: random.pick([2, 10]),
    roundCommitsMax: random.pick([1, 3, 512]),
    creditMax: random.pick([2, 1000]),
  };
}

function traitsOf(random: Random): WorkerTraits {
  return {
    maxConcurrentOrchestrations: random.pick([1, 3, 100]),
    maxConcurrentActivities: random.pick([1, 3, 100]),
    maxConcurrentEntities: random.pick([1, 3, 100]),
    cachedOrchestrationsMax: random.pick([0, 2, 1000]),
    cachedEntityBytesMax: random.pick([0, 1000, 1_000_000]),
  };
}
