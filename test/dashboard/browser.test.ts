/** The dashboard in a real browser, before a real scheduler with a real worker. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { ApiFixture, registerShop } from '../server/http/api/api-fixture.ts';
import { openBrowser } from './chromium.ts';

const SHOTS = fileURLToPath(new URL('../../.tmp/screenshots/', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const LIST = '/taskhubs/default/orchestrations';
const HOSTILE =
  '"<img src=x onerror=window.broken=1></script><script>window.broken=1</script>\u202e"';

describe('dashboard', function () {
  this.timeout(180_000);
  let api: ApiFixture;
  let browser: Browser;
  let page: Page;
  const faults: string[] = [];

  before(async () => {
    mkdirSync(SHOTS, { recursive: true });
    api = await ApiFixture.open(registerShop);
    await api.start({ name: 'Order', id: 'order-1', input: '{"amount":5}', tags: { env: 'prod' } });
    await api.start({ name: 'Order', id: 'order-2', input: '{"amount":-1}' });
    await api.start({ name: 'Approval', id: 'wait-1' });
    await api.start({ name: 'Approval', id: 'a/b 100%', input: HOSTILE });
    browser = await openBrowser();
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(10_000);
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (line) => {
      if (/Content Security|Refused/.test(line.text())) faults.push(line.text());
    });
  });
  after(async () => {
    await browser.close();
    await api.close();
  });
  afterEach(() => assert.deepEqual(faults.splice(0), []));

  const open = (path: string) => page.goto(api.scheduler.httpEndpoint + path);
  const shot = (name: string) => page.screenshot({ path: `${SHOTS}${name}.png`, fullPage: true });
  /** Through the protocol of the debugger, which the page's own policy does not stop. */
  const violations = async (): Promise<string[]> => {
    await page.evaluate(AXE);
    return page.evaluate(async () => {
      const { axe } = globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      };
      const found = await axe.run();
      return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`);
    });
  };

  const pages: readonly (readonly [string, string, string])[] = [
    ['list', LIST, 'order-1'],
    ['hubs', '/taskhubs', 'other'],
    ['timeline', `${LIST}/order-2`, 'cannot charge'],
    ['history', `${LIST}/order-1/history`, 'Task scheduled'],
    ['flow', `${LIST}/order-1/flow`, 'after'],
    ['data', `${LIST}/order-1/data`, 'charged 5'],
    ['waiting', `${LIST}/wait-1/waiting`, 'external event'],
    ['workers', '/taskhubs/default/workers', 'Delivered'],
    ['retention', '/retention', 'Completed, days'],
    ['settings', '/settings', 'DURABLETASK_STORAGE'],
    [
      'product link',
      '/subscriptions/local/schedulers/emulator/taskhubs/default/orchestrations/order-1',
      'Timeline',
    ],
  ];
  for (const [name, path, text] of pages) {
    it(`opens ${name} on a cold load, accessible`, async () => {
      await open(path);
      await page.locator('main').getByText(text).locator('visible=true').first().waitFor();
      await shot(name.replace(' ', '-'));
      assert.deepEqual(await violations(), []);
    });
  }

  it('filters by status in the address, and clears with one button', async () => {
    await open(LIST);
    await page.getByRole('button', { name: /^Failed/ }).click();
    await page.waitForURL(/status=Failed/);
    await page.getByRole('link', { name: 'order-2' }).waitFor();
    await page.getByRole('link', { name: 'order-1' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.getByRole('link', { name: 'order-1' }).waitFor();
  });

  it('starts an orchestration and raises the event that it waits for', async () => {
    await open(`${LIST}?new`);
    await page.getByLabel('Name', { exact: true }).fill('Approval');
    await page.getByLabel('Instance id').fill('from-page');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByRole('link', { name: 'from-page' }).first().click();
    await page.getByRole('button', { name: 'Raise event' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('Approved');
    await page.getByRole('dialog').getByRole('button', { name: 'Raise event' }).click();
    await page.locator('header .status', { hasText: 'Completed' }).waitFor();
  });

  it('shows hostile payloads and ids as text', async () => {
    await open(LIST);
    await page.getByRole('link', { name: 'a/b 100%' }).click();
    await page.getByRole('link', { name: 'Input/Output' }).click();
    await page.getByText('onerror=window.broken').waitFor();
    assert.equal(await page.evaluate(() => 'broken' in globalThis), false);
    await page.getByText('⟨U+202E⟩').waitFor();
  });

  it('terminates a selection as a job with progress', async () => {
    await open(`${LIST}?id=wait-1`);
    await page.getByLabel('Select wait-1').check();
    await page.getByRole('button', { name: 'Terminate', exact: true }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Terminate 1/ })
      .click();
    await page.getByText(/1 done/).waitFor();
    await page.locator('tbody .status', { hasText: 'Terminated' }).waitFor();
  });

  it('is readable at 360 pixels and in the dark', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 360, height: 740 });
    await open(LIST);
    await page.getByRole('link', { name: 'order-1' }).waitFor();
    await shot('dark-360');
    assert.deepEqual(await violations(), []);
    const width = await page.evaluate<number>('document.documentElement.scrollWidth');
    assert.ok(width <= 360, `the page is ${width} wide`);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1280, height: 800 });
  });
});
