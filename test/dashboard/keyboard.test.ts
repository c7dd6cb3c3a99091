/** The dashboard without a pointer. */
import assert from 'node:assert/strict';
import { ApiFixture, registerShop } from '../server/http/api/api-fixture.ts';
import { Stage } from './stage.ts';

const LIST = '/taskhubs/default/orchestrations';

describe('dashboard by keyboard', function () {
  this.timeout(60_000);
  let api: ApiFixture;
  let stage: Stage;
  let page: Stage['page'];

  before(async () => {
    api = await ApiFixture.open(registerShop);
    for (const id of ['first', 'second']) await api.start({ name: 'Approval', id });
    stage = await Stage.open(() => api.scheduler.httpEndpoint);
    ({ page } = stage);
  });
  after(async () => {
    await stage.close();
    await api.close();
  });
  afterEach(() => stage.assertNoFaults());

  const press = (key: string): Promise<void> => page.keyboard.press(key);
  /** Goes on with Tab until what has this name has the focus. */
  const tabTo = async (name: string): Promise<void> => {
    for (let steps = 0; steps < 60; steps += 1) {
      await press('Tab');
      if ((await focused()) === name) return;
    }
    assert.fail(`Tab never came to ${name}; it is at ${await focused()}`);
  };
  const focused = async (): Promise<string> => {
    const at = page.locator(':focus');
    return ((await at.getAttribute('aria-label')) ?? (await at.textContent()) ?? '').trim();
  };

  it('goes from the list into an orchestration, its tabs, an action, and back', async () => {
    await stage.goto(`${LIST}?sort=id`);
    await page.getByRole('link', { name: 'second' }).waitFor();
    await tabTo('Select first');
    await press('Space');
    await page.getByText('1 selected').waitFor();
    await press('Space');
    await tabTo('first');
    await press('j');
    assert.equal(await focused(), 'second');
    await press('k');
    assert.equal(await focused(), 'first');
    await press('Enter');
    await page.waitForURL((url) => url.pathname === `${LIST}/first`);
    await page.getByRole('button', { name: 'Suspend' }).waitFor();
    await tabTo('Suspend');
    await press('Enter');
    await page.getByRole('dialog').waitFor();
    await press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(await focused(), 'Suspend');
    await tabTo('History');
    await press('Enter');
    await page.waitForURL(/history$/);
    await stage.sees('Execution started');
    await page.goBack();
    await page.waitForURL((url) => url.pathname === `${LIST}/first`);
  });

  it('starts an orchestration: the form has the focus in its first field', async () => {
    await stage.goto(LIST);
    await page.getByRole('link', { name: 'second' }).waitFor();
    await tabTo('Start orchestration');
    await press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.type('Approval');
    await press('Tab');
    await page.keyboard.type('third');
    await press('Control+Enter');
    await page.getByRole('dialog').getByRole('link', { name: 'third' }).waitFor();
    await press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(await focused(), 'Start orchestration');
  });
});
