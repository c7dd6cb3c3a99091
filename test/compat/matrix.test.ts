import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { COMPATIBILITY_FILE, compatibility } from '../../scripts/compatibility.ts';

describe('docs/COMPATIBILITY.md', function () {
  this.timeout(10_000);

  it('has a test for each row, and a row for each test that names one', async () => {
    assert.deepEqual((await compatibility()).problems, []);
  });

  it('is up to date', async () => {
    const committed = readFileSync(COMPATIBILITY_FILE, 'utf8');
    assert.equal(committed, (await compatibility()).text, 'run node scripts/compatibility.ts');
  });
});
