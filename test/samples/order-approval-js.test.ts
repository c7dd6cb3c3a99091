import assert from 'node:assert/strict';
import { outputOf, raise, RunningSample, statusWhen } from './sample-app.ts';

describe('sample order-approval-js', function () {
  this.timeout(20_000);
  let sample: RunningSample;

  before(async () => {
    sample = await RunningSample.open('order-approval-js');
  });

  after(async () => {
    assert.equal(await sample.close(), 0);
  });

  it('ships a small order without asking anybody', async () => {
    const links = await sample.start('orders', { item: 'pen', quantity: 2, price: 3 });

    const receipt = { total: 6, attempts: 1 };
    assert.deepEqual(await outputOf(links), { item: 'pen', outcome: 'shipped', receipt });
  });

  it('ships a large order once the manager approves, charging again after failures', async () => {
    const order = { item: 'chair', quantity: 5, price: 50, failures: 2 };
    const links = await sample.start('orders', order);

    const { customStatus } = await statusWhen(links, (status) => status.customStatus !== null);
    assert.deepEqual(customStatus, { waitingFor: 'ManagerDecision', total: 250 });
    await raise(links, 'ManagerDecision', { approved: true, by: 'Ada' });

    const receipt = { total: 250, attempts: 3 };
    assert.deepEqual(await outputOf(links), { item: 'chair', outcome: 'shipped', receipt });
  });

  it('refuses a large order when the manager does', async () => {
    const links = await sample.start('orders', { item: 'yacht', quantity: 1, price: 1e6 });

    await raise(links, 'ManagerDecision', { approved: false, by: 'Ada' });

    assert.deepEqual(await outputOf(links), { item: 'yacht', outcome: 'refused by Ada' });
  });

  it('says so when every attempt to charge has failed', async () => {
    const order = { item: 'lamp', quantity: 1, price: 20, failures: 9 };
    const links = await sample.start('orders', order);

    assert.deepEqual(await outputOf(links), { item: 'lamp', outcome: 'payment failed' });
  });

  it('shows the payment as an instance of its own', async () => {
    const links = await sample.start('orders', { item: 'cup', quantity: 1, price: 5 });
    await outputOf(links);

    const statusQueryGetUri = links.statusQueryGetUri.replace(links.id, `${links.id}-payment`);
    const payment = await statusWhen({ ...links, statusQueryGetUri }, () => true);
    assert.equal(payment.name, 'CollectPayment');
    assert.deepEqual(payment.output, { receipt: { total: 5, attempts: 1 } });
  });
});
