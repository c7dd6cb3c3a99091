import assert from 'node:assert/strict';
import {
  createStreamLogger,
  describeError,
  LOG_LEVELS,
  silentLogger,
  type LogLevel,
} from '../../src/telemetry/logger.ts';

function open(level: LogLevel, format: 'json' | 'text') {
  const lines: string[] = [];
  const now = (): number => Date.UTC(2026, 0, 2, 3, 4, 5, 6);
  const logger = createStreamLogger({ level, format, now, write: (line) => lines.push(line) });
  return { logger, lines };
}

describe('the stream logger', () => {
  it('writes one JSON object a line, fields beside time, level and sentence', () => {
    const { logger, lines } = open('info', 'json');
    logger.info('it happened', { taskHub: 'h', durationMs: 5, none: undefined });
    assert.deepEqual(lines, [
      '{"time":"2026-01-02T03:04:05.006Z","level":"info","message":"it happened","taskHub":"h","durationMs":5}\n',
    ]);
  });

  it('writes text for people', () => {
    const { logger, lines } = open('info', 'text');
    logger.warn('it happened', { taskHub: 'h', count: 2 });
    logger.error('again');
    assert.deepEqual(lines, [
      '03:04:05.006 warn  it happened taskHub=h count=2\n',
      '03:04:05.006 error again\n',
    ]);
  });

  it('writes its level and those above it', () => {
    for (const [index, level] of LOG_LEVELS.entries()) {
      const { logger, lines } = open(level, 'text');
      for (const one of ['debug', 'info', 'warn', 'error'] as const) logger[one]('x');
      assert.equal(lines.length, 4 - index);
    }
  });

  it('follows its level when that is set', () => {
    const { logger, lines } = open('error', 'text');
    logger.info('quiet');
    logger.level = 'info';
    logger.info('heard');
    assert.deepEqual(lines, ['03:04:05.006 info  heard\n']);
  });

  it('says what an error was, and what caused it', () => {
    const { logger, lines } = open('info', 'text');
    const error = new TypeError('outer', { cause: new Error('inner') });
    logger.error('failed', { error });
    assert.match(lines[0] ?? '', /error=TypeError: outer \(cause: Error: inner\)/);
  });
});

describe('describeError', () => {
  it('takes whatever was thrown', () => {
    assert.equal(describeError('text'), 'text');
    assert.equal(describeError(undefined), 'undefined');
    assert.equal(describeError(new RangeError('x')), 'RangeError: x');
  });
});

describe('the silent logger', () => {
  it('takes everything and says nothing', () => {
    for (const one of ['debug', 'info', 'warn', 'error'] as const) {
      assert.doesNotThrow(() => silentLogger[one]('x'));
    }
  });
});
