/** Every statement that a store runs in rounds, its opening and its upkeep left out. */
import { systemIds } from '../../src/base/ids.ts';
import { DEFAULT_PAYLOAD_LIMITS } from '../../src/core/limits.ts';
import { openSqlite } from '../../src/storage/sqlite-session.ts';
import { SqlStore } from '../../src/storage/sql-store.ts';
import type { SqlSession } from '../../src/storage/sql/session.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import {
  complete,
  continueAsNew,
  createChild,
  createTimer,
  scheduleTask,
} from '../support/actions.ts';
import {
  activityDone,
  Bench,
  orchestrations,
  raise,
  START_AT,
  turn,
} from '../contract/store/bench.ts';

function recording(session: SqlSession, seen: Set<string>): SqlSession {
  return {
    dialect: session.dialect,
    all: (sql, params) => {
      seen.add(sql);
      return session.all(sql, params);
    },
    run: (sql, params) => {
      seen.add(sql);
      return session.run(sql, params);
    },
    runMany: (statement, rows) => {
      seen.add(statement.sqlite);
      return session.runMany(statement, rows);
    },
    allMany: (statement, rows) => {
      seen.add(statement.sqlite);
      return session.allMany(statement, rows);
    },
  };
}

/** Works through all that rounds and reads do, once; the texts of the statements. */
export async function runRecording(): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  const real = openSqlite({ path: ':memory:' });
  const database = new Proxy(real, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      if (property !== 'transaction' && property !== 'read') return value.bind(target) as unknown;
      return (work: (session: SqlSession) => Promise<unknown>) =>
        target[property]((session) => work(recording(session, seen)));
    },
  });
  const store = await SqlStore.open({
    database,
    ids: systemIds,
    logger: silentLogger,
    limits: DEFAULT_PAYLOAD_LIMITS,
    now: START_AT,
  });
  seen.clear();
  const bench = await Bench.open(async () => ({
    store,
    reopen: () => Promise.resolve(store),
    close: () => store.close(),
  }));
  await playThrough(bench);
  await bench.close();
  return seen;
}

async function playThrough(bench: Bench): Promise<void> {
  await bench.apply(bench.start('a'));
  const actions = [scheduleTask(1), createTimer(2, bench.now + 5), createChild(3, 'child')];
  await bench.apply(turn(await bench.takeTurn(), actions));
  const [child] = orchestrations(await bench.take({ activities: 0 }));
  await bench.apply(turn(child!, [complete()]));
  await bench.apply(activityDone(await bench.takeActivity()));
  bench.advance(5);
  await bench.exchange([]);
  await bench.apply(raise('a', 'x'));
  const item = await bench.takeTurn();
  await bench.apply({
    ...item,
    kind: 'release',
    work: 'orchestration',
    readyAt: bench.now,
    loss: undefined,
  });
  const again = await bench.takeTurn();
  await bench.apply(raise('a', 'y'));
  await bench.apply(turn(again, [continueAsNew()]));
  await bench.apply(turn(await bench.takeTurn(), [complete()]));
  await bench.apply(bench.start('a'));
  await bench.get('a');
  await bench.history('a');
  await bench.store.statuses('default', ['a']);
}
