import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { NODE_DEAD_MS } from '../../src/storage/sql/upkeep.ts';
import { Random } from '../../src/testing/random.ts';
import { Checker } from '../simulation/checker.ts';
import { PostgresServer } from '../support/postgres-server.ts';
import { PostgresSchema } from '../support/postgres.ts';
import { Chaos } from './chaos.ts';
import { Cluster } from './cluster.ts';
import { PostgresLooks, SqliteLooks, type Looks } from './disk.ts';
import { Ledger } from './ledger.ts';
import { Load } from './load.ts';
import { pause } from './pause.ts';

export interface TortureOptions {
  readonly store: 'postgres' | 'sqlite';
  readonly seed: number;
  /** Of the trouble; then everything has to end. */
  readonly durationMs: number;
  readonly nodes: number;
  readonly workers: number;
  /** Scenarios under way at once. */
  readonly width: number;
  /** The longest pause between two faults. */
  readonly everyMs: number;
  /** A killed node is known to be dead at once: a short run cannot wait until its silence tells. */
  readonly isHasty: boolean;
  /** How long the last scenarios may take once everything is healed. */
  readonly patienceMs: number;
  /** Told every second or so. */
  readonly onProgress?: (ledger: Ledger, secondsLeft: number) => void;
}

/** What is below the schedulers. */
interface Ground {
  readonly storageOf: (node: number) => string;
  readonly looks: Looks;
  /** As if every node had been silent for half a minute; those that live say so again at once. */
  readonly silenceNodes: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Lets a cluster suffer, and tells what came of it. */
export async function torture(options: TortureOptions): Promise<Ledger> {
  const { store, seed, nodes, workers } = options;
  const ledger = new Ledger();
  const random = new Random(seed);
  const ground = store === 'postgres' ? await onPostgres() : await onSqlite();
  try {
    const { storageOf } = ground;
    const cluster = await Cluster.start({ nodes, workers, storageOf, ledger });
    try {
      await suffer(cluster, ground, { options, random, ledger });
    } finally {
      await cluster[Symbol.asyncDispose]();
    }
  } finally {
    await ground.close();
  }
  return ledger;
}

interface Run {
  readonly options: TortureOptions;
  readonly random: Random;
  readonly ledger: Ledger;
}

async function suffer(cluster: Cluster, ground: Ground, run: Run): Promise<void> {
  const { options, random, ledger } = run;
  const { looks, silenceNodes } = ground;
  const { endpoints } = cluster;
  const load = new Load({ endpoints, width: options.width, random: random.fork(), ledger });
  try {
    const checker = new Checker(looks, (problem) => {
      ledger.violation(problem);
    });
    const chaos = new Chaos({
      ...{ cluster, random: random.fork(), ledger, everyMs: options.everyMs },
      onNodeKilled: () => (options.isHasty ? silenceNodes() : Promise.resolve()),
    });
    const endAt = systemClock.now() + options.durationMs;
    while (systemClock.now() < endAt) {
      await pause(1000);
      await looks.look(() => checker.check());
      options.onProgress?.(ledger, Math.max(0, Math.ceil((endAt - systemClock.now()) / 1000)));
    }
    await chaos.stop();
    for (const id of await load.drain(options.patienceMs)) ledger.violation(`${id} was lost`);
    await settle(looks, checker, ledger);
  } finally {
    await load.close();
  }
}

const SETTLE_MAX_MS = 20_000;

/** Everything has ended: soon nothing is left, and nothing that was written was ever changed. */
async function settle(looks: Looks, checker: Checker, ledger: Ledger): Promise<void> {
  const lateAt = systemClock.now() + SETTLE_MAX_MS;
  let left: readonly string[];
  do {
    await pause(200);
    left = [];
    await looks.look(async () => {
      left = await checker.leftovers();
    });
  } while (left.length > 0 && systemClock.now() < lateAt);
  for (const problem of left) ledger.violation(problem);
  await looks.look(() => checker.checkUnchanged());
}

async function onPostgres(): Promise<Ground> {
  const server = await PostgresServer.start({ fsync: true });
  const schema = await PostgresSchema.create(server);
  return {
    storageOf: () => schema.url,
    looks: new PostgresLooks(() => schema.connect()),
    silenceNodes: async () => {
      const client = await schema.connect();
      await client.query(`update nodes set heartbeat_at = heartbeat_at - ${NODE_DEAD_MS}`);
      await client.end();
    },
    close: () => server.stop(),
  };
}

async function onSqlite(): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), 'durabletask-torture-'));
  const path = join(folder, 'scheduler.db');
  return {
    storageOf: () => `sqlite:${path}`,
    looks: new SqliteLooks(path),
    silenceNodes: () => Promise.resolve(),
    close: () => rm(folder, { recursive: true }),
  };
}
