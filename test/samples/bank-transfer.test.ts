import assert from 'node:assert/strict';
import { outputOf, reads, RunningSample } from './sample-app.ts';

const ACCOUNTS = ['alice', 'bob', 'carol'];

describe('sample bank-transfer', function () {
  this.timeout(20_000);
  let sample: RunningSample;

  const balanceOf = async (account: string): Promise<unknown> => {
    const response = await sample.fetch(`accounts/${account}`);
    return response.status === 404 ? undefined : response.json();
  };
  const run = async (name: string, input: unknown): Promise<unknown> =>
    outputOf(await sample.start(`orchestrators/${name}`, input));

  before(async () => {
    sample = await RunningSample.open('bank-transfer');
  });

  after(async () => {
    assert.equal(await sample.close(), 0);
  });

  it('takes deposits and shows balances', async () => {
    assert.equal(await balanceOf('alice'), undefined);
    for (const account of ACCOUNTS) {
      const init = { method: 'POST', body: '100' };
      assert.equal((await sample.fetch(`accounts/${account}/deposit`, init)).status, 202);
      await reads(() => balanceOf(account), 100);
    }
  });

  it('moves money between two accounts', async () => {
    assert.deepEqual(await run('Transfer', { from: 'alice', to: 'bob', amount: 30 }), {
      moved: 30,
    });

    assert.deepEqual([await balanceOf('alice'), await balanceOf('bob')], [70, 130]);
  });

  it('moves nothing when there is too little', async () => {
    assert.deepEqual(await run('Transfer', { from: 'alice', to: 'bob', amount: 500 }), {
      moved: 0,
      reason: 'alice has only 70',
    });
  });

  it('keeps the total, whatever is moved meanwhile', async () => {
    const moves = Array.from({ length: 12 }, (_, n) => ({
      from: ACCOUNTS[n % 3],
      to: ACCOUNTS[(n + 1 + (n % 2)) % 3],
      amount: 10 + n,
    }));
    const [total] = await Promise.all([
      run('Audit', ACCOUNTS),
      ...moves.map((input) => run('Transfer', input)),
    ]);

    assert.deepEqual([total, await run('Audit', ACCOUNTS)], [300, 300]);
  });

  it('refuses a deposit that is no amount', async () => {
    const response = await sample.fetch('accounts/alice/deposit', { method: 'POST', body: '-1' });

    assert.equal(response.status, 400);
  });
});
