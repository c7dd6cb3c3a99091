import assert from 'node:assert/strict';
import type { Clock } from '../../src/base/clock.ts';
import { nextLoop } from '../../src/base/yield.ts';
import type { TypedData } from '../../src/devhost/core-types.ts';
import { parseSchedule } from '../../src/devhost/timer-schedule.ts';
import { runTimer } from '../../src/devhost/timers.ts';

const at = (text: string): number => Date.parse(text);

describe('timer schedule', () => {
  const next = (schedule: string, from: string, env = {}): string | undefined => {
    const nextAt = parseSchedule(schedule, env).nextAfter(at(from));
    return nextAt === undefined ? undefined : new Date(nextAt).toISOString();
  };

  it('has six fields from second to day of the week, in UTC', () => {
    assert.equal(next('*/5 * * * * *', '2026-01-01T00:00:05Z'), '2026-01-01T00:00:10.000Z');
    assert.equal(next('0 30 9 * * 1-5', '2026-01-02T10:00:00Z'), '2026-01-05T09:30:00.000Z');
  });

  it('may have five fields, from the minute on', () => {
    assert.equal(next('30 9 * * *', '2026-01-02T10:00:00Z'), '2026-01-03T09:30:00.000Z');
  });

  it('wants day of month and day of week both to match', () => {
    // The next Friday that is a 13th, not the next Friday.
    assert.equal(next('0 0 0 13 * 5', '2026-01-01T00:00:00Z'), '2026-02-13T00:00:00.000Z');
  });

  it('is in the zone that WEBSITE_TIME_ZONE names', () => {
    const env = { WEBSITE_TIME_ZONE: 'Asia/Tokyo' };
    assert.equal(next('0 0 9 * * *', '2026-01-01T00:00:00Z', env), '2026-01-02T00:00:00.000Z');
  });

  it('may be a time span', () => {
    assert.equal(next('00:00:30', '2026-01-01T00:00:00Z'), '2026-01-01T00:00:30.000Z');
    assert.equal(next('1.02:00:00', '2026-01-01T00:00:00Z'), '2026-01-02T02:00:00.000Z');
  });

  it('may be an app setting', () => {
    const env = { WHEN: '0 0 0 * * *' };
    assert.equal(next('%WHEN%', '2026-01-01T10:00:00Z', env), '2026-01-02T00:00:00.000Z');
  });

  it('is refused with the text of the host when it is neither', () => {
    for (const text of ['', 'soon', '* * *', '99 * * * * *', '00:00:00']) {
      assert.throws(() => parseSchedule(text, {}), {
        message: `The schedule expression '${text}' was not recognized as a valid cron expression or timespan string.`,
      });
    }
    assert.throws(() => parseSchedule('%WHEN%', {}), /'%WHEN%' does not resolve to a value/);
  });
});

describe('timer', () => {
  it('fires at each time of its schedule and says when it fires next', async () => {
    const { clock, fired } = start('*/10 * * * * *', '2026-01-01T00:00:03Z');
    await clock.goTo('2026-01-01T00:00:09.999Z');
    assert.deepEqual(fired, []);

    await clock.goTo('2026-01-01T00:00:10Z');
    await clock.goTo('2026-01-01T00:00:20Z');
    assert.deepEqual(fired, [
      timer({ last: undefined, next: '2026-01-01T00:00:20.000Z' }),
      timer({ last: '2026-01-01T00:00:10.000Z', next: '2026-01-01T00:00:30.000Z' }),
    ]);
  });

  it('says that it is past due when the machine slept over its time', async () => {
    const { clock, fired } = start('*/10 * * * * *', '2026-01-01T00:00:03Z');
    await clock.goTo('2026-01-01T00:00:15Z');
    assert.deepEqual(fired, [
      { ...timer({ last: undefined, next: '2026-01-01T00:00:20.000Z' }), IsPastDue: true },
    ]);
  });

  it('fires when it starts if it is told to', async () => {
    const { fired } = start('0 0 0 * * *', '2026-01-01T10:00:00Z', { runOnStartup: true });
    await nextLoop();
    assert.deepEqual(fired, [timer({ last: undefined, next: '2026-01-02T00:00:00.000Z' })]);
  });

  it('ends when it is told to', async () => {
    const { ended, stop } = start('0 0 0 * * *', '2026-01-01T10:00:00Z');
    await nextLoop();
    stop();
    await ended;
  });
});

interface TimerInput {
  readonly last: string | undefined;
  readonly next: string;
}

function timer({ last, next }: TimerInput): Record<string, unknown> {
  const lastText = last ?? '0001-01-01T00:00:00';
  return {
    Schedule: { AdjustForDST: true },
    ScheduleStatus: { Last: lastText, Next: next, LastUpdated: lastText },
    IsPastDue: false,
  };
}

function start(expression: string, from: string, options = { runOnStartup: false }) {
  const schedule = parseSchedule(expression, {});
  const trigger = { kind: 'timer', name: 't', binding: {}, schedule, ...options } as const;
  const fired: unknown[] = [];
  const fire = async (input: TypedData): Promise<void> => {
    fired.push(JSON.parse(input.json ?? ''));
  };
  const clock = new HandClock(at(from));
  const stop = new AbortController();
  const ended = runTimer({ clock, fire }, { trigger, signal: stop.signal });
  return { clock, fired, ended, stop: () => stop.abort() };
}

/** Stands still until it is moved. */
class HandClock implements Clock {
  #now: number;
  #sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  sleepUntil(atMs: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const wake = (): void => resolve(undefined);
    if (atMs <= this.#now) wake();
    this.#sleepers.push({ atMs, wake });
    signal.addEventListener('abort', () => reject(signal.reason as Error));
    return promise;
  }

  async goTo(text: string): Promise<void> {
    await nextLoop();
    this.#now = at(text);
    const due = this.#sleepers.filter(({ atMs }) => atMs <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ atMs }) => atMs > this.#now);
    for (const { wake } of due) wake();
    await nextLoop();
  }
}
