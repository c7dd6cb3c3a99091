/** The scheduler goes away and comes back while a page is open. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openScheduler, type RunningScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Stage } from './stage.ts';

describe('dashboard of a scheduler that restarts', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'dashboard-restart-'));
  const storage = `sqlite:${join(folder, 'scheduler.db')}`;
  let scheduler: RunningScheduler;
  let stage: Stage;
  let isOpen = false;

  const open = async (httpPort: number): Promise<void> => {
    scheduler = await openScheduler({ storage, grpcPort: 0, httpPort, logger: silentLogger });
    isOpen = true;
  };
  const close = async (): Promise<void> => {
    if (isOpen) await scheduler.close();
    isOpen = false;
  };
  const start = async (id: string): Promise<void> => {
    await fetch(`${scheduler.httpEndpoint}/api/v1/hubs/default/orchestrations`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'Order', id }),
    });
  };
  before(async () => {
    await open(0);
    stage = await Stage.open(() => scheduler.httpEndpoint);
  });
  after(async () => {
    await stage.close();
    await close();
    rmSync(folder, { recursive: true });
  });

  it('says so, disables what would not arrive, and recovers by itself', async () => {
    const { page } = stage;
    await start('before');
    await stage.goto('/taskhubs/default/orchestrations/before');
    await page.getByText('● live').waitFor();
    await page.locator('button:enabled', { hasText: 'Terminate' }).first().waitFor();
    const port = Number(new URL(scheduler.httpEndpoint).port);
    await close();
    await page.getByText(/was shut down or restarts|Connection to the scheduler lost/).waitFor();
    await page.locator('button:disabled', { hasText: 'Terminate' }).first().waitFor();
    await stage.shot('disconnected');
    await stage.assertAccessible();
    await open(port);
    await page.getByText('Connected again.').waitFor();
    await page.getByText('● live').waitFor();
    await page.locator('button:enabled', { hasText: 'Terminate' }).first().waitFor();
    await page.getByRole('link', { name: 'Orchestrations' }).first().click();
    await start('after');
    await page.getByRole('link', { name: 'after' }).waitFor();
  });
});
