import assert from 'node:assert/strict';
import { torture } from '../torture/torture.ts';
import type { Ledger } from '../torture/ledger.ts';

/** The long version: `npm run torture`. */
const SHORT = {
  ...{ seed: 1, durationMs: 6000, width: 15, everyMs: 1200 },
  ...{ isHasty: true, patienceMs: 60_000 },
};

describe('nodes and workers that are killed under load', function () {
  this.timeout(180_000);

  let onPostgres: Promise<Ledger>;
  let onSqlite: Promise<Ledger>;

  /** Both at once: most of the time goes by waiting for what the dead had in hand. */
  before(async () => {
    onPostgres = torture({ ...SHORT, store: 'postgres', nodes: 3, workers: 4 });
    onSqlite = torture({ ...SHORT, store: 'sqlite', nodes: 1, workers: 3 });
    await Promise.allSettled([onPostgres, onSqlite]);
  });

  function assertRight({ violations, started, right, faults }: Ledger): void {
    assert.deepEqual(violations, []);
    assert.ok(started > 0 && right >= started, `${right} of ${started} are right`);
    assert.ok((faults.get('nodes killed') ?? 0) > 0, 'no node was killed');
    assert.ok((faults.get('workers killed') ?? 0) > 0, 'no worker was killed');
  }

  it('lose nothing and double nothing on PostgreSQL', async () => {
    assertRight(await onPostgres);
  });

  it('lose nothing and double nothing on SQLite', async () => {
    assertRight(await onSqlite);
  });
});
