import assert from 'node:assert/strict';
import { OrchestrationStatus } from '../../../src/proto/orchestrator_service_pb.ts';
import { complete, sendEvent, terminateOther } from '../../support/actions.ts';
import {
  caseOf,
  casesOf,
  deliver,
  newEventsOf,
  raise,
  refusal,
  terminate,
  turn,
  type UseBench,
} from './bench.ts';
import type { ClaimedOrchestration } from '../../../src/storage/store.ts';

function raisedNames(item: ClaimedOrchestration): string[] {
  return newEventsOf(item).flatMap(({ eventType }) =>
    eventType.case === 'eventRaised' ? [eventType.value.name] : [],
  );
}

export function inboxContract(use: UseBench): void {
  describe('delivering events', () => {
    it('keeps the order of acceptance, within a round and across rounds', async () => {
      const bench = use();
      await bench.exchange([bench.start('a'), raise('a', '1'), raise('a', '2')]);
      await bench.apply(raise('a', '3'));
      const item = await bench.takeTurn();
      assert.deepEqual(casesOf(item).fresh.slice(0, 2), [
        'orchestratorStarted',
        'executionStarted',
      ]);
      assert.deepEqual(raisedNames(item), ['1', '2', '3']);
    });

    it('stamps each event with the time at which it was accepted', async () => {
      const bench = use();
      await bench.apply(bench.start('a'));
      bench.advance(5);
      await bench.apply(raise('a', '1'));
      bench.advance(5);
      const seconds = newEventsOf(await bench.takeTurn()).map(({ timestamp }) => timestamp?.nanos);
      assert.deepEqual(seconds, [10_000_000, 0, 5_000_000]);
    });

    it('says that an instance which does not exist was not found', async () => {
      assert.equal(refusal(await use().commit(raise('nobody', 'x'))), 'INSTANCE_NOT_FOUND');
    });

    it('drops events for an ended instance without complaint', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [complete()]));
      await bench.apply(raise('a', 'late'));
      await bench.apply(terminate('a'));
      await bench.takeNothing();
      assert.equal((await bench.get('a')).status, OrchestrationStatus.COMPLETED);
    });

    it('holds events that arrive during a turn for the next one', async () => {
      const bench = use();
      const item = await bench.begin('a');
      await bench.apply(raise('a', 'during'));
      await bench.takeNothing();
      await bench.apply(turn(item));
      assert.deepEqual(raisedNames(await bench.takeTurn()), ['during']);
    });

    it('hands everything that waits for an instance out in one turn', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a')));
      await bench.exchange(Array.from({ length: 300 }, (_, n) => raise('a', String(n))));
      const item = await bench.takeTurn();
      assert.deepEqual(
        raisedNames(item),
        Array.from({ length: 300 }, (_, n) => String(n)),
      );
    });

    it('cuts a turn at 3 MiB of new events and hands the rest out next', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a')));
      const input = JSON.stringify('x'.repeat(1024 * 1024 - 100));
      await bench.exchange(Array.from({ length: 5 }, (_, n) => raise('a', String(n), input)));
      const first = await bench.takeTurn();
      assert.deepEqual(raisedNames(first), ['0', '1', '2']);
      const { claimed } = await bench.exchange([turn(first)], bench.takers());
      assert.deepEqual(
        claimed.flatMap((item) => (item.kind === 'orchestration' ? raisedNames(item) : [])),
        ['3', '4'],
      );
    });

    it('cuts a turn that is leased in the round of its events as well', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a')));
      const input = JSON.stringify('x'.repeat(1024 * 1024 - 100));
      const { claimed } = await bench.exchange(
        Array.from({ length: 5 }, (_, n) => raise('a', String(n), input)),
        bench.takers(),
      );
      const [first] = claimed;
      assert.ok(first?.kind === 'orchestration');
      assert.deepEqual(raisedNames(first), ['0', '1', '2']);
      await bench.apply(turn(first));
      assert.deepEqual(raisedNames(await bench.takeTurn()), ['3', '4']);
    });

    it('hands out a single event that is larger than the cut', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a')));
      await bench.apply(raise('a', 'huge', JSON.stringify('x'.repeat(4 * 1024 * 1024))));
      assert.deepEqual(raisedNames(await bench.takeTurn()), ['huge']);
    });

    it('returns what the worker did not process to the head of the inbox', async () => {
      const bench = use();
      await bench.exchange([bench.start('a'), raise('a', '1'), raise('a', '2')]);
      const item = await bench.takeTurn();
      await bench.apply(raise('a', '3'));
      await bench.apply(turn(item, [], { eventsProcessed: 3 }));
      const next = await bench.takeTurn();
      assert.deepEqual(raisedNames(next), ['2', '3']);
      assert.deepEqual(casesOf(next).past, [
        'orchestratorStarted',
        'executionStarted',
        'eventRaised',
      ]);
    });
  });

  describe('messages of a turn', () => {
    it('reach another instance in the same round', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('b')));
      const item = await bench.begin('a');
      const { claimed } = await bench.exchange(
        [turn(item, [sendEvent(1, 'b', 'hi', '"x"'), complete()])],
        bench.takers(),
      );
      const [target] = claimed;
      assert.ok(target?.kind === 'orchestration');
      assert.equal(target.instanceId, 'b');
      assert.deepEqual(raisedNames(target), ['hi']);
    });

    it('reach the sender itself on its next turn', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [sendEvent(1, 'a', 'self')]));
      assert.deepEqual(raisedNames(await bench.takeTurn()), ['self']);
    });

    it('to missing and ended instances are dropped', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('b'), [complete()]));
      await bench.apply(
        turn(await bench.begin('a'), [sendEvent(1, 'b', 'x'), sendEvent(2, 'nobody', 'x')]),
      );
      await bench.takeNothing();
    });

    it('terminate other instances', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('b')));
      await bench.apply(turn(await bench.begin('a'), [terminateOther(1, 'b')]));
      assert.deepEqual(newEventsOf(await bench.takeTurn()).map(caseOf), [
        'orchestratorStarted',
        'executionTerminated',
      ]);
    });
  });

  describe('suspend and resume', () => {
    it('show as SUSPENDED and RUNNING once their turns are committed', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a')));
      await bench.apply(deliver('a', { case: 'executionSuspended', value: {} }));
      const paused = await bench.takeTurn();
      assert.equal((await bench.get('a')).status, OrchestrationStatus.RUNNING);
      await bench.apply(turn(paused));
      assert.equal((await bench.get('a')).status, OrchestrationStatus.SUSPENDED);
      await bench.apply(deliver('a', { case: 'executionResumed', value: {} }));
      await bench.apply(turn(await bench.takeTurn()));
      assert.equal((await bench.get('a')).status, OrchestrationStatus.RUNNING);
    });

    it('stay SUSPENDED through turns that bring other events', async () => {
      const bench = use();
      await bench.exchange([
        bench.start('a'),
        deliver('a', { case: 'executionSuspended', value: {} }),
      ]);
      await bench.apply(turn(await bench.takeTurn()));
      await bench.apply(raise('a', 'x'));
      await bench.apply(turn(await bench.takeTurn()));
      assert.equal((await bench.get('a')).status, OrchestrationStatus.SUSPENDED);
    });
  });

  describe('terminate', () => {
    it('ends an instance that no worker has been handed at once', async () => {
      const bench = use();
      await bench.apply(bench.start('a', { input: '"in"' }));
      await bench.apply(terminate('a', '"stop"'));
      await bench.takeNothing();
      const { status, output, input, completedAt } = await bench.get('a');
      assert.deepEqual(
        { status, output, input, completedAt },
        {
          status: OrchestrationStatus.TERMINATED,
          output: '"stop"',
          input: '"in"',
          completedAt: bench.now,
        },
      );
      assert.deepEqual((await bench.history('a')).map(caseOf), [
        'executionStarted',
        'executionTerminated',
        'executionCompleted',
      ]);
    });

    it('ends an untouched instance in the round of its start', async () => {
      const bench = use();
      const { claimed } = await bench.exchange(
        [bench.start('a'), terminate('a', '"stop"')],
        bench.takers(),
      );
      assert.deepEqual(claimed, []);
      const { status, output } = await bench.get('a');
      assert.deepEqual([status, output], [OrchestrationStatus.TERMINATED, '"stop"']);
    });

    it('ends a scheduled instance before its time', async () => {
      const bench = use();
      await bench.apply(bench.start('a', { scheduledAt: bench.now + 1000 }));
      await bench.apply(terminate('a'));
      bench.advance(1000);
      await bench.takeNothing();
      assert.equal((await bench.get('a')).status, OrchestrationStatus.TERMINATED);
    });

    it('ends an instance whose first turn was abandoned', async () => {
      const bench = use();
      const item = await bench.begin('a');
      await bench.apply({
        kind: 'abandon',
        hub: item.hub,
        work: 'orchestration',
        token: item.token,
      });
      await bench.apply(terminate('a'));
      assert.equal((await bench.get('a')).status, OrchestrationStatus.TERMINATED);
      assert.equal(refusal(await bench.commit(turn(item))), 'LEASE_LOST');
    });

    it('is an event to an instance that has been handed out', async () => {
      const bench = use();
      const item = await bench.begin('a');
      await bench.apply(terminate('a', '"stop"'));
      assert.equal((await bench.get('a')).status, OrchestrationStatus.PENDING);
      await bench.apply(turn(item));
      assert.deepEqual(casesOf(await bench.takeTurn()).fresh, [
        'orchestratorStarted',
        'executionTerminated',
      ]);
    });
  });
}
