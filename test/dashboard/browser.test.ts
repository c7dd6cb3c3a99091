/** The dashboard in a real browser, before a real scheduler with a real worker. */
import assert from 'node:assert/strict';
import { ApiFixture, registerShop } from '../server/http/api/api-fixture.ts';
import { Stage } from './stage.ts';

const LIST = '/taskhubs/default/orchestrations';
const HOSTILE =
  '"<img src=x onerror=window.broken=1></script><script>window.broken=1</script>\u202e"';

describe('dashboard', function () {
  this.timeout(180_000);
  let api: ApiFixture;
  let stage: Stage;
  let page: Stage['page'];

  before(async () => {
    api = await ApiFixture.open(registerShop);
    await api.start({ name: 'Order', id: 'order-1', input: '{"amount":5}', tags: { env: 'prod' } });
    await api.start({ name: 'Order', id: 'order-2', input: '{"amount":-1}' });
    await api.start({ name: 'Approval', id: 'wait-1' });
    await api.start({ name: 'Approval', id: 'a/b 100%', input: HOSTILE });
    await api.start({ name: 'Locker', id: 'owner' });
    await api.call('POST', '/hubs/default/entities/@counter@a/signal', { operation: 'add' });
    stage = await Stage.open(() => api.scheduler.httpEndpoint);
    ({ page } = stage);
  });
  after(async () => {
    await stage.close();
    await api.close();
  });
  afterEach(() => stage.assertNoFaults());

  const pages: readonly (readonly [string, string, string])[] = [
    ['list', LIST, 'order-1'],
    ['hubs', '/taskhubs', 'other'],
    ['timeline', `${LIST}/order-2`, 'cannot charge'],
    ['history', `${LIST}/order-1/history`, 'Task scheduled'],
    ['flow', `${LIST}/order-1/flow`, 'after'],
    ['data', `${LIST}/order-1/data`, 'charged 5'],
    ['waiting', `${LIST}/wait-1/waiting`, 'external event'],
    ['entities', '/taskhubs/default/entities?transient=true', '@counter@locked'],
    ['entity', '/taskhubs/default/entities/@counter@locked', 'Running'],
    ['workers', '/taskhubs/default/workers', 'Delivered'],
    ['metrics', '/taskhubs/default/workers/metrics', 'Per second'],
    ['nothing parked', '/taskhubs/default/workers/poisoned', 'Nothing is parked.'],
    ['no bulk job', '/taskhubs/default/bulk', 'No bulk job'],
    ['start form', `${LIST}?new`, 'order-1'],
    ['failed', `${LIST}?status=Failed`, 'order-2'],
    ['empty hub', '/taskhubs/other/orchestrations', 'No worker is connected either'],
    ['no feature', '/taskhubs/default/agents', 'agents'],
    ['retention', '/retention', 'Completed, days'],
    ['settings', '/settings', 'DURABLETASK_STORAGE'],
    [
      'product link',
      '/subscriptions/local/schedulers/emulator/taskhubs/default/orchestrations/order-1',
      'Timeline',
    ],
  ];
  for (const [name, path, text] of pages) {
    it(`opens ${name} on a cold load, readable in light, in dark and on a phone`, async () => {
      await stage.goto(path);
      await stage.sees(text);
      await stage.assertReadable(name.replaceAll(' ', '-'));
    });
  }

  it('filters by status in the address, and clears with one button', async () => {
    await stage.goto(LIST);
    await page.getByRole('button', { name: /^Failed/ }).click();
    await page.waitForURL(/status=Failed/);
    await page.getByRole('link', { name: 'order-2' }).waitFor();
    await page.getByRole('link', { name: 'order-1' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.getByRole('link', { name: 'order-1' }).waitFor();
  });

  it('starts an orchestration and raises the event that it waits for', async () => {
    await stage.goto(`${LIST}?new`);
    await page.getByLabel('Name', { exact: true }).fill('Approval');
    await page.getByLabel('Instance id').fill('from-page');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByRole('link', { name: 'from-page' }).first().click();
    await page.getByRole('button', { name: 'Raise event' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('Approved');
    await page.getByRole('dialog').getByRole('button', { name: 'Raise event' }).click();
    await page.locator('header .status', { hasText: 'Completed' }).waitFor();
  });

  it('signals an entity, filters entities, and cleans up', async () => {
    await stage.goto('/taskhubs/default/entities');
    await page.getByRole('link', { name: '@counter@a' }).click();
    await page.getByText('Backlog').waitFor();
    await page.getByLabel('Operation').fill('add');
    await page.getByLabel('Input (JSON)').fill('{"open":');
    await page.getByText(/JSON/).and(page.locator('.error')).waitFor();
    await page.getByLabel('Input (JSON)').fill('41');
    await stage.press('Send signal');
    await page.locator('pre.payload', { hasText: '42' }).waitFor();
    await page.getByRole('link', { name: 'Entities' }).first().click();
    await page.getByLabel('Id begins with').fill('@counter@none');
    await stage.press('Filter');
    await stage.sees('No entity matches these filters.');
    await stage.press('Clear filters');
    await page.getByRole('cell', { name: '42' }).waitFor();
    await stage.press('Clean up');
    await stage.confirm('Clean up');
    await page.getByText('0 orphaned locks released').waitFor();
  });

  it('shows hostile payloads and ids as text', async () => {
    await stage.goto(LIST);
    await page.getByRole('link', { name: 'a/b 100%' }).click();
    await page.getByRole('link', { name: 'Input/Output' }).click();
    await page.getByText('onerror=window.broken').waitFor();
    assert.equal(await page.evaluate(() => 'broken' in globalThis), false);
    await page.getByText('⟨U+202E⟩').waitFor();
  });

  it('terminates a selection as a job with progress', async () => {
    await stage.goto(`${LIST}?id=wait-1`);
    await page.getByLabel('Select wait-1').check();
    await page.getByRole('button', { name: 'Terminate', exact: true }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Terminate 1/ })
      .click();
    await page.getByText(/1 done/).waitFor();
    await page.locator('tbody .status', { hasText: 'Terminated' }).waitFor();
  });
});
