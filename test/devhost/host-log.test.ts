import assert from 'node:assert/strict';
import type { HostJson } from '../../src/config/host-json.ts';
import { createHostLog } from '../../src/devhost/host-log.ts';

function linesOf(logLevel: Record<string, string> | undefined): (category: string) => string[] {
  const hostJson: HostJson = {
    file: 'host.json',
    text: () => undefined,
    number: () => undefined,
    flag: () => undefined,
    section: (path) => (path === 'logging.logLevel' ? logLevel : undefined),
  };
  return (category) => {
    const lines: string[] = [];
    const log = createHostLog({ hostJson, now: () => 0, output: (line) => lines.push(line) });
    for (const level of ['debug', 'information', 'error'] as const)
      log.write(level, category, level);
    return lines.map((line) => line.replace('[1970-01-01T00:00:00.000Z] ', ''));
  };
}

describe('host log', () => {
  it('shows information and above unless host.json says otherwise', () => {
    assert.deepEqual(linesOf(undefined)('Function.a.User'), ['information', 'error: error']);
  });

  it('takes the level of the longest category that fits, then the default', () => {
    const lines = linesOf({ default: 'Error', Function: 'None', 'function.a': 'Debug' });
    assert.deepEqual(lines('Host.Startup'), ['error: error']);
    assert.deepEqual(lines('Function.b.User'), []);
    assert.deepEqual(lines('Function.a.User'), ['debug', 'information', 'error: error']);
  });

  it('ignores a level that does not exist', () => {
    assert.deepEqual(linesOf({ default: 'Loud' })('Host'), ['information', 'error: error']);
  });
});
