import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

describe('npm start', function () {
  // A tree that was never built is built first.
  this.timeout(90_000);

  it('prints the result of HelloCities and where everything is, once, and exits 0', async () => {
    await run(process.execPath, ['scripts/build.ts'], { cwd: root });
    const ports = ['--grpc-port', '0', '--http-port', '0', '--functions-port', '0'];

    const { stdout, stderr } = await run(
      process.execPath,
      ['scripts/start.ts', '--once', '--storage', 'memory', ...ports],
      { cwd: root },
    );

    assert.equal(stderr, '');
    const [result, , ...where] = stdout.trimEnd().split('\n');
    assert.equal(result, '["Hello Tokyo!","Hello Seattle!","Hello London!"]');
    assert.match(
      where[0] ?? '',
      /^HTTP +http:\/\/127\.0\.0\.1:\d+\/api\/orchestrators\/HelloCities /,
    );
    assert.match(
      where[1] ?? '',
      /^Status +http:\/\/127\.0\.0\.1:\d+\/api\/durabletask\/instances\//,
    );
    assert.match(where[2] ?? '', /^Dashboard +http:\/\/127\.0\.0\.1:\d+\/$/);
  });
});
