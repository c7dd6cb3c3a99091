import assert from 'node:assert/strict';
import { runCli } from '../../src/cli/run-cli.ts';
import type { RunningScheduler } from '../../src/server/index.ts';
import { openScheduler } from '../../src/server/index.ts';
import type { LevelledLogger } from '../../src/telemetry/logger.ts';
import { createStreamLogger } from '../../src/telemetry/logger.ts';

describe('durabletask log-level', function () {
  this.timeout(10_000);
  let lines: string[];
  let logger: LevelledLogger;
  let scheduler: RunningScheduler;
  beforeEach(async () => {
    lines = [];
    logger = createStreamLogger({
      ...{ level: 'warn', format: 'text', now: () => 0 },
      write: (line) => lines.push(line.trimEnd()),
    });
    const ports = { grpcPort: 0, httpPort: 0 };
    scheduler = await openScheduler({ storage: 'memory', ...ports, logger });
  });
  afterEach(() => scheduler.close());

  async function run(...args: readonly string[]) {
    const stdout: string[] = [];
    const stderr: string[] = [];
    const code = await runCli(['log-level', ...args], {
      env: { DURABLETASK_HTTP_ENDPOINT: scheduler.httpEndpoint },
      ...{ cwd: '.', stop: new AbortController().signal },
      stdout: (line) => stdout.push(line),
      stderr: (line) => stderr.push(line),
    });
    return { code, stdout, stderr: stderr.join('\n') };
  }

  it('shows and sets the level of a running scheduler', async () => {
    assert.deepEqual((await run()).stdout, ['warn']);
    assert.deepEqual((await run('debug', '--json')).stdout, ['{"level":"debug"}']);
    assert.equal(logger.level, 'debug');
    assert.deepEqual((await run()).stdout, ['debug']);
  });

  it('is seen in the log, also when it turns it off', async () => {
    await run('debug');
    await run('silent');
    await run('error');
    assert.deepEqual(lines, [
      '00:00:00.000 info  the level of this log was set eventId=1007 from=warn to=debug',
      '00:00:00.000 info  the level of this log was set eventId=1007 from=debug to=silent',
    ]);
  });

  it('knows the levels there are', async () => {
    const { code, stderr } = await run('loud');
    assert.equal(code, 2);
    assert.match(stderr, /loud.*debug, info, warn, error, silent/);
  });
});
