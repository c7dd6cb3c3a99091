import assert from 'node:assert/strict';
import { PLAIN_STREAM } from '../contract/store/bench.ts';
import { create } from '@bufbuild/protobuf';
import { OrchestratorActionSchema } from '../../src/proto/orchestrator_service_pb.ts';
import { Rounds, type RoundsOptions } from '../../src/scheduler/rounds.ts';
import { DEFAULT_SCHEDULER_SETTINGS } from '../../src/scheduler/settings.ts';
import type { Commit, Outcome } from '../../src/storage/store.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { complete, createChild, createTimer, scheduleTask, sendEvent } from '../support/actions.ts';
import { eventually, settle } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { FakeStore } from './fake-store.ts';

function deliver(n: number, bytes = 1): Commit {
  return {
    kind: 'deliver',
    hub: 'h',
    instanceId: String(n),
    event: { type: 17, bytes: new Uint8Array(bytes) },
  };
}

function codeOf(outcome: Outcome): string {
  return outcome.ok ? 'OK' : outcome.error.code;
}

function openRounds(options: Partial<RoundsOptions> & Partial<Settings> = {}) {
  const store = new FakeStore();
  const clock = new ManualClock();
  const { settings, ...rest } = options;
  const rounds = new Rounds({
    store: store.asStore(),
    clock,
    logger: silentLogger,
    takers: () => [],
    onClaimed: () => undefined,
    onChanges: () => undefined,
    ...rest,
    settings: { ...DEFAULT_SCHEDULER_SETTINGS, ...settings },
  });
  return { rounds, store, clock };
}

interface Settings {
  readonly settings: RoundsOptions['settings'];
}

function settingsOf(settings: Partial<RoundsOptions['settings']>): RoundsOptions['settings'] {
  return { ...DEFAULT_SCHEDULER_SETTINGS, ...settings };
}

