/** Timeline and flow of runs that have everything in them, in a real browser. */
import assert from 'node:assert/strict';
import { ApiFixture } from '../server/http/api/api-fixture.ts';
import type { InstanceJson } from '../../src/server/http/api/contract.ts';
import { registerFactory, type Factory } from './factory.ts';
import { Stage } from './stage.ts';
import { TravelClock } from './travel-clock.ts';

const LIST = '/taskhubs/default/orchestrations';
const ORDER = `${LIST}/order-1`;
const PICTURES = 1000;

describe('pictures of a run', function () {
  this.timeout(120_000);
  const clock = new TravelClock();
  let api: ApiFixture;
  let stage: Stage;
  let factory: Factory;

  const act = async (id: string, action: string, body = {}): Promise<void> => {
    const path = `/hubs/default/orchestrations/${id}/${action}`;
    const { status, text } = await api.call('POST', path, body);
    assert.ok(status < 300, text);
  };
  const row = async (id: string): Promise<InstanceJson['instance']> => {
    const { json } = await api.call('GET', `/hubs/default/orchestrations/${id}`);
    return (json as InstanceJson).instance;
  };
  const until = async (id: string, condition: (row: InstanceJson['instance']) => boolean) =>
    api.until(() => row(id), condition);
  const kinds = async (id: string): Promise<readonly string[]> => {
    const path = `/hubs/default/orchestrations/${id}/history?limit=200`;
    const { json } = await api.call('GET', path);
    return (json as { items: { kind: string; name?: string }[] }).items.map(
      ({ kind, name }) => `${kind} ${name ?? ''}`,
    );
  };
  const count = (list: readonly string[], wanted: string): number =>
    list.filter((each) => each.startsWith(wanted)).length;

  before(async () => {
    api = await ApiFixture.open(
      (worker) => {
        factory = registerFactory(worker);
      },
      { clock },
    );
    await api.start({ name: 'Delivery', id: 'rewound' });
    await api.start({ name: 'Poller', id: 'poller', input: '1' });
    await api.start({ name: 'Monitor', id: 'monitor' });
    await api.start({ name: 'Checkout', id: 'order-1', input: `${PICTURES}` });
    const saw = (kind: string, times: number) =>
      api.until(
        () => kinds('order-1'),
        (list) => count(list, kind) >= times,
      );
    await saw('timerCreated', 3);
    await act('order-1', 'suspend', { reason: 'a look at the bank' });
    await until('order-1', ({ status }) => status === 'Suspended');
    await act('order-1', 'resume', {});
    await until('order-1', ({ status }) => status === 'Running');
    await act('order-1', 'raise-event', { name: 'Approval', data: 'true' });
    await saw('timerCreated', 4);
    clock.forward(6 * 3_600_000);
    await saw('timerFired', 3);
    await api.until(
      async () => (await api.call('GET', '/hubs/default/orchestrations/order-1/waiting')).text,
      (text) => text.includes('"Archive"'),
    );
    await until('rewound', ({ status }) => status === 'Failed');
    stage = await Stage.open(() => api.scheduler.httpEndpoint);
  });
  after(async () => {
    await (stage as Stage | undefined)?.close();
    await api.close();
  });
  afterEach(() => stage.assertNoFaults());

  it('fold the hours in which nothing happened, and the thousand like steps', async () => {
    await stage.goto(ORDER);
    await stage.sees('Resize × 1,000');
    await stage.shot('timeline-story');
    await stage.assertAccessible();
  });

  it('open a thousand steps with the failed ones first, and draw only those in view', async () => {
    await stage.press(/Resize × 1,000/);
    const first = stage.page.getByRole('button', { name: /^Activity Resize\W+failed/ }).first();
    await first.waitFor();
    assert.ok((await stage.page.locator('.timeline li').count()) < 60);
    await first.click();
    await stage.sees(/cannot resize picture 83/);
    await stage.shot('timeline-selected');
    await stage.press(/Resize × 1,000/);
  });

  it('open a sub-orchestration in place', async () => {
    await stage.press('Steps of order-1:pay');
    await stage.page.getByRole('button', { name: /^Activity Pay\W+failed/ }).waitFor();
  });

  it('keep the window in the address, follow now, and go back to all of it', async () => {
    const { page } = stage;
    await page.getByRole('button', { name: /^Activity Archive/ }).focus();
    await page.keyboard.press('z');
    await page.waitForURL(/from=\d+&to=\d+/);
    await page.reload();
    await stage.sees('Archive');
    await stage.press(/Follow now/);
    await page.getByRole('button', { name: /Follow now/, pressed: true }).waitFor();
    await stage.press('Fit');
    await page.waitForURL((url) => !url.searchParams.has('from'));
  });

  it('are tables for whoever wants one', async () => {
    await stage.press('Show as table');
    await stage.page.getByRole('cell', { name: 'Entity lock' }).waitFor();
    await stage.assertAccessible();
    await stage.press('Show as picture');
  });

  it('are readable in the dark, and at 360 pixels', async () => {
    const { page } = stage;
    await page.emulateMedia({ colorScheme: 'dark' });
    await stage.shot('timeline-dark');
    await page.setViewportSize({ width: 360, height: 740 });
    await stage.sees('Archive');
    await stage.shot('timeline-360');
    await stage.assertAccessible();
    const width = await page.evaluate<number>('document.documentElement.scrollWidth');
    assert.ok(width <= 360, `the page is ${width} wide`);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  it('draw the run as a graph, with the sub-orchestration open in its place', async () => {
    const { page } = stage;
    await stage.goto(`${ORDER}/flow`);
    await page.getByRole('button', { name: /^Open Payment/ }).click();
    await page.getByRole('button', { name: /^Activity Pay .*failed/ }).waitFor();
    await stage.shot('flow-story');
    await stage.assertAccessible();
    await page.getByRole('button', { name: /Resize × 1,000/ }).click();
    await page.getByRole('button', { name: /976 more/ }).waitFor();
    await stage.shot('flow-group');
    const saved = page.waitForEvent('download');
    await stage.press('Export SVG');
    assert.equal((await saved).suggestedFilename(), 'order-1.svg');
  });

  it('fold loops, show the way to a failure, and go downwards at 360 pixels', async () => {
    const { page } = stage;
    await stage.goto(`${LIST}/monitor/flow`);
    await page.getByRole('button', { name: /⟳ × 22/ }).waitFor();
    await stage.shot('flow-loop');
    await stage.goto(`${LIST}/rewound/flow`);
    await page.locator('.flow-edge.bad').first().waitFor({ state: 'attached' });
    await stage.shot('flow-failed');
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await stage.goto(`${ORDER}/flow`);
    await page.getByRole('button', { name: /Resize × 1,000/ }).waitFor();
    await stage.shot('flow-360');
    await stage.assertAccessible();
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  it('show a rewind, and all that came after it', async () => {
    factory.open();
    await act('rewound', 'rewind', { reason: 'the ship is back' });
    await until('rewound', ({ status }) => status === 'Completed');
    await stage.goto(`${LIST}/rewound`);
    await stage.sees(/rewind: the ship is back/);
    await stage.shot('timeline-rewound');
  });
});
