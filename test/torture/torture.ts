import { systemClock } from '../../src/base/clock.ts';
import { Random } from '../../src/testing/random.ts';
import { Checker } from '../simulation/checker.ts';
import { Chaos } from './chaos.ts';
import { Cluster } from './cluster.ts';
import type { Looks } from './disk.ts';
import { onPostgres, onSqlite, type Ground } from './ground.ts';
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

/** Lets a cluster suffer, and tells what came of it. */
export async function torture(options: TortureOptions): Promise<Ledger> {
  const { store, seed, nodes, workers } = options;
  const ledger = new Ledger();
  const random = new Random(seed);
  const ground = store === 'postgres' ? await onPostgres(nodes) : await onSqlite();
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
  const { looks } = ground;
  const { endpoints } = cluster;
  const load = new Load({ endpoints, width: options.width, random: random.fork(), ledger });
  try {
    await load.start();
    const checker = new Checker(looks, (problem) => {
      ledger.violation(problem);
    });
    const { everyMs, isHasty } = options;
    const chaos = new Chaos({ cluster, ground, random: random.fork(), ledger, everyMs, isHasty });
    const endAt = systemClock.now() + options.durationMs;
    while (systemClock.now() < endAt) {
      await pause(1000);
      if (await looks.look(() => checker.check())) ledger.looks += 1;
      options.onProgress?.(ledger, Math.max(0, Math.ceil((endAt - systemClock.now()) / 1000)));
    }
    await chaos.stop();
    await load.finish(options.patienceMs);
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
