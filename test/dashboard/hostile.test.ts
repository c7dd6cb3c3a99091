/** What users' code stores is shown, never run; and what they call their instances can be linked to. */
import assert from 'node:assert/strict';
import type { CoreOrchestrationContext, TaskHubWorker } from '../../src/worker/index.ts';
import { ApiFixture } from '../server/http/api/api-fixture.ts';
import { Stage } from './stage.ts';

const LIST = '/taskhubs/default/orchestrations';
const BREAKOUT =
  '"><img src=x onerror="globalThis.broken=1"></script><script>globalThis.broken=1</script>';

/** JSON text by what is hostile in it, and a piece of it that people must be able to read. */
const PAYLOADS: Readonly<Record<string, { readonly input: string; readonly seen: string }>> = {
  html: { input: JSON.stringify(BREAKOUT), seen: 'onerror=' },
  keys: { input: JSON.stringify({ [BREAKOUT]: BREAKOUT, __proto__x: 1 }), seen: 'onerror=' },
  link: { input: '"javascript:globalThis.broken=1"', seen: 'javascript:globalThis' },
  'right-to-left': { input: '"pay \\u202e0001 \\u2066 now"', seen: '⟨U+202E⟩' },
  'raw right-to-left': { input: '"pay \u202e0001"', seen: '⟨U+202E⟩' },
  'lone surrogates': { input: '"\\ud83d and \\ude00"', seen: ' and ' },
  binary: {
    input: JSON.stringify(String.fromCodePoint(...Array.from({ length: 256 }, (_, at) => at))),
    seen: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  },
  'not JSON': { input: '\u0001\u0002<b>no JSON', seen: 'no JSON' },
  huge: {
    input: JSON.stringify(
      Array.from({ length: 20_000 }, (_, at) => ({ at, text: 'x'.repeat(20) })),
    ),
    seen: 'xxxxxxxxxxxxxxxxxxxx',
  },
  'one long line': { input: JSON.stringify('y'.repeat(900_000)), seen: 'yyyyyyyyyyyyyyyyyyyy' },
  deep: { input: '['.repeat(5000) + ']'.repeat(5000), seen: '[' },
};

const IDS = [
  'a:b',
  'a+b',
  'a/b',
  '/lead',
  'trail/',
  'a//b',
  'a%b',
  'a%2Fb',
  'a b',
  ' ',
  'space ',
  'q?x=1#y',
  'a&b=c',
  'back\\slash',
  `'"<b>`,
  '.',
  '..',
  '~!$*()',
];

function register(worker: TaskHubWorker): void {
  worker.addNamedActivity('Echo', (_, input: unknown) => input);
  worker.addNamedActivity('Throw', () => {
    throw new RangeError(BREAKOUT);
  });
  worker.addNamedOrchestrator(
    'Echo',
    function* (context: CoreOrchestrationContext, input: unknown): Generator {
      context.setCustomStatus(typeof input === 'string' ? input.slice(0, 300) : 'long');
      return yield context.callActivity('Echo', input);
    },
  );
  worker.addNamedOrchestrator(BREAKOUT, function* (context: CoreOrchestrationContext): Generator {
    yield context.callActivity('Throw');
  });
}

describe('dashboard, shown what is hostile', function () {
  this.timeout(120_000);
  let api: ApiFixture;
  let stage: Stage;
  before(async () => {
    api = await ApiFixture.open(register);
    stage = await Stage.open(() => api.scheduler.httpEndpoint);
  });
  after(async () => {
    await stage.close();
    await api.close();
  });
  afterEach(async () => {
    assert.equal(await stage.page.evaluate(() => 'broken' in globalThis), false);
    stage.assertNoFaults();
  });

  const path = (id: string, tab = ''): string => `${LIST}/${encodeURIComponent(id)}${tab}`;

  for (const [title, { input, seen }] of Object.entries(PAYLOADS)) {
    it(`shows ${title} as text`, async () => {
      const name = title === 'not JSON' ? 'Nobody' : 'Echo';
      await api.start({ name, id: title, input });
      if (name === 'Echo') {
        await api.until(
          () => api.call('GET', `/hubs/default/orchestrations/${encodeURIComponent(title)}`),
          ({ text }) => /"status":"(?:Completed|Failed)"/.test(text),
        );
      }
      await stage.goto(path(title, '/data'));
      await stage.sees(seen);
      await stage.shot(`hostile-${title.replaceAll(' ', '-')}`);
      await stage.goto(path(title, '/history'));
      await stage.sees(title);
    });
  }

  it('shows hostile names, tags, failures and filters as text', async () => {
    const tags = { [BREAKOUT]: BREAKOUT, note: BREAKOUT };
    await api.start({ name: BREAKOUT, id: 'named', tags });
    await api.until(
      () => api.call('GET', '/hubs/default/orchestrations/named'),
      ({ text }) => text.includes('"Failed"'),
    );
    for (const tab of ['', '/history', '/flow', '/data']) {
      await stage.goto(path('named', tab));
      await stage.sees('onerror=');
    }
    await stage.goto(
      `${LIST}?name=${encodeURIComponent(BREAKOUT)}&tag=${encodeURIComponent(`note=${BREAKOUT}`)}`,
    );
    await stage.page.getByRole('link', { name: 'named' }).waitFor();
    await stage.goto(
      `/taskhubs/${encodeURIComponent('<img src=x onerror=globalThis.broken=1>')}/orchestrations`,
    );
    await stage.page
      .getByText(/There is no hub/)
      .first()
      .waitFor();
  });

  it('links to every instance, whatever its id', async () => {
    for (const id of IDS) await api.start({ name: 'Echo', id, input: '1' });
    await stage.goto(`${LIST}?size=100`);
    await stage.goto(`${LIST}?size=100`);
    const links: (readonly [string, string])[] = [];
    for (const id of IDS) {
      const link = stage.page.locator(`tbody a[title=${JSON.stringify(id)}]`);
      links.push([id, (await link.getAttribute('href')) ?? '']);
    }
    for (const [id, link] of links) {
      const { pathname, search } = new URL(link, stage.page.url());
      await stage.goto(`${pathname}/history${search}`);
      await stage.sees('Task scheduled');
      const title = stage.page.locator('main h1');
      assert.equal((await title.textContent())?.replaceAll('⟨U+0020⟩', ' '), `Echo ${id}`);
    }
  });

  it('opens a link to an id that no instance can have, and names it', async () => {
    for (const id of ['😀🎉', 'ключ', '\u202ertl']) {
      await stage.goto(path(id, '/history'));
      await stage.page
        .getByText(/No instance/)
        .first()
        .waitFor();
      assert.equal(decodeURIComponent(new URL(stage.page.url()).pathname), `${LIST}/${id}/history`);
    }
  });
});
