import assert from 'node:assert/strict';
import { bankOptions } from './bank.ts';
import { LONG, simulate } from './simulation.ts';

const SEEDS = 200;
const BANKS = 100;
const TRANSFERS = 6;

/** Seeds that once failed, beside those that are run anyway. */
const FAILED_ONCE: readonly number[] = [221, 10309, 700470];

/** Says in one line how to see a failure again. */
async function assertHolds(seed: number, size: Partial<typeof LONG> = {}): Promise<void> {
  const { violation } = await simulate({ seed, ...size });
  const again = `node scripts/simulate.ts --seed ${seed}${size === LONG ? ' --long' : ''}`;
  assert.equal(violation, undefined, `${violation ?? ''}\n${again}`);
}

describe('a simulated scheduler', function () {
  this.timeout(180_000);

  it('keeps its promises, whatever goes wrong, in lives that are always the same', async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) await assertHolds(seed);
  });

  it('keeps its promises in lives that once were too much for it', async () => {
    for (const seed of FAILED_ONCE) await assertHolds(seed, LONG);
  });

  it('keeps its promises in a life that nobody has seen', async () => {
    await assertHolds(Date.now() % 1_000_000_000);
  });

  it('loses no money in a bank whose transfers lock accounts, and leaves none locked', async () => {
    for (let seed = 1; seed <= BANKS; seed += 1) {
      const { violation } = await simulate(bankOptions(seed, TRANSFERS));
      const again = `node scripts/simulate.ts --bank ${TRANSFERS} --seed ${seed}`;
      assert.equal(violation, undefined, `${violation ?? ''}\n${again}`);
    }
  });

  it('lives the same life again for the same seed', async () => {
    const first = await simulate({ seed: 7 });
    const second = await simulate({ seed: 7 });
    const other = await simulate({ seed: 8 });
    assert.deepEqual(second, first);
    assert.notEqual(other.trace, first.trace);
  });
});
