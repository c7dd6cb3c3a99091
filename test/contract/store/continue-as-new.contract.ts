import assert from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import {
  HistoryEventSchema,
  OrchestrationStatus,
} from '../../../src/proto/orchestrator_service_pb.ts';
import type { HistoryEvent } from '../../../src/proto/orchestrator_service_pb.ts';
import type { ClaimedOrchestration } from '../../../src/storage/store.ts';
import {
  complete,
  completeWith,
  continueAsNew,
  createTimer,
  scheduleTask,
  sendEvent,
} from '../../support/actions.ts';
import {
  activityDone,
  caseOf,
  casesOf,
  newEventsOf,
  raise,
  refusal,
  turn,
  type UseBench,
} from './bench.ts';

function raised(name: string): HistoryEvent {
  return create(HistoryEventSchema, {
    eventId: -1,
    eventType: { case: 'eventRaised', value: { name } },
  });
}

function namesOf(item: ClaimedOrchestration): string[] {
  return newEventsOf(item).map((event) =>
    event.eventType.case === 'eventRaised' ? event.eventType.value.name : caseOf(event),
  );
}

const HEAD = ['orchestratorStarted', 'executionStarted'];

export function continueAsNewContract(use: UseBench): void {
  describe('continue-as-new', () => {
    it('begins a generation without history, with the same name, tags and creation time', async () => {
      const bench = use();
      const created = bench.now;
      const options = { name: 'Loop', version: '1', tags: { k: 'v' }, input: '1' };
      const first = await bench.begin('a', options);
      bench.advance(1000);
      await bench.apply(turn(first, [continueAsNew('2')]));
      const second = await bench.takeTurn();
      assert.deepEqual(casesOf(second), { past: [], fresh: HEAD });
      assert.notEqual(second.executionId, first.executionId);
      const { eventType } = newEventsOf(second)[1]!;
      assert.ok(eventType.case === 'executionStarted');
      const { name, version, tags, input, orchestrationInstance } = eventType.value;
      assert.deepEqual({ name, version, tags, input }, { ...options, input: '2' });
      assert.equal(orchestrationInstance?.executionId, second.executionId);
      const record = await bench.get('a');
      assert.equal(record.status, OrchestrationStatus.RUNNING);
      assert.equal(record.executionId, second.executionId);
      assert.deepEqual([record.createdAt, record.input], [created, '2']);
      await bench.apply(turn(second, [complete('"end"')]));
      assert.deepEqual((await bench.get('a')).output, '"end"');
    });

    it('takes the new version where one is given', async () => {
      const bench = use();
      const again = completeWith(OrchestrationStatus.CONTINUED_AS_NEW, { newVersion: '2' });
      await bench.apply(turn(await bench.begin('a', { version: '1' }), [again]));
      await bench.takeNothing({ filters: [{ name: 'Orchestrator', versions: ['1'] }] });
      await bench.takeTurn({ filters: [{ name: 'Orchestrator', versions: ['2'] }] });
      assert.equal((await bench.get('a')).version, '2');
    });

    it('brings carried-over events, then what waited, then what comes later', async () => {
      const bench = use();
      const item = await bench.begin('a');
      await bench.apply(raise('a', 'waiting-1'));
      await bench.apply(raise('a', 'waiting-2'));
      await bench.exchange([
        turn(item, [continueAsNew('2', [raised('carried-1'), raised('carried-2')])]),
        raise('a', 'same-round'),
      ]);
      await bench.apply(raise('a', 'late'));
      assert.deepEqual(namesOf(await bench.takeTurn()), [
        ...HEAD,
        'carried-1',
        'carried-2',
        'waiting-1',
        'waiting-2',
        'same-round',
        'late',
      ]);
    });

    it('keeps what the worker left unprocessed, between the carried-over and the later', async () => {
      const bench = use();
      await bench.exchange([bench.start('a'), raise('a', '1'), raise('a', '2'), raise('a', '3')]);
      const item = await bench.takeTurn();
      await bench.apply(raise('a', '4'));
      await bench.apply(turn(item, [continueAsNew('x', [raised('c')])], { eventsProcessed: 3 }));
      const next = await bench.takeTurn();
      assert.deepEqual(namesOf(next), [...HEAD, 'c', '2', '3', '4']);
      await bench.apply(raise('a', '5'));
      await bench.apply(turn(next, [], { eventsProcessed: 4 }));
      const rest = await bench.takeTurn();
      assert.deepEqual(namesOf(rest), ['orchestratorStarted', '3', '4', '5']);
      assert.deepEqual(casesOf(rest).past, [...HEAD, 'eventRaised', 'eventRaised']);
    });

    it('stamps carried-over events, and every event of a worker has a time', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [continueAsNew('2', [raised('c')])]));
      for (const { timestamp } of newEventsOf(await bench.takeTurn())) assert.ok(timestamp);
    });

    it('drops answers to the old generation: those that wait and those that come', async () => {
      const bench = use();
      const tasks = [scheduleTask(1), scheduleTask(2), createTimer(3, bench.now)];
      await bench.apply(turn(await bench.begin('a'), tasks));
      const [early, late] = await bench.take({ orchestrations: 0 });
      await bench.exchange([]);
      const item = await bench.takeTurn();
      await bench.exchange([activityDone({ hub: 'default', token: early!.token }, '1')]);
      await bench.apply(raise('a', 'kept'));
      await bench.apply(turn(item, [continueAsNew()]));
      const late2 = await bench.commit(activityDone({ hub: 'default', token: late!.token }, '2'));
      assert.equal(refusal(late2), 'OK');
      const next = await bench.takeTurn();
      assert.deepEqual(namesOf(next), [...HEAD, 'kept']);
      await bench.apply(turn(next));
      await bench.takeNothing();
    });

    it('with nothing but dropped answers waiting leaves the instance idle after its turn', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1)]));
      const activity = await bench.takeActivity();
      await bench.apply(raise('a', 'x'));
      const item = await bench.takeTurn();
      await bench.apply(activityDone(activity, '1'));
      await bench.apply(turn(item, [continueAsNew()]));
      const next = await bench.takeTurn();
      assert.deepEqual(namesOf(next), HEAD);
      await bench.apply(turn(next));
      await bench.takeNothing();
      await bench.apply(raise('a', 'y'));
      assert.deepEqual(namesOf(await bench.takeTurn()), ['orchestratorStarted', 'y']);
    });

    it('delivers what the turn sent to itself to the new generation', async () => {
      const bench = use();
      const actions = [sendEvent(1, 'a', 'self'), continueAsNew()];
      await bench.apply(turn(await bench.begin('a'), actions));
      assert.deepEqual(namesOf(await bench.takeTurn()), [...HEAD, 'self']);
    });

    it('runs activities of its last turn, whose results nobody gets', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [scheduleTask(1), continueAsNew()]));
      await bench.apply(activityDone(await bench.takeActivity(), '1'));
      const next = await bench.takeTurn();
      assert.deepEqual(namesOf(next), HEAD);
    });

    it('keeps nothing of the old generation in the history', async () => {
      const bench = use();
      let item = await bench.begin('a');
      for (let generation = 0; generation < 5; generation += 1) {
        await bench.apply(turn(item, [scheduleTask(1)]));
        await bench.apply(raise('a', 'next'));
        item = await bench.takeTurn();
        await bench.apply(turn(item, [continueAsNew(String(generation))]));
        item = await bench.takeTurn();
      }
      await bench.apply(turn(item));
      assert.deepEqual((await bench.history('a')).map(caseOf), HEAD);
      assert.equal((await bench.get('a')).input, '4');
    });

    it('is leased in the round of the commit, again and again', async () => {
      const bench = use();
      let item = await bench.begin('a');
      for (let generation = 0; generation < 20; generation += 1) {
        const { claimed } = await bench.exchange([turn(item, [continueAsNew()])], bench.takers());
        const [next] = claimed;
        assert.ok(next?.kind === 'orchestration');
        assert.deepEqual(casesOf(next), { past: [], fresh: HEAD });
        item = next;
      }
    });

    it('shows the last custom status until the next response', async () => {
      const bench = use();
      const item = await bench.begin('a');
      await bench.apply(turn(item, [], { customStatus: '"one"' }));
      await bench.apply(raise('a', 'x'));
      await bench.apply(turn(await bench.takeTurn(), [continueAsNew()]));
      assert.equal((await bench.get('a')).customStatus, '"one"');
      await bench.apply(turn(await bench.takeTurn()));
      assert.equal((await bench.get('a')).customStatus, undefined);
    });
  });
}
