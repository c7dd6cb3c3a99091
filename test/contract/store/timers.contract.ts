import assert from 'node:assert/strict';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { action, complete, continueAsNew, createTimer } from '../../support/actions.ts';
import { newEventsOf, orchestrations, raise, turn, type UseBench } from './bench.ts';
import type { ClaimedOrchestration } from '../../../src/storage/store.ts';
import { encodeEvent } from '../../../src/wire/events.ts';

function firedIds(item: ClaimedOrchestration): number[] {
  return newEventsOf(item).flatMap(({ eventType }) =>
    eventType.case === 'timerFired' ? [eventType.value.timerId] : [],
  );
}

export function timersContract(use: UseBench): void {
  describe('a durable timer', () => {
    it('fires at its time, not before, and once', async () => {
      const bench = use();
      const fireAt = bench.now + 1000;
      await bench.apply(turn(await bench.begin('a'), [createTimer(4, fireAt)]));
      assert.equal(bench.last?.wakeAt, fireAt);
      bench.advance(999);
      await bench.takeNothing();
      bench.advance(1);
      const item = await bench.takeTurn();
      assert.deepEqual(firedIds(item), [4]);
      const { eventType } = newEventsOf(item)[1]!;
      assert.deepEqual(
        eventType.case === 'timerFired' && eventType.value.fireAt,
        timestampFromMs(fireAt),
      );
      await bench.apply(turn(item));
      bench.advance(100_000);
      await bench.takeNothing();
    });

    it('is not kept for an instance that is ended in the same round', async () => {
      const bench = use();
      const event = encodeEvent({ eventType: { case: 'executionTerminated', value: {} } });
      const asked = turn(await bench.begin('a'), [createTimer(1, bench.now + 1000)]);
      await bench.exchange([asked, { kind: 'end', hub: 'default', instanceId: 'a', event }]);
      await bench.reopen();
      await bench.exchange([]);
      assert.equal(bench.last?.wakeAt, undefined);
    });

    it('with a fraction of a millisecond fires after it, and the clock shows so', async () => {
      const bench = use();
      const fireAt = { ...timestampFromMs(bench.now + 10), nanos: 10_400_000 };
      const timer = action(1, { case: 'createTimer', value: { fireAt } });
      await bench.apply(turn(await bench.begin('a'), [timer]));
      bench.advance(10);
      await bench.takeNothing();
      bench.advance(1);
      const item = await bench.takeTurn();
      assert.deepEqual(firedIds(item), [1]);
    });

    it('never shows a turn a clock that is before its time, even if the clock went back', async () => {
      const bench = use();
      const fireAt = { ...timestampFromMs(bench.now + 10), nanos: 10_400_000 };
      const timer = action(1, { case: 'createTimer', value: { fireAt } });
      await bench.apply(turn(await bench.begin('a'), [timer]));
      await bench.apply(raise('a', 'x'));
      const busy = await bench.takeTurn();
      bench.advance(11);
      await bench.exchange([]);
      bench.advance(-11);
      await bench.apply(turn(busy));
      const item = await bench.takeTurn();
      const [clock] = newEventsOf(item);
      assert.ok((clock?.timestamp?.nanos ?? 0) >= 10_400_000);
    });

    it('in the past fires at once', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [createTimer(1, bench.now - 1)]));
      assert.deepEqual(firedIds(await bench.takeTurn()), [1]);
    });

    it('is kept while its instance is busy', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [createTimer(1, bench.now + 10)]));
      await bench.apply(raise('a', 'x'));
      const busy = await bench.takeTurn();
      bench.advance(10);
      await bench.takeNothing();
      await bench.apply(turn(busy));
      assert.deepEqual(firedIds(await bench.takeTurn()), [1]);
    });

    it('fires after its owner died and the store was opened again', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [createTimer(1, bench.now + 10)]));
      await bench.reopen();
      await bench.takeNothing();
      assert.equal(bench.last?.wakeAt, bench.now + 10);
      bench.advance(10);
      assert.deepEqual(firedIds(await bench.takeTurn()), [1]);
    });

    it('goes with its instance', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [createTimer(1, bench.now + 10)]));
      await bench.apply(raise('a', 'x'));
      await bench.apply(turn(await bench.takeTurn(), [complete()]));
      bench.advance(10);
      await bench.takeNothing();
    });

    it('goes with its generation', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [createTimer(1, bench.now + 10)]));
      await bench.apply(raise('a', 'x'));
      await bench.apply(turn(await bench.takeTurn(), [continueAsNew()]));
      await bench.apply(turn(await bench.takeTurn()));
      bench.advance(10);
      await bench.takeNothing();
    });

    it('does not fire into the instance that took over its id', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [createTimer(1, bench.now + 10)]));
      await bench.apply(raise('a', 'x'));
      await bench.apply(turn(await bench.takeTurn(), [complete()]));
      await bench.apply(turn(await bench.begin('a')));
      bench.advance(10);
      await bench.takeNothing();
    });

    it('fires with all others that are due, in order, over as many rounds as it takes', async () => {
      const bench = use();
      const timers = Array.from({ length: 1200 }, (_, n) =>
        createTimer(n, bench.now + 1 + (n % 7)),
      );
      await bench.apply(turn(await bench.begin('a'), timers));
      bench.advance(10);
      const fired: number[] = [];
      for (let round = 0; round < 20 && fired.length < 1200; round += 1) {
        const { claimed } = await bench.exchange([], bench.takers());
        for (const item of orchestrations(claimed)) {
          fired.push(...firedIds(item));
          await bench.apply(turn(item));
        }
      }
      assert.equal(new Set(fired).size, 1200);
      const dues = fired.map((n) => n % 7);
      assert.deepEqual(
        dues,
        [...dues].sort((a, b) => a - b),
      );
    });
  });
}
