import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { logEventsPage, LOGS_FILE } from '../../scripts/log-events.ts';
import { LOG_EVENTS, logEvent } from '../../src/telemetry/log-events.ts';
import { createStreamLogger } from '../../src/telemetry/logger.ts';

const EVENTS = Object.values(LOG_EVENTS);

describe('the catalogue of log events', () => {
  it('gives no id and no sentence to two events', () => {
    assert.equal(new Set(EVENTS.map(({ id }) => id)).size, EVENTS.length);
    assert.equal(new Set(EVENTS.map(({ message }) => message)).size, EVENTS.length);
  });

  it('is in order of ids', () => {
    const ids = EVENTS.map(({ id }) => id);
    assert.deepEqual(
      ids,
      ids.toSorted((a, b) => a - b),
    );
  });

  it('is what the documentation shows', async () => {
    const text = readFileSync(LOGS_FILE, 'utf8');
    assert.equal(text, await logEventsPage(text), 'run node scripts/log-events.ts');
  });

  it('puts the id before the fields of a line, at the level of the event', () => {
    const lines: string[] = [];
    const logger = createStreamLogger({
      ...{ level: 'warn', format: 'json', now: () => 0 },
      write: (line) => lines.push(line),
    });
    logEvent(logger, 'roundFailed', { error: new Error('disk full') });
    logEvent(logger, 'workerConnected');
    assert.deepEqual(lines, [
      '{"time":"1970-01-01T00:00:00.000Z","level":"error","message":"a round failed","eventId":2002,"error":"Error: disk full"}\n',
    ]);
  });
});
