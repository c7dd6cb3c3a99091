/**
 * The store alone, durable: workflows of a start, two turns and one activity, `--batch` of them in flight.
 *   node bench/store-rounds.ts --storage sqlite:/tmp/bench.db --batch 64 --seconds 3
 * `--parallel 1,4` measures each number of rounds side by side in turn (PostgreSQL), `--batch` in each of them.
 */
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { systemIds } from '../src/base/ids.ts';
import { openStore } from '../src/storage/open-store.ts';
import type { Claimed, Commit, Store, Taker } from '../src/storage/store.ts';
import { silentLogger } from '../src/telemetry/logger.ts';
import { encodeEvent } from '../src/wire/events.ts';
import { complete, scheduleTask } from '../test/support/actions.ts';
import { percentile } from './support/percentile.ts';

const HUB = 'bench';
const NOTHING: ReadonlySet<string> = new Set();

function start(): Commit {
  const [instanceId, executionId] = [systemIds.uuid(), systemIds.hex32()];
  const value = { name: 'Workflow', orchestrationInstance: { instanceId, executionId } };
  return {
    ...{ kind: 'start', hub: HUB, instanceId, executionId, name: 'Workflow', version: '' },
    ...{ tags: {}, scheduledAt: undefined, policy: undefined },
    started: encodeEvent({ eventType: { case: 'executionStarted', value } }),
  };
}

/** The first turn calls an activity, the second ends. */
function answer(item: Claimed): Commit {
  const { hub, token } = item;
  if (item.kind === 'activity') {
    return { kind: 'activity', hub, token, result: '"done"', failureDetails: undefined };
  }
  return {
    ...{ kind: 'turn', hub, token, customStatus: undefined, traceContext: undefined },
    actions:
      item.kind === 'orchestration' && item.history.length === 0
        ? [scheduleTask(1)]
        : [complete('"done"')],
    eventsProcessed: undefined,
    requiresHistory: false,
  };
}

interface Figures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

async function measure(store: Store, batch: number, seconds: number): Promise<Figures> {
  const takers: readonly Taker[] = (['orchestration', 'activity'] as const).map((kind) => ({
    ...{ id: 1, hub: HUB, kind, credit: batch * 2, filters: undefined, isIdle: false },
    ...{ messageBytesMax: Infinity, fetchesHistory: false, caches: NOTHING, avoids: NOTHING },
  }));
  const roundsMs: number[] = [];
  let commits: readonly Commit[] = Array.from({ length: batch }, start);
  let ended = 0;
  const startedAt = performance.now();
  while (performance.now() - startedAt < seconds * 1000) {
    const roundAt = performance.now();
    const { claimed, outcomes } = await store.exchange({ now: systemClock.now(), commits, takers });
    roundsMs.push(performance.now() - roundAt);
    const refused = outcomes.find((outcome) => !outcome.ok);
    if (refused?.ok === false) throw refused.error;
    ended += commits.filter((commit) => commit.kind === 'turn').length - claimedActivities(claimed);
    const answers = claimed.map(answer);
    const fresh = Array.from({ length: Math.max(0, batch - answers.length) }, start);
    commits = [...answers, ...fresh];
  }
  const elapsedS = (performance.now() - startedAt) / 1000;
  return {
    perSecond: Math.round(ended / elapsedS),
    p50Ms: percentile(roundsMs, 0.5),
    p99Ms: percentile(roundsMs, 0.99),
  };
}

/** As many drivers side by side, each with its own rounds. */
async function measureAll(parallel: number, batch: number, seconds: number): Promise<Figures> {
  const lanes = Array.from({ length: parallel }, () => measure(store, batch, seconds));
  const all = await Promise.all(lanes);
  return {
    perSecond: all.reduce((sum, { perSecond }) => sum + perSecond, 0),
    p50Ms: Math.max(...all.map(({ p50Ms }) => p50Ms)),
    p99Ms: Math.max(...all.map(({ p99Ms }) => p99Ms)),
  };
}

/** Each turn that did not end its workflow has made one activity, handed out in the same round. */
function claimedActivities(claimed: readonly Claimed[]): number {
  return claimed.filter(({ kind }) => kind === 'activity').length;
}

const { values } = parseArgs({
  options: {
    storage: { type: 'string', default: 'memory' },
    batch: { type: 'string', default: '1,16,64,256' },
    seconds: { type: 'string', default: '3' },
    parallel: { type: 'string', default: '1' },
  },
});
const store = await openStore({
  storage: values.storage,
  logger: silentLogger,
  clock: systemClock,
  ids: systemIds,
});
const createHub: Commit = { kind: 'createHub', hub: HUB, recreate: true };
await store.exchange({ now: systemClock.now(), commits: [createHub], takers: [] });
for (const batch of values.batch.split(',').map(Number)) {
  for (const parallel of values.parallel.split(',').map(Number)) {
    await measureAll(parallel, batch, 0.5);
    const figures = await measureAll(parallel, batch, Number(values.seconds));
    process.stdout.write(`${JSON.stringify({ batch, parallel, ...figures })}\n`);
  }
}
await store.close();
