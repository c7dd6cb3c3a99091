import assert from 'node:assert/strict';
import { overload } from '../overload/overload.ts';
import { brokenPromises } from '../overload/promises.ts';

describe('a scheduler that is asked for ten times what it can do', function () {
  this.timeout(60_000);

  /** The long version, which holds it to latency and growth as well: `npm run overload`. */
  it('ends what it accepts, refuses the rest to be tried again, and serves a quiet hub', async () => {
    const figures = await overload({
      ...{ store: 'sqlite', durationMs: 1500, measureMs: 200 },
      ...{ capacity: 100, times: 10, limit: 0.5 },
      ...{ patienceMs: 30_000, onProgress: () => undefined },
    });
    assert.deepEqual(brokenPromises(figures, { isShort: true }), []);
    assert.ok((figures.load.refused['RESOURCE_EXHAUSTED'] ?? 0) > 0, 'nothing was refused');
    assert.ok(figures.quiet.beside.count > 0, 'the quiet hub stood still');
  });
});
