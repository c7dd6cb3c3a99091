import assert from 'node:assert/strict';
import type { TaskHubError } from '../../src/core/errors.ts';
import { HubRates } from '../../src/scheduler/hub-rates.ts';
import type { Commit } from '../../src/storage/store.ts';
import { EVENT_NUMBER } from '../../src/wire/events.ts';
import { ManualClock } from '../support/manual-clock.ts';

function deliver(hub: string, type: number): Commit {
  return { kind: 'deliver', hub, instanceId: 'x', event: { type, bytes: new Uint8Array() } };
}

const raise = (hub: string): Commit => deliver(hub, EVENT_NUMBER.eventRaised);

/** How many of so many requests are taken. */
function taken(rates: HubRates, commit: Commit, count = 100): number {
  return Array.from({ length: count }, () => rates.refusal(commit)).filter((error) => !error)
    .length;
}

describe('the rate of a task hub', () => {
  it("allows a second's worth at once and then as many as it says", () => {
    const clock = new ManualClock();
    const rates = new HubRates(clock, { loud: 20 });
    assert.equal(taken(rates, raise('loud')), 20);
    clock.advance(250);
    assert.equal(taken(rates, raise('loud')), 5);
    clock.advance(3_600_000);
    assert.equal(taken(rates, raise('loud')), 20);
  });

  it('is told with the refusal, and how to change it', () => {
    const rates = new HubRates(new ManualClock(), { loud: 1 });
    assert.equal(taken(rates, raise('loud'), 1), 1);
    const { code, message } = rates.refusal(raise('loud')) as TaskHubError;
    assert.equal(code, 'RESOURCE_EXHAUSTED');
    assert.match(
      message,
      /^task hub 'loud' may start, signal and raise events 1 times a second .*--hub-rate-limits$/,
    );
  });

  it('is nothing to other hubs, unless there is one for them too', () => {
    const clock = new ManualClock();
    assert.equal(taken(new HubRates(clock, { loud: 1 }), raise('quiet')), 100);
    const rates = new HubRates(clock, { loud: 50, '*': 10 });
    assert.equal(taken(rates, raise('a')), 10);
    assert.equal(taken(rates, raise('b')), 10);
    assert.equal(taken(rates, raise('loud')), 50);
  });

  it('refuses unread what would be refused anyway, and takes nothing for that', () => {
    const clock = new ManualClock();
    const rates = new HubRates(clock, { loud: 20 });
    const entered = (): number =>
      Array.from({ length: 50 }, () => rates.enter('loud')).filter((text) => text === undefined)
        .length;
    assert.equal(entered(), 20);
    assert.match(rates.enter('loud') ?? '', /^task hub 'loud' may .* 20 times a second/);
    assert.equal(taken(rates, raise('loud')), 20, 'those let in are taken');
    clock.advance(250);
    assert.equal(entered(), 5);
    // Calls that broke off on their way are forgotten.
    clock.advance(100);
    assert.equal(entered(), 7);
    assert.equal(rates.enter('quiet'), undefined);
  });

  it('does not count what ends work', () => {
    const rates = new HubRates(new ManualClock(), { loud: 1 });
    const over: Commit[] = [
      deliver('loud', EVENT_NUMBER.executionTerminated),
      { kind: 'activity', hub: 'loud', token: 't', result: undefined, failureDetails: undefined },
      { kind: 'purge', hub: 'loud', instanceId: 'x', onLive: 'skip' },
    ];
    for (const commit of over) assert.equal(taken(rates, commit), 100);
  });
});
