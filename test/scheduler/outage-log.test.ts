import assert from 'node:assert/strict';
import { OutageLog } from '../../src/scheduler/outage-log.ts';
import { createStreamLogger } from '../../src/telemetry/logger.ts';

describe('the log of an outage', () => {
  let lines: string[];
  let outages: OutageLog;
  beforeEach(() => {
    lines = [];
    const write = (line: string): number => lines.push(line.trim().replace(/^\S+ (\w+) +/, '$1: '));
    outages = new OutageLog(
      createStreamLogger({ level: 'info', format: 'text', write, now: () => 0 }),
    );
  });

  it('tells the first failure at once, and those that follow every ten seconds', () => {
    for (let now = 0; now <= 25_000; now += 200) outages.failed(new Error('full'), now);
    assert.deepEqual(lines, [
      'error: a round failed eventId=2002 error=Error: full',
      'error: a round failed eventId=2002 error=Error: full count=51 durationMs=10000',
      'error: a round failed eventId=2002 error=Error: full count=101 durationMs=20000',
    ]);
  });

  it('tells once that it is over, and how long it took', () => {
    outages.stored(1);
    outages.failed(new Error('full'), 10);
    outages.failed(new Error('full'), 20);
    outages.stored(1020);
    outages.stored(1060);
    assert.deepEqual(lines.slice(1), [
      'info: rounds are stored again eventId=2004 count=2 durationMs=1010',
    ]);
  });

  it('is not over because something small was stored in between', () => {
    outages.failed(new Error('full'), 10);
    outages.stored(20);
    outages.failed(new Error('full'), 30);
    assert.equal(lines.length, 1);
  });

  it('tells the next outage at once', () => {
    outages.failed(new Error('full'), 10);
    outages.stored(2000);
    outages.failed(new Error('full'), 2010);
    assert.equal(lines.length, 3);
  });
});
