import assert from 'node:assert/strict';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  OrchestrationTraceContextSchema,
  TaskFailureDetailsSchema,
} from '../../../src/proto/orchestrator_service_pb.ts';
import type { Claimed, Commit, WorkKind } from '../../../src/storage/store.ts';
import { complete, createTimer, scheduleTask } from '../../support/actions.ts';
import {
  activityDone,
  casesOf,
  caseOf,
  HUB,
  newEventsOf,
  raise,
  refusal,
  turn,
  type Bench,
  type UseBench,
} from './bench.ts';

const GRACE_MS = { orchestration: 1000, activity: 5000, entity: 1000 };

function abandon(item: { hub: string; token: string }, work: WorkKind): Commit {
  return { kind: 'abandon', hub: item.hub, work, token: item.token };
}

function release(item: { hub: string; token: string }, work: WorkKind, readyAt: number): Commit {
  return {
    kind: 'release',
    hub: item.hub,
    work,
    token: item.token,
    readyAt,
    loss: { parkAfter: 3 },
  };
}

async function releaseAll(bench: Bench): Promise<void> {
  const options = { now: bench.now, limit: 100, graceMs: GRACE_MS };
  assert.equal(await bench.store.releaseOrphans(options), false);
}

export function leasesContract(use: UseBench): void {
  describe('a lease on a turn', () => {
    it('has a token that nobody can guess and that is never given twice', async () => {
      const bench = use();
      await bench.exchange(Array.from({ length: 20 }, (_, n) => bench.start(`a${n}`)));
      const tokens = (await bench.take()).map(({ token }) => token);
      assert.equal(new Set(tokens).size, 20);
      const secrets = tokens.map((token) => token.split(':').at(-1));
      assert.equal(new Set(secrets).size, 20);
      for (const secret of secrets) assert.match(secret ?? '', /^[0-9a-f]{32}$/);
    });

    it('is alone: no second worker gets the instance meanwhile', async () => {
      const bench = use();
      await bench.begin('a');
      await bench.apply(raise('a', 'x'));
      await bench.takeNothing();
    });

    it('is the current one until it is completed or handed out again', async () => {
      const bench = use();
      const { store } = bench;
      const current = async (...items: readonly Claimed[]): Promise<readonly boolean[]> => {
        const tokens = await store.currentLeases(HUB, items);
        return items.map(({ token }) => tokens.has(token));
      };
      const first = await bench.begin('a');
      assert.deepEqual(await current(first), [true]);
      await bench.apply(turn(first, [scheduleTask(1)]));
      const activity = await bench.takeActivity();
      assert.deepEqual(await current(first, activity), [false, true]);
      const { hub, token } = activity;
      const released = {
        hub,
        token,
        work: 'activity',
        readyAt: bench.now,
        loss: undefined,
      } as const;
      await bench.apply({ kind: 'release', ...released });
      assert.deepEqual(await current(activity), [true]);
      const again = await bench.takeActivity();
      assert.deepEqual(await current(activity, again), [false, true]);
      assert.equal((await store.currentLeases('no-such-hub', [again])).size, 0);
    });

    it('ends with its completion: a duplicate is refused and changes nothing', async () => {
      const bench = use();
      const item = await bench.begin('a');
      await bench.apply(turn(item, [scheduleTask(1)]));
      assert.equal(refusal(await bench.commit(turn(item, [scheduleTask(1)]))), 'LEASE_LOST');
      const { outcomes } = await bench.exchange([turn(item, [complete()]), turn(item)]);
      assert.deepEqual(outcomes.map(refusal), ['LEASE_LOST', 'LEASE_LOST']);
      assert.equal((await bench.take({ orchestrations: 0 })).length, 1);
      assert.equal((await bench.history('a')).length, 3);
    });

    it('is refused for tokens that were never given', async () => {
      const bench = use();
      const { token, hub } = await bench.begin('a');
      const [row = '', lease = ''] = token.split(':');
      const forged = ['', 'nonsense', `${row}:${lease}:${'0'.repeat(32)}`, `${row}.1:${lease}:x`];
      for (const wrong of [...forged, `9${token}`]) {
        assert.equal(refusal(await bench.commit(turn({ hub, token: wrong }))), 'LEASE_LOST');
        assert.equal(
          refusal(await bench.commit(activityDone({ hub, token: wrong }))),
          'LEASE_LOST',
        );
        await bench.apply(abandon({ hub, token: wrong }, 'orchestration'));
        await bench.apply(release({ hub, token: wrong }, 'activity', bench.now));
      }
      await bench.apply(turn({ hub, token }));
    });

    it('is refused in another hub', async () => {
      const bench = use();
      await bench.apply({ kind: 'createHub', hub: 'other', recreate: false });
      const item = await bench.begin('a');
      assert.equal(refusal(await bench.commit(turn({ ...item, hub: 'other' }))), 'LEASE_LOST');
    });

    it('gives a turn its clock: never backwards, never before a timer that it brings', async () => {
      const bench = use();
      const first = await bench.begin('a');
      const fireAt = bench.now + 500;
      await bench.apply(turn(first, [createTimer(1, fireAt)]));
      bench.advance(500);
      const fired = await bench.takeTurn();
      await bench.apply(turn(fired));
      bench.advance(-400);
      await bench.apply(raise('a', 'x'));
      const last = await bench.takeTurn();
      const times = [first, fired, last].map((item) => {
        const { timestamp } = newEventsOf(item)[0]!;
        return Number(timestamp?.seconds) * 1000 + (timestamp?.nanos ?? 0) / 1e6;
      });
      assert.deepEqual(times, [fireAt - 500, fireAt, fireAt]);
    });

    it('writes the time of dispatch into the history, not that of the commit', async () => {
      const bench = use();
      const item = await bench.begin('a');
      const [handed] = newEventsOf(item);
      bench.advance(60_000);
      await bench.apply(turn(item));
      const [stored] = await bench.history('a');
      assert.deepEqual(stored, handed);
    });

    it('returns the trace context of the last response with the next turn', async () => {
      const bench = use();
      const traceContext = toBinary(
        OrchestrationTraceContextSchema,
        create(OrchestrationTraceContextSchema, { spanID: 'abc' }),
      );
      const item = await bench.begin('a');
      assert.equal(item.traceContext, undefined);
      await bench.apply(turn(item, [], { traceContext }));
      await bench.apply(raise('a', 'x'));
      assert.deepEqual((await bench.takeTurn()).traceContext, traceContext);
    });

    it('is given anew, with the history, when the worker forgot it', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a')));
      await bench.apply(raise('a', 'x'));
      const item = await bench.takeTurn();
      await bench.apply(turn(item, [complete()], { requiresHistory: true }));
      const again = await bench.takeTurn();
      assert.deepEqual(casesOf(again), casesOf(item));
      assert.notEqual(again.token, item.token);
      assert.equal(refusal(await bench.commit(turn(item))), 'LEASE_LOST');
    });
  });

  describe('a lease on an activity', () => {
    it('brings the result into the history once', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1)]));
      const item = await bench.takeActivity();
      const { outcomes } = await bench.exchange([activityDone(item, '1'), activityDone(item, '2')]);
      assert.deepEqual(outcomes.map(refusal), ['OK', 'LEASE_LOST']);
      assert.equal(refusal(await bench.commit(activityDone(item, '3'))), 'LEASE_LOST');
      const next = await bench.takeTurn();
      assert.deepEqual(
        newEventsOf(next).map(({ eventType }) =>
          eventType.case === 'taskCompleted'
            ? [eventType.value.taskScheduledId, eventType.value.result]
            : eventType.case,
        ),
        ['orchestratorStarted', [1, '1']],
      );
    });

    it('brings a failure with its details', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(7)]));
      const { hub, token } = await bench.takeActivity();
      const failureDetails = create(TaskFailureDetailsSchema, {
        errorType: 'Boom',
        errorMessage: 'no',
        stackTrace: 'here',
        innerFailure: { errorType: 'Inner', errorMessage: 'deep' },
      });
      await bench.apply({ kind: 'activity', hub, token, result: undefined, failureDetails });
      const { eventType } = newEventsOf(await bench.takeTurn())[1]!;
      assert.ok(eventType.case === 'taskFailed');
      assert.deepEqual(eventType.value.failureDetails, failureDetails);
    });

    it('fails the task when its result is over the limit, rather than running it again', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1)]));
      await bench.apply(activityDone(await bench.takeActivity(), 'x'.repeat(1024 * 1024 + 1)));
      const { eventType } = newEventsOf(await bench.takeTurn())[1]!;
      assert.ok(eventType.case === 'taskFailed');
      assert.equal(eventType.value.failureDetails?.errorType, 'PayloadTooLarge');
      assert.equal(eventType.value.failureDetails.isNonRetriable, true);
    });

    it('is done quietly when the owner has ended', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1)]));
      const item = await bench.takeActivity();
      await bench.apply(raise('a', 'end'));
      await bench.apply(turn(await bench.takeTurn(), [complete('"kept"')]));
      await bench.apply(activityDone(item, '1'));
      assert.equal((await bench.get('a')).output, '"kept"');
      await bench.takeNothing();
    });

    it('is handed out though the turn that scheduled it was the last', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1), complete()]));
      await bench.apply(activityDone(await bench.takeActivity(), '1'));
    });
  });

  describe('abandoning', () => {
    it('gives a turn back after a delay that grows, with the same events', async () => {
      const bench = use();
      let item = await bench.begin('a');
      const { fresh } = casesOf(item);
      const delays: number[] = [];
      for (let round = 0; round < 12; round += 1) {
        await bench.apply(abandon(item, 'orchestration'));
        const wakeAt = bench.last?.wakeAt ?? 0;
        delays.push(wakeAt - bench.now);
        bench.now = wakeAt - 1;
        await bench.takeNothing();
        bench.advance(1);
        item = await bench.takeTurn();
        assert.deepEqual(casesOf(item).fresh, fresh);
      }
      assert.deepEqual(
        delays,
        [...delays].sort((a, b) => a - b),
      );
      assert.ok(delays[0]! >= 100 && delays[0]! < delays[3]!);
      assert.equal(delays.at(-1), 30_000);
    });

    it('voids the token', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1)]));
      const item = await bench.takeActivity();
      await bench.apply(abandon(item, 'activity'));
      assert.equal(refusal(await bench.commit(activityDone(item, '1'))), 'LEASE_LOST');
      bench.advance(60_000);
      await bench.apply(activityDone(await bench.takeActivity(), '2'));
    });

    it('starts from the short delay again once a turn was committed', async () => {
      const bench = use();
      let item = await bench.begin('a');
      for (let round = 0; round < 5; round += 1) {
        await bench.apply(abandon(item, 'orchestration'));
        bench.advance(60_000);
        item = await bench.takeTurn();
      }
      await bench.apply(turn(item));
      await bench.apply(raise('a', 'x'));
      await bench.apply(abandon(await bench.takeTurn(), 'orchestration'));
      assert.ok((bench.last?.wakeAt ?? 0) - bench.now < 1000);
    });

    it('of a token that is gone is no error', async () => {
      const bench = use();
      const item = await bench.begin('a');
      await bench.apply(turn(item));
      await bench.apply(abandon(item, 'orchestration'));
    });
  });

  describe('releasing', () => {
    it('keeps the token good until somebody else claims the item', async () => {
      const bench = use();
      const item = await bench.begin('a');
      await bench.apply(release(item, 'orchestration', bench.now + 1000));
      await bench.takeNothing();
      await bench.apply(turn(item, [complete('1')]));
      assert.equal((await bench.get('a')).output, '1');
      bench.advance(1000);
      await bench.takeNothing();
    });

    it('hands the item out again after the grace period, and then the old token is void', async () => {
      const bench = use();
      const item = await bench.begin('a');
      assert.equal(item.attempts, 0);
      await bench.apply(release(item, 'orchestration', bench.now + 1000));
      bench.advance(999);
      await bench.takeNothing();
      bench.advance(1);
      const again = await bench.takeTurn();
      assert.equal(again.attempts, 1);
      assert.equal(refusal(await bench.commit(turn(item, [complete()]))), 'LEASE_LOST');
      await bench.apply(turn(again));
    });

    it('twice counts once', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1)]));
      const item = await bench.takeActivity();
      await bench.exchange([
        release(item, 'activity', bench.now + 10),
        release(item, 'activity', bench.now),
      ]);
      await bench.takeNothing();
      bench.advance(10);
      assert.equal((await bench.takeActivity()).attempts, 1);
    });

    it('adds what arrived meanwhile to the turn that is handed out again', async () => {
      const bench = use();
      const item = await bench.begin('a');
      await bench.apply(release(item, 'orchestration', bench.now));
      await bench.apply(raise('a', 'x'));
      assert.deepEqual(casesOf(await bench.takeTurn()).fresh, [
        ...casesOf(item).fresh,
        'eventRaised',
      ]);
    });

    it('and completing in one round leaves nothing to hand out', async () => {
      const bench = use();
      const item = await bench.begin('a');
      const { claimed, outcomes } = await bench.exchange(
        [release(item, 'orchestration', bench.now), turn(item)],
        bench.takers(),
      );
      assert.deepEqual(outcomes.map(refusal), ['OK', 'OK']);
      assert.deepEqual(claimed, []);
    });
  });

  describe('leases of an owner that died', () => {
    it('accept a completion that arrives at the next owner', async () => {
      const bench = use();
      const item = await bench.begin('a');
      const dispatched = newEventsOf(item)[0];
      bench.advance(7000);
      await bench.reopen();
      await bench.apply(turn(item, [scheduleTask(1)]));
      assert.deepEqual((await bench.history('a'))[0], dispatched);
      const activity = await bench.takeActivity();
      await bench.reopen();
      await bench.apply(activityDone(activity, '1'));
      assert.deepEqual(newEventsOf(await bench.takeTurn()).map(caseOf), [
        'orchestratorStarted',
        'taskCompleted',
      ]);
    });

    it('are handed out again after a grace period, each kind its own', async () => {
      const bench = use();
      await bench.exchange([bench.start('a'), bench.start('b')]);
      const [a, b] = (await bench.take()).flatMap((item) =>
        item.kind === 'orchestration' ? [item] : [],
      );
      await bench.apply(turn(a!, [scheduleTask(1)]));
      const activity = await bench.takeActivity();
      await bench.reopen();
      await bench.takeNothing();
      await releaseAll(bench);
      await bench.takeNothing();
      bench.advance(GRACE_MS.orchestration);
      const again = await bench.takeTurn();
      assert.equal(again.instanceId, b?.instanceId);
      assert.equal(refusal(await bench.commit(turn(b!))), 'LEASE_LOST');
      bench.advance(GRACE_MS.activity);
      await bench.takeActivity();
      assert.equal(refusal(await bench.commit(activityDone(activity))), 'LEASE_LOST');
    });

    it('are freed a bounded number at a time, and those of the living owner stay', async () => {
      const bench = use();
      await bench.exchange(Array.from({ length: 5 }, (_, n) => bench.start(`a${n}`)));
      await bench.take();
      await bench.reopen();
      await bench.begin('mine');
      const options = { now: bench.now, limit: 2, graceMs: GRACE_MS };
      const steps: boolean[] = [];
      do steps.push(await bench.store.releaseOrphans(options));
      while (steps.at(-1) === true && steps.length < 10);
      assert.deepEqual(steps, [true, true, false]);
      bench.advance(GRACE_MS.orchestration);
      assert.equal((await bench.take()).length, 5);
    });
  });

  describe('row ids', () => {
    it('are not used again after their instance is gone, nor by the next owner', async () => {
      const bench = use();
      const rows = new Set<string>();
      for (let round = 0; round < 6; round += 1) {
        const item = await bench.begin('a');
        const row = item.token.split(':')[0] ?? '';
        assert.equal(rows.has(row), false);
        rows.add(row);
        await bench.apply(turn(item, [complete()]));
        if (round % 2 === 1) await bench.reopen();
      }
    });
  });
}
