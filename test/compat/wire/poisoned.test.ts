import assert from 'node:assert/strict';
import { OrchestrationStatus } from '../../../src/proto/orchestrator_service_pb.ts';
import { DEFAULT_SCHEDULER_SETTINGS } from '../../../src/scheduler/settings.ts';
import { complete } from '../../support/actions.ts';
import { ended, start, stateOf } from '../support/calls.ts';
import { schedulerForTests } from '../support/scheduler-under-test.ts';

describe('Poisoned work on the wire', function () {
  this.timeout(20_000);
  const host = schedulerForTests();

  async function parked(): Promise<readonly { readonly instanceId: string }[]> {
    const url = new URL('/api/v1/taskhubs/parked', host().scheduler.httpEndpoint);
    const reply = await fetch(url, { headers: { 'x-taskhub': 'default' } });
    assert.equal(reply.status, 200);
    const { items } = (await reply.json()) as { items: { instanceId: string }[] };
    return items;
  }

  // [wp 5.14-poisoned]
  it('is parked after many lost workers, harms no other, and can be retried', async () => {
    const id = await start(host().client, { name: 'Poison' });
    for (let n = 0; n < DEFAULT_SCHEDULER_SETTINGS.parkAfterLosses; n += 1) {
      const victim = await host().worker();
      host().clock.advance(5_000);
      await victim.turn(id);
      victim.cut();
      await victim.stream.ended;
    }
    const worker = await host().worker();
    host().clock.advance(60_000);
    const other = await start(host().client);
    await worker.run(other, [complete()]);
    assert.equal(worker.items.length, 0);
    assert.deepEqual(
      (await parked()).map(({ instanceId }) => instanceId),
      [id],
    );
    const { orchestrationStatus } = await stateOf(host().client, id);
    assert.equal(orchestrationStatus, OrchestrationStatus.PENDING);

    const url = new URL('/api/v1/taskhubs/parked/retry', host().scheduler.httpEndpoint);
    url.searchParams.set('instanceId', id);
    const headers = { 'content-type': 'application/json', 'x-taskhub': 'default' };
    const retry = await fetch(url, { method: 'POST', headers, body: '{}' });
    assert.equal(retry.status, 200);
    await worker.run(id, [complete('"cured"')]);
    assert.equal((await ended(host().client, id)).output, '"cured"');
    worker.cut();
  });
});