describe('rounds', () => {
  it('put what arrives in one turn of the event loop into one round', async () => {
    const { rounds, store } = openRounds();
    const outcomes = await Promise.all([1, 2, 3].map((n) => rounds.submit(deliver(n))));
    assert.deepEqual(outcomes.map(codeOf), ['OK', 'OK', 'OK']);
    assert.deepEqual(store.sizes, [3]);
    await rounds.close();
  });

  it('gather everything that arrives while a round is made durable into the next', async () => {
    const { rounds, store } = openRounds();
    const open = store.hold();
    const first = rounds.submit(deliver(0));
    await eventually(() => store.rounds.length === 1, 'the first round is under way');
    const later = [1, 2, 3, 4].map((n) => rounds.submit(deliver(n)));
    await settle();
    assert.deepEqual(store.sizes, [1]);
    assert.equal(rounds.pending, 4);
    open();
    await Promise.all([first, ...later]);
    assert.deepEqual(store.sizes, [1, 4]);
    await rounds.close();
  });

  it('answer nobody before the round is durable', async () => {
    const { rounds, store } = openRounds();
    const open = store.hold();
    let isAnswered = false;
    const answer = rounds.submit(deliver(1)).then(() => (isAnswered = true));
    await settle();
    assert.equal(isAnswered, false);
    open();
    await answer;
    await rounds.close();
  });

  it('give each request its own outcome, in order of arrival', async () => {
    const { rounds, store } = openRounds();
    const no: Outcome = { ok: false, error: new Error('no') as never };
    store.answers.push({ outcomes: [{ ok: true }, no, { ok: true }] });
    const outcomes = await Promise.all([1, 2, 3].map((n) => rounds.submit(deliver(n))));
    assert.deepEqual(
      outcomes.map(({ ok }) => ok),
      [true, false, true],
    );
    assert.deepEqual(
      store.rounds[0]?.commits.map((commit) => commit.kind === 'deliver' && commit.instanceId),
      ['1', '2', '3'],
    );
    await rounds.close();
  });

  it('refuse a request for which the store gave no outcome', async () => {
    const { rounds, store } = openRounds();
    store.answers.push({ outcomes: [] });
    assert.equal(codeOf(await rounds.submit(deliver(1))), 'UNAVAILABLE');
    await rounds.close();
  });

  it('are bounded by number', async () => {
    const { rounds, store } = openRounds({ settings: settingsOf({ roundCommitsMax: 2 }) });
    await Promise.all([1, 2, 3, 4, 5].map((n) => rounds.submit(deliver(n))));
    assert.deepEqual(store.sizes, [2, 2, 1]);
    await rounds.close();
  });

  it('are bounded by bytes, but take a single request of any size', async () => {
    const { rounds, store } = openRounds({ settings: settingsOf({ roundBytesMax: 100 }) });
    const sizes = [60, 40, 1, 500, 1];
    await Promise.all(sizes.map((bytes, n) => rounds.submit(deliver(n, bytes))));
    assert.deepEqual(store.sizes, [2, 1, 1, 1]);
    await rounds.close();
  });

  it('count the payloads of every kind of request', async () => {
    const { rounds, store } = openRounds({ settings: settingsOf({ roundBytesMax: 100 }) });
    const payload = 'x'.repeat(90);
    const lease = { hub: 'h', token: 't' };
    const rest = { customStatus: undefined, traceContext: undefined, eventsProcessed: undefined };
    const turns = [
      scheduleTask(1, 'A', { input: payload }),
      createChild(1, 'c', { input: payload }),
      sendEvent(1, 'x', 'n', payload),
      complete(payload),
    ].map((action): Commit => {
      const actions = [action, createTimer(9, 0), create(OrchestratorActionSchema, {}), complete()];
      return { ...lease, ...rest, kind: 'turn', actions, requiresHistory: false };
    });
    const start: Commit = {
      kind: 'start',
      hub: 'h',
      instanceId: 'a',
      executionId: 'e',
      name: 'n',
      version: '',
      tags: {},
      scheduledAt: undefined,
      policy: undefined,
      started: { type: 3, bytes: new Uint8Array(90) },
    };
    const activity = { ...lease, kind: 'activity' as const, failureDetails: undefined };
    const commits: Commit[] = [
      ...turns,
      start,
      { ...activity, result: payload },
      { ...activity, result: undefined },
      { ...lease, kind: 'abandon', work: 'activity' },
    ];
    await Promise.all(commits.map((commit) => rounds.submit(commit)));
    assert.deepEqual(store.sizes, [1, 1, 1, 1, 1, 3]);
    await rounds.close();
  });

  it('push back when too many requests wait', async () => {
    const { rounds, store } = openRounds({ settings: settingsOf({ pendingMax: 2 }) });
    const open = store.hold();
    const first = rounds.submit(deliver(0));
    await eventually(() => store.rounds.length === 1, 'the first round is under way');
    const waiting = [1, 2].map((n) => rounds.submit(deliver(n)));
    assert.equal(codeOf(await rounds.submit(deliver(3))), 'RESOURCE_EXHAUSTED');
    open();
    await Promise.all([first, ...waiting]);
    assert.equal(codeOf(await rounds.submit(deliver(4))), 'OK');
    await rounds.close();
  });

  it('let a quiet hub in, and what workers answer, when a loud hub has filled the queue', async () => {
    const { rounds, store } = openRounds({ settings: settingsOf({ pendingMax: 40 }) });
    const open = store.hold();
    const first = rounds.submit(deliver(0));
    await eventually(() => store.rounds.length === 1, 'the first round is under way');
    const waiting = Array.from({ length: 40 }, (_, n) => rounds.submit(deliver(n + 1)));
    assert.equal(codeOf(await rounds.submit(deliver(41))), 'RESOURCE_EXHAUSTED');
    const answer = { kind: 'abandon', hub: 'h', work: 'activity', token: '1.2:3:4' } as const;
    const answers = Array.from({ length: 38 }, () => rounds.submit(answer));
    const quiet = [1, 2].map(() => rounds.submit({ ...answer, kind: 'abandon', hub: 'quiet' }));
    // Twice the bound is the end for everybody.
    assert.equal(codeOf(await rounds.submit(answer)), 'RESOURCE_EXHAUSTED');
    assert.equal(
      codeOf(await rounds.submit({ ...deliver(1), hub: 'other' })),
      'RESOURCE_EXHAUSTED',
    );
    open();
    await Promise.all([first, ...waiting, ...answers, ...quiet]);
    await rounds.close();
  });

  it('let in a little of a hub that is not the one that filled the queue', async () => {
    const { rounds, store } = openRounds({ settings: settingsOf({ pendingMax: 40 }) });
    const open = store.hold();
    const first = rounds.submit(deliver(0));
    await eventually(() => store.rounds.length === 1, 'the first round is under way');
    const waiting = Array.from({ length: 40 }, (_, n) => rounds.submit(deliver(n + 1)));
    const quiet = [1, 2].map((n) => rounds.submit({ ...deliver(n), hub: 'quiet' }));
    assert.equal(
      codeOf(await rounds.submit({ ...deliver(3), hub: 'quiet' })),
      'RESOURCE_EXHAUSTED',
    );
    open();
    const outcomes = await Promise.all([first, ...waiting, ...quiet]);
    assert.deepEqual(new Set(outcomes.map(codeOf)), new Set(['OK']));
    await rounds.close();
  });

  it('push back when too many bytes wait', async () => {
    const { rounds, store } = openRounds({ settings: settingsOf({ pendingBytesMax: 100 }) });
    const open = store.hold();
    const first = rounds.submit(deliver(0));
    await eventually(() => store.rounds.length === 1, 'the first round is under way');
    const waiting = rounds.submit(deliver(1, 100));
    assert.equal(codeOf(await rounds.submit(deliver(2))), 'RESOURCE_EXHAUSTED');
    open();
    await Promise.all([first, waiting]);
    assert.equal(codeOf(await rounds.submit(deliver(3))), 'OK');
    await rounds.close();
  });

  it('look for work when poked, once for many pokes', async () => {
    const { rounds, store } = openRounds();
    for (let n = 0; n < 10; n += 1) rounds.poke();
    await settle();
    assert.deepEqual(store.sizes, [0]);
    await rounds.close();
  });

  it('ask for room as it is when the round starts', async () => {
    let room = 1;
    const { rounds, store } = openRounds({
      takers: () => [
        { ...PLAIN_STREAM, id: 1, hub: 'h', kind: 'activity', credit: room, filters: undefined },
      ],
    });
    await rounds.submit(deliver(1));
    room = 7;
    await rounds.submit(deliver(2));
    assert.deepEqual(
      store.rounds.map(({ takers }) => takers[0]?.credit),
      [1, 7],
    );
    await rounds.close();
  });

  it('come again at once while something due is left over', async () => {
    const { rounds, store } = openRounds();
    store.answers.push({ hasMore: true }, { hasMore: true });
    rounds.poke();
    await settle();
    assert.deepEqual(store.sizes, [0, 0, 0]);
    await rounds.close();
  });

  it('come again when the next thing is due, an earlier one replacing a later', async () => {
    const { rounds, store, clock } = openRounds();
    const now = clock.now();
    store.answers.push({ wakeAt: now + 1000 }, { wakeAt: now + 500 }, { wakeAt: now + 2000 });
    for (const n of [1, 2, 3]) await rounds.submit(deliver(n));
    await settle();
    assert.deepEqual(clock.sleepers, [now + 500]);
    clock.advance(499);
    await settle();
    assert.equal(store.rounds.length, 3);
    clock.advance(1);
    await settle();
    assert.equal(store.rounds.length, 4);
    assert.equal(store.rounds[3]?.now, now + 500);
    await rounds.close();
  });

  describe('over a store that fails', () => {
    it('refuse the requests of that round only', async () => {
      const { rounds, store } = openRounds();
      store.answers.push(new Error('gone'));
      const outcome = await rounds.submit(deliver(1));
      assert.equal(codeOf(outcome), 'UNAVAILABLE');
      assert.equal(!outcome.ok && (outcome.error.cause as Error).message, 'gone');
      assert.equal(codeOf(await rounds.submit(deliver(2))), 'OK');
      await rounds.close();
    });

    it('try again after a pause, without being asked', async () => {
      const { rounds, store, clock } = openRounds();
      store.answers.push(new Error('gone'));
      rounds.poke();
      await settle();
      assert.equal(store.rounds.length, 1);
      clock.advance(200);
      await settle();
      assert.equal(store.rounds.length, 2);
      await rounds.close();
    });
  });

  it('stay committed when the news of them cannot be passed on', async () => {
    const errors: string[] = [];
    const { rounds, store } = openRounds({
      logger: { ...silentLogger, error: (message) => errors.push(message) },
      onClaimed: () => {
        throw new Error('a stream is gone');
      },
    });
    assert.equal(codeOf(await rounds.submit(deliver(1))), 'OK');
    assert.equal(codeOf(await rounds.submit(deliver(2))), 'OK');
    assert.equal(errors.length, 2);
    assert.deepEqual(store.sizes, [1, 1]);
    await rounds.close();
  });

  describe('when closed', () => {
    it('finish what was accepted and refuse what comes later', async () => {
      const { rounds, store } = openRounds({ settings: settingsOf({ roundCommitsMax: 1 }) });
      const accepted = [1, 2, 3].map((n) => rounds.submit(deliver(n)));
      await rounds.close();
      assert.deepEqual((await Promise.all(accepted)).map(codeOf), ['OK', 'OK', 'OK']);
      assert.equal(codeOf(await rounds.submit(deliver(4))), 'UNAVAILABLE');
      assert.deepEqual(store.sizes, [1, 1, 1]);
    });

    it('leave no alarm behind and take no notice of pokes', async () => {
      const { rounds, store, clock } = openRounds();
      store.answers.push({ wakeAt: clock.now() + 1000 });
      await rounds.submit(deliver(1));
      await rounds.close();
      rounds.poke();
      await settle();
      assert.deepEqual(clock.sleepers, []);
      assert.equal(store.rounds.length, 1);
    });
  });
});
