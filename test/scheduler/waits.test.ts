import assert from 'node:assert/strict';
import { OrchestrationStatus } from '../../src/proto/orchestrator_service_pb.ts';
import { isReached, Waits } from '../../src/scheduler/waits.ts';
import type { StatusChange } from '../../src/storage/store.ts';
import { eventually, settle } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { FakeStore } from './fake-store.ts';

const { COMPLETED, FAILED, PENDING, RUNNING, SUSPENDED, TERMINATED, CANCELED } =
  OrchestrationStatus;

function change(instanceId: string, status: OrchestrationStatus, hub = 'h'): StatusChange {
  return { hub, instanceId, status };
}

describe('isReached', () => {
  it('takes any state but PENDING for started, and the final ones for completed', () => {
    for (const status of [PENDING, RUNNING, SUSPENDED, COMPLETED, FAILED, TERMINATED, CANCELED]) {
      assert.equal(isReached(status, 'started'), status !== PENDING);
      const isFinal = ![PENDING, RUNNING, SUSPENDED].some((live) => live === status);
      assert.equal(isReached(status, 'completed'), isFinal);
    }
  });
});

describe('waits', () => {
  const never = new AbortController().signal;

  function openWaits() {
    const store = new FakeStore();
    return { store, waits: new Waits(store.asStore()) };
  }

  it('resolve at once when the state is there already', async () => {
    const { store, waits } = openWaits();
    store.known.set('a', COMPLETED);
    await waits.wait('h', 'a', { until: 'completed', signal: never });
    assert.equal(waits.size, 0);
  });

  it('resolve on a hint', async () => {
    const { waits } = openWaits();
    const waiting = waits.wait('h', 'a', { until: 'completed', signal: never });
    await settle();
    waits.notice([change('a', COMPLETED)]);
    await waiting;
    assert.equal(waits.size, 0);
  });

  it('take no notice of other instances, other hubs and states that are not reached', async () => {
    const { waits } = openWaits();
    const waiting = waits.wait('h', 'a', { until: 'completed', signal: never });
    await settle();
    waits.notice([change('b', COMPLETED), change('a', COMPLETED, 'other'), change('a', RUNNING)]);
    await settle();
    assert.equal(waits.size, 1);
    waits.notice([change('a', TERMINATED)]);
    await waiting;
  });

  it('all resolve when several wait for the same instance, each for its own state', async () => {
    const { waits } = openWaits();
    const started = waits.wait('h', 'a', { until: 'started', signal: never });
    const completed = [1, 2].map(() => waits.wait('h', 'a', { until: 'completed', signal: never }));
    await settle();
    waits.notice([change('a', RUNNING)]);
    await started;
    assert.equal(waits.size, 2);
    waits.notice([change('a', FAILED)]);
    await Promise.all(completed);
  });

  it('do not miss a change that comes while they look', async () => {
    const { waits } = openWaits();
    const waiting = waits.wait('h', 'a', { until: 'completed', signal: never });
    waits.notice([change('a', COMPLETED)]);
    await waiting;
  });

  it('find out by themselves without any hint', async () => {
    const { store, waits } = openWaits();
    const clock = new ManualClock();
    const stop = new AbortController();
    const errors: unknown[] = [];
    const running = waits.run({
      clock,
      pollMs: 1000,
      signal: stop.signal,
      onError: (error) => errors.push(error),
    });
    const waiting = waits.wait('h', 'a', { until: 'completed', signal: never });
    await settle();
    clock.advance(1000);
    await settle();
    assert.equal(waits.size, 1);
    store.known.set('a', COMPLETED);
    await eventually(() => clock.sleepers.length === 1, 'the next look is due');
    clock.advance(1000);
    await waiting;
    stop.abort(new Error('stop'));
    await running;
    assert.deepEqual(errors, []);
  });

  it('go on looking after the store failed once', async () => {
    const { store, waits } = openWaits();
    const clock = new ManualClock();
    const stop = new AbortController();
    const errors: unknown[] = [];
    const waiting = waits.wait('h', 'a', { until: 'completed', signal: never });
    await settle();
    store.statusFailure = new Error('gone');
    const onError = (error: unknown): void => void errors.push(error);
    const running = waits.run({ clock, pollMs: 10, signal: stop.signal, onError });
    clock.advance(10);
    await eventually(() => errors.length === 1, 'the failure is reported');
    store.statusFailure = undefined;
    store.known.set('a', COMPLETED);
    await eventually(() => clock.sleepers.length === 1, 'the next look is due');
    clock.advance(10);
    await waiting;
    stop.abort(new Error('stop'));
    await running;
  });

  it('look in batches of a bounded size', async () => {
    const { store, waits } = openWaits();
    const stop = new AbortController();
    const all = Array.from({ length: 450 }, (_, n) =>
      waits.wait('h', String(n), { until: 'started', signal: stop.signal }),
    );
    const results = Promise.allSettled(all);
    await settle();
    store.asked.length = 0;
    await waits.tick();
    assert.deepEqual(
      store.asked.map(({ length }) => length),
      [200, 200, 50],
    );
    stop.abort(new Error('stop'));
    await results;
  });

  it('reject with the reason when their client goes away, and leave nothing behind', async () => {
    const { waits } = openWaits();
    const gone = new AbortController();
    const waiting = waits.wait('h', 'a', { until: 'completed', signal: gone.signal });
    await settle();
    gone.abort(new Error('gone'));
    await assert.rejects(waiting, { message: 'gone' });
    assert.equal(waits.size, 0);
    const late = waits.wait('h', 'a', { until: 'completed', signal: gone.signal });
    await assert.rejects(late, { message: 'gone' });
  });
});
