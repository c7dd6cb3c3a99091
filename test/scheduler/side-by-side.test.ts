import assert from 'node:assert/strict';
import { Grants } from '../../src/scheduler/grants.ts';
import { Rounds, type RoundsOptions } from '../../src/scheduler/rounds.ts';
import { DEFAULT_SCHEDULER_SETTINGS } from '../../src/scheduler/settings.ts';
import type { Commit, Round, Taker } from '../../src/storage/store.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { PLAIN_STREAM } from '../contract/store/bench.ts';
import { settle } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { FakeStore } from './fake-store.ts';

function deliver(instanceId: string, hub = 'h'): Commit {
  const event = { type: 17, bytes: new Uint8Array(1) };
  return { kind: 'deliver', hub, instanceId, event };
}

function openRounds(roundsMax: number, options: Partial<RoundsOptions> = {}) {
  const store = new FakeStore(roundsMax);
  const rounds = new Rounds({
    store: store.asStore(),
    clock: new ManualClock(),
    logger: silentLogger,
    takers: () => [],
    onClaimed: () => undefined,
    onChanges: () => undefined,
    settings: { ...DEFAULT_SCHEDULER_SETTINGS, roundCommitsMax: 4 },
    ...options,
  });
  return { rounds, store };
}

function idsOf({ commits }: Round): string {
  return commits
    .map((commit) => ('instanceId' in commit ? `${commit.hub}/${commit.instanceId}` : commit.kind))
    .join(' ');
}

const room = (rest: Partial<Taker> = {}): Taker => ({
  ...PLAIN_STREAM,
  ...{ id: 1, hub: 'h', kind: 'activity', credit: 8, filters: undefined, isIdle: false },
  ...rest,
});

describe('rounds side by side', () => {
  it('are as many as the store takes', async () => {
    const { rounds, store } = openRounds(2);
    const open = store.hold();
    const all = ['a', 'b', 'c'].map(async (id) => {
      const outcome = rounds.submit(deliver(id));
      await settle();
      return outcome;
    });
    await settle();
    for (const id of ['d', 'e']) all.push(rounds.submit(deliver(id)));
    await settle();
    assert.equal(store.rounds.length, 1 + 1);
    open();
    await Promise.all(all);
    await rounds.close();
  });

  it('are of one hub each, the hubs in turn', async () => {
    const { rounds, store } = openRounds(4);
    const loud = Array.from({ length: 9 }, (_, n) => rounds.submit(deliver(`${n}`, 'loud')));
    await Promise.all([...loud, rounds.submit(deliver('x', 'quiet'))]);
    assert.deepEqual(
      store.rounds.map(({ hub, commits }) => `${hub ?? ''} ${commits.length}`),
      ['loud 4', 'quiet 1', 'loud 4', 'loud 1'],
    );
    await rounds.close();
  });

  it('keep the order of what concerns one instance', async () => {
    const { rounds, store } = openRounds(4);
    const open = store.hold();
    const first = rounds.submit(deliver('a'));
    await settle();
    const later = ['a', 'b', 'a'].map((id) => rounds.submit(deliver(id)));
    await settle();
    assert.deepEqual(store.rounds.map(idsOf), ['h/a', 'h/b']);
    open();
    await Promise.all([first, ...later]);
    assert.deepEqual(store.rounds.map(idsOf), ['h/a', 'h/b', 'h/a h/a']);
    await rounds.close();
  });

  it('leave a change of their hub alone', async () => {
    const { rounds, store } = openRounds(4);
    const change: Commit = { kind: 'createHub', hub: 'h', recreate: true };
    const all = [deliver('a'), change, deliver('b')].map((commit) => rounds.submit(commit));
    await Promise.all(all);
    assert.deepEqual(store.rounds.map(idsOf), ['h/a', 'createHub', 'h/b']);
    await rounds.close();
  });

  it('look for work in a round without requests', async () => {
    const { rounds, store } = openRounds(4, { takers: () => [room()] });
    rounds.poke();
    await rounds.submit(deliver('a'));
    assert.deepEqual(
      store.rounds.map(({ hub, commits }) => [hub, commits.length]),
      [
        [undefined, 0],
        ['h', 1],
      ],
    );
    await rounds.close();
  });
});

describe('one round for all hubs', () => {
  it('holds a part of each', async () => {
    const { rounds, store } = openRounds(1);
    const loud = Array.from({ length: 6 }, (_, n) => rounds.submit(deliver(`${n}`, 'loud')));
    await Promise.all([...loud, rounds.submit(deliver('x', 'quiet'))]);
    assert.deepEqual(store.rounds.map(idsOf), [
      'loud/0 loud/1 quiet/x loud/2',
      'loud/3 loud/4 loud/5',
    ]);
    await rounds.close();
  });
});

describe('room for rounds side by side', () => {
  it('is never promised twice', () => {
    const grants = new Grants();
    const first = grants.grant([room()], { hub: undefined, lanes: 2 });
    const second = grants.grant([room()], { hub: 'h', lanes: 1 });
    assert.deepEqual(
      [first, second].map(({ takers }) => takers[0]?.credit),
      [4, 4],
    );
    assert.deepEqual(grants.grant([room()], { hub: 'h', lanes: 1 }).takers, []);
    first.end();
    assert.equal(grants.grant([room()], { hub: 'h', lanes: 1 }).takers[0]?.credit, 4);
  });

  it('on a stream that holds nothing is for one of them', () => {
    const grants = new Grants();
    const idle = [room({ isIdle: true }), room({ isIdle: true, kind: 'orchestration' })];
    const first = grants.grant(idle, { hub: 'h', lanes: 4 });
    assert.equal(first.takers.length, 2);
    assert.deepEqual(grants.grant(idle, { hub: 'h', lanes: 3 }).takers, []);
    first.end();
    assert.equal(grants.grant(idle, { hub: 'h', lanes: 3 }).takers.length, 2);
  });

  it('is of the hub of the round', () => {
    const grants = new Grants();
    const both = [room(), room({ id: 2, hub: 'other' })];
    assert.deepEqual(
      grants.grant(both, { hub: 'other', lanes: 1 }).takers.map(({ id }) => id),
      [2],
    );
  });
});
