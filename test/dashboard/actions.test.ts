/** Every action of the dashboard, pressed in a browser. */
import assert from 'node:assert/strict';
import { ApiFixture, registerShop } from '../server/http/api/api-fixture.ts';
import { Stage } from './stage.ts';

const LIST = '/taskhubs/default/orchestrations';

describe('dashboard actions', function () {
  this.timeout(60_000);
  let api: ApiFixture;
  let stage: Stage;
  let page: Stage['page'];

  before(async () => {
    api = await ApiFixture.open(registerShop);
    for (const id of ['flow-1', 'flow-2', 'flow-3']) {
      await api.start({ name: 'Approval', id, tags: { batch: '7' }, version: '1.0' });
    }
    await api.start({ name: 'Order', id: 'broken', input: '{"amount":-1}' });
    await api.start({ name: 'Parent', id: 'family' });
    stage = await Stage.open(() => api.scheduler.httpEndpoint);
    ({ page } = stage);
  });
  after(async () => {
    await stage.close();
    await api.close();
  });
  afterEach(() => stage.assertNoFaults());

  const status = (word: string) => page.locator('header .status', { hasText: word }).waitFor();
  const act = async (verb: string): Promise<void> => {
    await stage.press(verb);
    await stage.confirm(new RegExp(`^${verb} `));
  };

  it('suspend, resume, terminate, restart, force-terminate and purge one instance', async () => {
    await stage.goto(`${LIST}/flow-1`);
    await status('Running');
    await act('Suspend');
    await status('Suspended');
    await act('Resume');
    await status('Running');
    await stage.press('Terminate');
    await page.getByRole('dialog').getByLabel('Reason').fill('not needed');
    await stage.confirm(/^Terminate /);
    await status('Terminated');
    await act('Restart');
    await status('Running');
    await act('Force-terminate');
    await status('Terminated');
    await act('Purge');
    await page.waitForURL((url) => url.pathname === LIST);
    await page.getByRole('link', { name: 'flow-2' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'flow-1' }).count(), 0);
  });

  it('rewind a failed one, which its history tells', async () => {
    await stage.goto(`${LIST}/broken/history`);
    await status('Failed');
    await act('Rewind');
    await stage.sees('Execution rewound');
    await status('Failed');
  });

  it('start with a checked input, a tag, and at a later time', async () => {
    await stage.goto(`${LIST}?new`);
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill('Order');
    await dialog.getByText(/known from history|announces it/).waitFor();
    await dialog.getByLabel('Name', { exact: true }).fill('Ordre');
    await dialog.getByText('No connected worker announces this name').waitFor();
    await dialog.getByLabel('Name', { exact: true }).fill('Order');
    await dialog.getByLabel('Instance id').fill('later');
    await dialog.getByLabel('Input (JSON)').fill('{\n"amount": 1,,}');
    await dialog.getByText('Not JSON at line 2, column 13').waitFor();
    await dialog.getByLabel('Input (JSON)').fill('{"amount":2}');
    await dialog.getByLabel(/^Start at/).fill('2099-01-01T09:00');
    await dialog.getByLabel(/^Tags/).fill('env=prod, region=eu');
    await stage.shot('start-form');
    await dialog.getByRole('button', { name: 'Start', exact: true }).click();
    await dialog.getByRole('link', { name: 'later' }).click();
    await status('Pending');
    await page.getByText('Its start is scheduled').first().waitFor();
    await page.getByRole('button', { name: 'region=eu' }).waitFor();
  });

  it('filter by tag, name, version and time, sort, and page through', async () => {
    await stage.goto(LIST);
    await page.getByLabel('Search in').selectOption('tag');
    await page.getByLabel('Search for').fill('batch=7');
    await stage.press('Filter');
    await page.waitForURL(/tag=batch%3D7/);
    await page.getByRole('link', { name: 'broken' }).waitFor({ state: 'detached' });
    await page.getByLabel('Search in').selectOption('name');
    await page.getByLabel('Search for').fill('Appro*');
    await stage.press('Filter');
    await page.getByLabel('Search in').selectOption('version');
    await page.getByLabel('Search for').fill('1.0');
    await stage.press('Filter');
    await page.getByRole('combobox', { name: /^Created/ }).selectOption('-1h');
    await page.waitForURL(/createdFrom=-1h/);
    assert.equal(await page.locator('.chip').count(), 4);
    await page.getByRole('link', { name: 'flow-3' }).waitFor();
    await page.reload();
    await page.getByRole('link', { name: 'flow-3' }).waitFor();
    await stage.goto(`${LIST}?size=2&sort=id`);
    await page.getByRole('link', { name: 'broken' }).waitFor();
    await stage.press('Next ›');
    await page.getByRole('link', { name: 'flow-2' }).waitFor();
    await stage.press('‹ Previous');
    await page.getByRole('link', { name: 'broken' }).waitFor();
    await page.getByRole('button', { name: /^Instance id/ }).click();
    await page.waitForURL(/sort=-id/);
  });

  it('terminate everything that matches as a job that says whom it skipped', async () => {
    await stage.goto(`${LIST}?tag=batch%3D7`);
    await page.getByLabel('Select flow-2').check();
    await stage.press('Select all that match');
    await act('Terminate');
    await page.getByText(/2 done/).waitFor();
    await page.getByText('Everything that matches is selected').waitFor();
    await act('Terminate');
    await page.getByText(/2 skipped/).waitFor();
    await page.getByRole('link', { name: 'Open the job' }).click();
    await stage.sees('WRONG_STATE');
    await stage.shot('bulk-job');
    await stage.assertAccessible();
    await page.getByRole('link', { name: 'All jobs' }).click();
    await page.getByRole('cell', { name: 'Terminate' }).first().waitFor();
  });

  it('unfold a parent, follow the graph into its child, and the breadcrumb back', async () => {
    await stage.goto(`${LIST}?id=family`);
    await page.getByRole('button', { name: 'Sub-orchestrations of family' }).click();
    await page.getByText('└').waitFor();
    await page.getByRole('link', { name: 'family', exact: true }).click();
    await page.getByRole('link', { name: 'Flow' }).click();
    await page.getByRole('button', { name: /Order.*, completed/ }).click();
    await page.getByRole('link', { name: /^Open / }).click();
    await page.getByRole('navigation', { name: 'Breadcrumb' }).getByText('family').click();
    await page.getByRole('link', { name: 'Timeline' }).click();
    await stage.press('Zoom in');
    await page.waitForURL(/from=/);
    await stage.press('Fit');
    await stage.press('Show as table');
    await page.getByRole('cell', { name: 'Sub-orchestration', exact: true }).waitFor();
  });

  it('leave the row under the pointer where it is, and say what is new', async () => {
    await stage.goto(LIST);
    const pointed = page.getByRole('link', { name: 'family', exact: true });
    await pointed.hover();
    const before = await pointed.boundingBox();
    await api.start({ name: 'Approval', id: 'newcomer' });
    await page.getByRole('button', { name: /1 new match/ }).waitFor();
    await stage.shot('new-match');
    assert.deepEqual(await pointed.boundingBox(), before);
    assert.equal(await page.getByRole('link', { name: 'newcomer' }).count(), 0);
    await page.getByRole('button', { name: /1 new match/ }).click();
    await page.getByRole('link', { name: 'newcomer' }).waitFor();
  });

  it('make a task hub and delete it, its name typed', async () => {
    await stage.goto('/taskhubs');
    await stage.press('New task hub');
    await page.getByRole('dialog').getByLabel('Name').fill('brief');
    await stage.confirm('Create');
    await page.getByRole('link', { name: 'brief' }).waitFor();
    await stage.press('Delete brief');
    assert.ok(await page.getByRole('dialog').getByRole('button', { name: /^Del/ }).isDisabled());
    await page.getByLabel('Type brief to go on').fill('brief');
    await stage.confirm('Delete brief');
    await page.getByRole('link', { name: 'brief' }).waitFor({ state: 'detached' });
  });

  it('set the retention, and show numbers for every chart', async () => {
    await stage.goto('/retention');
    await page.getByLabel('Failed, days').fill('60');
    await stage.press('Save');
    await page.getByText('Saved.').waitFor();
    await page.reload();
    await page.getByLabel('Failed, days').waitFor();
    assert.equal(await page.getByLabel('Failed, days').inputValue(), '60');
    await page.getByLabel('Terminated, days').fill('0');
    await page.getByLabel('Completed, days').fill('0');
    await stage.press('Save');
    await page.getByText('The next sweep deletes them').waitFor();
    await stage.shot('retention-preview');
    await stage.assertAccessible();
    await stage.press('Cancel');
    await page.reload();
    await page.getByLabel('Terminated, days').waitFor();
    assert.equal(await page.getByLabel('Terminated, days').inputValue(), '', 'nothing was saved');
    await stage.goto('/taskhubs/default/workers/metrics');
    await page.locator('canvas').first().waitFor();
    await stage.press('Numbers of Connected workers');
    await page.getByRole('group', { name: 'Connected workers, numbers' }).waitFor();
    await stage.shot('metrics');
    await stage.assertAccessible();
  });

  const forms: readonly (readonly [string, string])[] = [
    ['/?endpoint=http%3A%2F%2Flocalhost%3A8080&taskhub=default', LIST],
    ['/subscriptions/s/schedulers/n/taskhubs/default?endpoint=http%3A%2F%2Fx&tenantId=t', LIST],
    ['/subscriptions/local/schedulers/emulator/taskhubs/default/orchestrations', LIST],
    ['/subscriptions/default/schedulers/default/taskhubs/default', LIST],
    [`/subscriptions/a/schedulers/b${LIST}/family`, `${LIST}/family`],
    ['/taskhubs/DEFAULT/orchestrations/family?endpoint=http%3A%2F%2Fx', `${LIST}/family`],
  ];
  for (const [given, canonical] of forms) {
    it(`open ${given} after a cold load`, async () => {
      await stage.goto(given);
      await page.getByText('family').locator('visible=true').first().waitFor();
      await page.waitForURL((url) => url.pathname === canonical);
    });
  }
});
