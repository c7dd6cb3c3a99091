/** Workers, and work that lost ten of them, in a browser. */
import { DEFAULT_SCHEDULER_SETTINGS } from '../../src/scheduler/settings.ts';
import { complete } from '../support/actions.ts';
import { ended, start } from '../compat/support/calls.ts';
import { schedulerForTests } from '../compat/support/scheduler-under-test.ts';
import { Stage } from './stage.ts';

describe('workers on the dashboard', function () {
  this.timeout(60_000);
  const host = schedulerForTests();
  let stage: Stage;
  before(async () => {
    stage = await Stage.open(() => host().scheduler.httpEndpoint);
  });
  after(() => stage.close());
  afterEach(() => stage.assertNoFaults());

  async function park(): Promise<string> {
    const id = await start(host().client, { name: 'Poison' });
    for (let n = 0; n < DEFAULT_SCHEDULER_SETTINGS.parkAfterLosses; n += 1) {
      const victim = await host().worker();
      host().clock.advance(5_000);
      await victim.turn(id);
      victim.cut();
      await victim.stream.ended;
    }
    return id;
  }

  it('that lost the same work again and again leave it parked, to be handed out again', async () => {
    const [first, second] = [await park(), await park()];
    await stage.goto('/taskhubs/default/workers/poisoned');
    for (const id of [first, second]) await stage.page.getByRole('link', { name: id }).waitFor();
    await stage.page.getByRole('cell', { name: '10', exact: true }).first().waitFor();
    await stage.shot('parked');
    await stage.assertAccessible();
    const worker = await host().worker();
    await stage.press(`Retry ${first}`);
    await worker.run(first, [complete('"cured"')]);
    await ended(host().client, first);
    await stage.page.getByRole('link', { name: first }).waitFor({ state: 'detached' });
    await stage.press('Retry all');
    await worker.run(second, [complete('"cured"')]);
    await stage.sees('Nothing is parked.');
    worker.cut();
  });

  it('are drained: they go on with what they have in hand and get nothing more', async () => {
    const worker = await host().worker();
    const first = await start(host().client, { name: 'Held' });
    await worker.turn(first);
    await stage.goto('/taskhubs/default/workers');
    await stage.press(/^Items in hand of/);
    await stage.press('Drain worker');
    await stage.assertAccessible();
    await stage.shot('drain-worker');
    await stage.confirm(/^Drain /);
    await stage.sees('leaving');
    await stage.shot('drained-worker');
    const second = await start(host().client, { name: 'Held' });
    await stage.goto(`/taskhubs/default/orchestrations/${second}/waiting`);
    await stage.sees(/every worker of this hub is leaving/);
    worker.cut();
  });
});
