/** What is done to many at once, looked for, and taken out of the dashboard, in a browser. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { TaskHubClient } from '../../src/client/index.ts';
import { ApiFixture, registerShop } from '../server/http/api/api-fixture.ts';
import { Stage } from './stage.ts';

const LIST = '/taskhubs/default/orchestrations';
const CROWD = 3000;
const LARGE = 200_000;

describe('dashboard on many', function () {
  this.timeout(60_000);
  let api: ApiFixture;
  let stage: Stage;
  let page: Stage['page'];

  before(async () => {
    api = await ApiFixture.open(registerShop);
    const client = TaskHubClient.open({ endpoint: api.scheduler.grpcEndpoint, taskHub: 'default' });
    const startAt = new Date('2099-01-01T00:00:00Z');
    await Promise.all(
      Array.from({ length: CROWD }, (_, n) =>
        client.scheduleNewOrchestration('Later', n, { instanceId: `crowd-${n}`, startAt }),
      ),
    );
    await client.close();
    await api.start({ name: 'Parent', id: 'family' });
    await api.start({
      name: 'Order',
      id: 'large',
      input: JSON.stringify({ amount: 1, x: 'y'.repeat(LARGE) }),
    });
    for (const n of [1, 2, 3]) {
      await api.start({ name: 'Order', id: `broken-${n}`, input: '{"amount":-1}' });
      await api.start({ name: 'Approval', id: `flow-${n}` });
    }
    stage = await Stage.open(() => api.scheduler.httpEndpoint);
    ({ page } = stage);
  });
  after(async () => {
    await stage.close();
    await api.close();
  });
  afterEach(() => stage.assertNoFaults());

  const rows = (status: string) => page.locator('tbody .status', { hasText: status });
  const all = async (count: number, status: string): Promise<void> => {
    await rows(status)
      .nth(count - 1)
      .waitFor();
    await rows(status).nth(count).waitFor({ state: 'detached' });
  };
  const bulk = async (verb: string, count: number): Promise<void> => {
    await stage.press(verb);
    await stage.confirm(new RegExp(`^${verb} `));
    await page.getByText(`${verb}: completed · ${count} of ${count}`).waitFor();
  };

  it('cancels a job on everything that matches, its number typed, and says what it left', async () => {
    await stage.goto(`${LIST}?name=Later`);
    await page.getByLabel('Select crowd-', { exact: false }).first().check();
    await stage.press('Select all that match');
    await stage.press('Force-terminate');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('3,000 instances').waitFor();
    assert.ok(await dialog.getByRole('button', { name: /^Force-terminate 3,000/ }).isDisabled());
    await dialog.getByLabel('Type 3,000 to go on').fill('3,000');
    await stage.shot('bulk-confirm');
    await stage.confirm(/^Force-terminate 3,000/);
    await stage.press('Cancel the rest');
    const told = page.getByText(/Force-terminate: cancelled/);
    await told.waitFor();
    const [, done, untouched] =
      /✓ ([\d,]+) done.* · ([\d,]+) not touched/.exec((await told.textContent()) ?? '') ?? [];
    const number = (text = ''): number => Number(text.replaceAll(',', ''));
    assert.equal(number(done) + number(untouched), CROWD);
    assert.ok(number(untouched) > 0);
    await stage.shot('bulk-cancelled');
  });

  it('suspends, resumes, terminates, restarts and purges a selection', async () => {
    await stage.goto(`${LIST}?name=Approval`);
    for (const n of [1, 2, 3]) await page.getByLabel(`Select flow-${n}`).check();
    await bulk('Suspend', 3);
    await all(3, 'Suspended');
    await bulk('Resume', 3);
    await all(3, 'Running');
    await bulk('Terminate', 3);
    await all(3, 'Terminated');
    await bulk('Restart', 3);
    await all(3, 'Running');
    await bulk('Force-terminate', 3);
    await all(3, 'Terminated');
    await bulk('Purge', 3);
    await stage.sees('No orchestration matches these filters.');
  });

  it('rewinds all that failed with an error, which is filtered by its type and text', async () => {
    await stage.goto(LIST);
    const search = async (kind: string, text: string): Promise<void> => {
      await page.getByLabel('Search in').selectOption(kind);
      await page.getByLabel('Search for').fill(text);
      await stage.press('Filter');
    };
    await page.getByRole('button', { name: /^Failed/ }).click();
    await search('errorType', 'TaskFailedError');
    await search('errorText', 'cannot charge');
    await page.waitForURL(/errorText=cannot/);
    await all(3, 'Failed');
    await page.getByLabel('Select broken-1').check();
    await bulk('Rewind', 1);
    await page.getByRole('link', { name: 'broken-1' }).click();
    await page.getByRole('link', { name: /^History/ }).click();
    await stage.sees('Execution rewound');
    await page.goBack();
    await page.goBack();
    await page.waitForURL(/errorText=cannot/);
    await page.getByRole('button', { name: /Error says: cannot charge/ }).waitFor();
    await search('errorText', 'another');
    await stage.sees('No orchestration matches these filters.');
  });

  it('finds children by their parent, and by exact times', async () => {
    await stage.goto(LIST);
    await page.getByLabel('Search in').selectOption('parent');
    await page.getByLabel('Search for').fill('family');
    await stage.press('Filter');
    await all(1, 'Completed');
    await stage.goto(`${LIST}?name=Parent`);
    await page.getByText('Exact times').click();
    await page.getByLabel('Ended from').fill('2001-01-01T00:00:00');
    await page.waitForURL(/completedFrom=200/);
    await page.getByRole('link', { name: 'family', exact: true }).waitFor();
    await page.getByLabel('Ended before').fill('2001-01-02T00:00:00');
    await stage.sees('No orchestration matches these filters.');
    await page.getByRole('button', { name: /Ended before: 2001-01-02 00:00:00/ }).click();
    await page.getByRole('link', { name: 'family', exact: true }).waitFor();
    await page.getByLabel('Created before').fill('2001-01-02T00:00:00');
    await stage.sees('No orchestration matches these filters.');
    await stage.shot('exact-times');
    await stage.assertAccessible();
    await stage.press('Clear filters');
    await page.getByRole('combobox', { name: /^Sub-orchestrations/ }).selectOption('only');
    await all(1, 'Completed');
  });

  it('opens a payload of the history page by page, and exports the history', async () => {
    await stage.goto(`${LIST}/large/history`);
    await page
      .getByText(/^input 195\./)
      .first()
      .click();
    const payload = page.locator('pre.payload');
    await payload.waitFor();
    const length = async (): Promise<number> => (await payload.textContent())?.length ?? 0;
    assert.ok((await length()) < LARGE);
    while ((await page.getByRole('button', { name: /^Show .* more/ }).count()) > 0) {
      const more = page.getByRole('button', { name: /^Show .* more/ });
      const before = (await more.textContent()) ?? '';
      await more.click();
      await page.getByRole('button', { name: before }).waitFor({ state: 'detached' });
    }
    assert.ok((await length()) > LARGE);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Export as JSON' }).click(),
    ]);
    const exported = JSON.parse(await readFile(await download.path(), 'utf8')) as object[];
    assert.ok('executionStarted' in (exported[1] ?? {}), JSON.stringify(exported[1]));
    const [lines] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'JSON lines' }).click(),
    ]);
    const text = await readFile(await lines.path(), 'utf8');
    assert.equal(text.trimEnd().split('\n').length, exported.length);
  });

  it('starts what a link filled in', async () => {
    await stage.goto(`${LIST}?new&name=Approval&id=linked&version=2&tag=a=b`);
    const dialog = page.getByRole('dialog');
    assert.equal(await dialog.getByLabel('Version').inputValue(), '2');
    await dialog.getByRole('button', { name: 'Start', exact: true }).click();
    await dialog.getByRole('link', { name: 'linked' }).click();
    await page.getByRole('button', { name: 'a=b' }).waitFor();
    assert.equal(await rows('Failed').count(), 0);
  });
});
