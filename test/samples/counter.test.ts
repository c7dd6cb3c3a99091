import assert from 'node:assert/strict';
import { outputOf, reads, RunningSample } from './sample-app.ts';

describe('sample counter', function () {
  this.timeout(20_000);
  let sample: RunningSample;

  const read = async (): Promise<unknown> => {
    const response = await sample.fetch('counters/visits');
    return response.status === 404 ? undefined : response.json();
  };
  const signal = async (operation: string, body?: string): Promise<void> => {
    const init = { method: 'POST', ...(body !== undefined && { body }) };
    assert.equal((await sample.fetch(`counters/visits/${operation}`, init)).status, 202);
  };

  before(async () => {
    sample = await RunningSample.open('counter');
  });

  after(async () => {
    assert.equal(await sample.close(), 0);
  });

  it('adds what it is signalled', async () => {
    await signal('add', '5');
    await signal('add', '-2');

    await reads(read, 3);
  });

  it('answers an orchestration', async () => {
    const links = await sample.start('orchestrators/AddAndGet', { key: 'visits', amount: 4 });

    assert.equal(await outputOf(links), 7);
  });

  it('is gone after a reset', async () => {
    await signal('reset');

    await reads(read, undefined);
  });
});
