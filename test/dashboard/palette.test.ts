/** Ways to somewhere: the box at the top, and lists with a name. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { readViews, withViews, writeViews } from '../../src/dashboard/model/views.ts';
import { ApiFixture, registerShop } from '../server/http/api/api-fixture.ts';
import { Stage } from './stage.ts';

const LIST = '/taskhubs/default/orchestrations';

describe('ways through the dashboard', function () {
  this.timeout(60_000);
  let api: ApiFixture;
  let stage: Stage;
  let page: Stage['page'];

  before(async () => {
    api = await ApiFixture.open(registerShop);
    for (const id of ['order-1', 'order-2', 'other']) await api.start({ name: 'Approval', id });
    stage = await Stage.open(() => api.scheduler.httpEndpoint);
    ({ page } = stage);
  });
  after(async () => {
    await stage.close();
    await api.close();
  });
  afterEach(() => stage.assertNoFaults());

  const type = async (text: string): Promise<void> => {
    await page.keyboard.press('Control+k');
    await page.keyboard.type(text);
  };
  const option = (name: string | RegExp) =>
    page.getByRole('listbox', { name: 'Places' }).getByRole('option', { name });
  const arrive = (path: string): Promise<void> =>
    page.waitForURL((url) => decodeURIComponent(url.pathname + url.search) === path);

  it('offers ids that begin as typed, and opens one by arrow and Enter', async () => {
    await stage.goto('/retention');
    await page.getByLabel('Failed, days').waitFor();
    await page.locator('header select').selectOption('default');
    await type('order-');
    await option(/order-1/).waitFor();
    await option(/order-2/).waitFor();
    await option(/other/).waitFor({ state: 'detached' });
    await stage.assertReadable('palette');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowDown');
    const chosen = await page.locator('[role=option][aria-selected=true]').textContent();
    await page.keyboard.press('Enter');
    await page.waitForURL((url) => url.pathname.startsWith(`${LIST}/order-`));
    assert.ok(chosen?.includes(new URL(page.url()).pathname.slice(LIST.length + 1)));
  });

  it('offers pages, names and views, opens what is typed, and closes on Escape', async () => {
    await stage.goto(LIST);
    await page.getByRole('link', { name: 'other' }).waitFor();
    await type('park');
    await option(/Parked items/).click();
    await arrive('/taskhubs/default/workers/poisoned');
    await type('approv');
    await option(/Name Approval/).click();
    await arrive(`${LIST}?name=Approval`);
    await type('suspended');
    await option(/View Suspended/).click();
    await arrive(`${LIST}?status=Suspended`);
    await type('nothing like it');
    await page.getByText('Nothing begins so.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Nothing begins so.').waitFor({ state: 'hidden' });
    await page.keyboard.type('other');
    await page.keyboard.press('Enter');
    await arrive(`${LIST}/other`);
    await type('https://elsewhere.example/taskhubs/default/orchestrations/order-2/history');
    await page.keyboard.press('Enter');
    await arrive(`${LIST}/order-2/history`);
  });

  it('keeps lists under a name, with their filters in the address', async () => {
    await stage.goto(`${LIST}?id=order-*`);
    await page.getByRole('link', { name: 'order-1' }).waitFor();
    await page.getByText('Views').click();
    await page.getByLabel('Name of the view').fill('Orders');
    await stage.assertReadable('views');
    await stage.press('Save view');
    await page.getByRole('link', { name: 'Active' }).click();
    await arrive(`${LIST}?status=Running,Pending,Suspended`);
    await page.reload();
    await page.getByText('Views').click();
    await page.getByRole('link', { name: 'Orders' }).click();
    await arrive(`${LIST}?id=order-*`);
    await page.getByText('Views').click();
    const saved = page.waitForEvent('download');
    await stage.press('Export');
    const file = await (await saved).path();
    assert.deepEqual(readViews(await readFile(file, 'utf8')), [
      { name: 'Orders', query: 'id=order-*' },
    ]);
    await stage.press('Delete view Orders');
    await page.getByRole('link', { name: 'Orders' }).waitFor({ state: 'detached' });
    const importing = page.getByLabel('Import');
    const fileOf = (text: string) => ({
      ...{ name: 'v.json', mimeType: 'application/json', buffer: Buffer.from(text) },
    });
    await importing.setInputFiles(fileOf('{'));
    await page.getByText('v.json: This is not JSON').waitFor();
    await importing.setInputFiles(fileOf('[{"name":"Late","query":"?status=Failed"}]'));
    await page.getByRole('link', { name: 'Late' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Late' }).waitFor({ state: 'hidden' });
  });

  it('refuses views that are none, by their number and name', () => {
    assert.throws(() => readViews('{}'), /Views are a list/);
    assert.throws(() => readViews('[null]'), /View 1 needs a name/);
    assert.throws(() => readViews('[{"name":"a","query":""},{"name":"b"}]'), /View 2, “b”, needs/);
    const one = [{ name: 'a', query: 'status=Failed' }];
    assert.deepEqual(readViews(writeViews(one)), one);
    assert.deepEqual(withViews([{ name: 'a', query: '' }], one), one);
  });
});
