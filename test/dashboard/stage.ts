/** A real browser before a real scheduler with a real worker. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { openBrowser } from './chromium.ts';

const SHOTS = fileURLToPath(new URL('../../.tmp/screenshots/', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const DESK = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };

/** A page, and everything in it that went wrong. */
export class Stage {
  readonly page: Page;
  readonly #browser: Browser;
  readonly #origin: () => string;
  readonly #faults: string[] = [];

  private constructor(browser: Browser, page: Page, origin: () => string) {
    this.#browser = browser;
    this.page = page;
    this.#origin = origin;
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => this.#faults.push(error.message));
    page.on('console', (line) => {
      if (/Content Security|Refused/.test(line.text())) this.#faults.push(line.text());
    });
  }

  /** The origin is asked for at every page that is opened. */
  static async open(origin: () => string): Promise<Stage> {
    mkdirSync(SHOTS, { recursive: true });
    const browser = await openBrowser();
    const page = await browser.newPage({ viewport: DESK });
    return new Stage(browser, page, origin);
  }

  /** A cold load: nothing of an earlier page is left. */
  async goto(path: string): Promise<void> {
    await this.page.goto('about:blank');
    await this.page.goto(this.#origin() + path);
  }

  /** Waits for a text that can be seen. */
  async sees(text: string | RegExp): Promise<void> {
    await this.page.locator('main').getByText(text).locator('visible=true').first().waitFor();
  }

  async press(name: string | RegExp): Promise<void> {
    await this.page.getByRole('button', { name, exact: typeof name === 'string' }).click();
  }

  /** Presses a button of the dialog that is open. */
  async confirm(name: string | RegExp): Promise<void> {
    await this.page.getByRole('dialog').getByRole('button', { name }).click();
  }

  /** Kept as an artefact of the test run. */
  async shot(name: string): Promise<void> {
    await this.page.screenshot({ path: `${SHOTS}${name}.png`, fullPage: true });
  }

  /** Through the protocol of the debugger, which the page's own policy does not stop. */
  async assertAccessible(): Promise<void> {
    if (!(await this.page.evaluate(() => 'axe' in globalThis))) await this.page.evaluate(AXE);
    const violations = await this.page.evaluate(async () => {
      const { axe } = globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      };
      const found = await axe.run();
      return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`);
    });
    assert.deepEqual(violations, []);
  }

  /** Accessible in light, in dark and on a phone, whose screen nothing is wider than; three pictures. */
  async assertReadable(name: string): Promise<void> {
    await this.shot(name);
    await this.assertAccessible();
    await this.page.emulateMedia({ colorScheme: 'dark' });
    await this.shot(`${name}-dark`);
    await this.assertAccessible();
    await this.page.setViewportSize(PHONE);
    await this.shot(`${name}-360`);
    await this.assertAccessible();
    const width = await this.page.evaluate<number>('document.documentElement.scrollWidth');
    assert.ok(width <= PHONE.width, `${name} is ${width} wide`);
    await this.page.emulateMedia({ colorScheme: 'light' });
    await this.page.setViewportSize(DESK);
  }

  assertNoFaults(): void {
    assert.deepEqual(this.#faults.splice(0), []);
  }

  close(): Promise<void> {
    return this.#browser.close();
  }
}
