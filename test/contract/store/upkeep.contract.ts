import assert from 'node:assert/strict';
import { complete } from '../../support/actions.ts';
import { caseOf, raise, turn, type Bench, type UseBench } from './bench.ts';

async function runAndReplace(bench: Bench, id: string, turns: number): Promise<void> {
  let item = await bench.begin(id);
  for (let n = 0; n < turns; n += 1) {
    await bench.apply(turn(item));
    await bench.apply(raise(id, String(n)));
    item = await bench.takeTurn();
  }
  await bench.apply(turn(item, [complete()]));
  await bench.apply(bench.start(id));
  await bench.apply(turn(await bench.takeTurn(), [complete('"new"')]));
}

export function upkeepContract(use: UseBench): void {
  describe('the sweep', () => {
    it('says when nothing is left', async () => {
      assert.equal(await use().store.sweep({ limit: 10 }), false);
    });

    it('takes away what replaced instances left, a bounded number of rows at a time', async () => {
      const bench = use();
      await runAndReplace(bench, 'a', 10);
      await runAndReplace(bench, 'b', 10);
      let steps = 0;
      while (steps < 100 && (await bench.store.sweep({ limit: 4 }))) steps += 1;
      assert.ok(steps >= 4 && steps <= 10, `${steps} steps`);
      assert.equal(await bench.store.sweep({ limit: 4 }), false);
    });

    it('touches nothing of what is there', async () => {
      const bench = use();
      await runAndReplace(bench, 'a', 3);
      for (let step = 0; step < 100 && (await bench.store.sweep({ limit: 1 })); step += 1);
      assert.equal((await bench.get('a')).output, '"new"');
      assert.deepEqual((await bench.history('a')).map(caseOf), [
        'orchestratorStarted',
        'executionStarted',
        'executionCompleted',
      ]);
    });
  });
}
