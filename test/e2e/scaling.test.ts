/** The benchmark of docs/SCALING.md, in short: its workers are processes, its controllers know only our figures. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ScaleFigures } from '../../bench/support/scale-run.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAX_WORKERS = 3;
const SHORT = [
  ...['--seconds', '3', '--wave', '0.5', '--peak', '25'],
  ...['--max', String(MAX_WORKERS), '--window', '2', '--json'],
];

describe('workers that a controller starts and stops', function () {
  this.timeout(120_000);
  let folder: string;
  let runs: readonly ScaleFigures[];
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'scaling-'));
    const command = /^node (bench\/scale\.ts --plot) \S+\.png$/m.exec(
      readFileSync(join(ROOT, 'docs/SCALING.md'), 'utf8'),
    );
    const args = [...(command?.[1]?.split(' ') ?? []), join(folder, 'plot.png'), ...SHORT];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
    runs = JSON.parse(stdout) as readonly ScaleFigures[];
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [index, who, min] of [
    [0, 'our scale endpoint', 1],
    [1, "KEDA's protocol", 0],
  ] as const) {
    it(`follow the load once up and once down by ${who}, and all work gets done`, () => {
      const { started, completed, workersMin, workersMax, workersEnd, directionChanges } =
        runs[index] ?? assert.fail('no such run');
      assert.ok(started > 30, `${started} were started`);
      assert.equal(completed, started);
      assert.deepEqual([workersMin, workersMax, workersEnd], [min, MAX_WORKERS, min]);
      assert.equal(directionChanges, 1);
    });
  }

  it('are drawn', () => {
    const path = join(folder, 'plot.png');
    assert.ok(existsSync(path));
    assert.equal(readFileSync(path).subarray(1, 4).toString(), 'PNG');
  });
});
