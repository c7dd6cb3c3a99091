/** The dashboard of a scheduler that asks everybody who they are, in a browser. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { openScheduler, type RunningScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { OidcIssuer } from '../support/oidc-issuer.ts';
import { SigningIn } from '../support/signing-in.ts';
import { Stage } from './stage.ts';

const LIST = '/taskhubs/default/orchestrations';

describe('signing in to the dashboard', function () {
  this.timeout(60_000);
  let issuer: OidcIssuer;
  let people: SigningIn;
  let scheduler: RunningScheduler;
  let stage: Stage;
  let page: Stage['page'];

  before(async () => {
    issuer = await OidcIssuer.open();
    people = new SigningIn(issuer, {
      clientId: 'dashboard',
      redirectUri: () => `${scheduler.httpEndpoint}/signin`,
    });
    scheduler = await openScheduler({
      ...{ storage: 'memory', grpcPort: 0, httpPort: 0, logger: silentLogger },
      ...{ taskHubs: ['default', 'other'], authIssuers: [issuer.url], signInClientId: 'dashboard' },
      roleAssignments: [
        { role: 'contributor', assignee: 'ana', assigneeType: 'principal' },
        { role: 'reader', assignee: 'rea', assigneeType: 'principal', taskHub: 'default' },
      ],
    });
    stage = await Stage.open(() => scheduler.httpEndpoint);
    ({ page } = stage);
  });
  after(async () => {
    await stage.close();
    await scheduler.close();
    issuer.close();
  });
  afterEach(() => stage.assertNoFaults());

  const sheet = () => page.getByRole('dialog', { name: 'Sign in' });
  const signIn = async (): Promise<void> => {
    await sheet()
      .getByRole('button', { name: /^Sign in at/ })
      .click();
    await sheet().waitFor({ state: 'detached' });
  };
  /** What the scheduler answers from now on is that it knows nobody. */
  const endSession = async (): Promise<void> => {
    await page.route('**/api/v1/**', (route) =>
      route.request().url().endsWith('/api/v1/sign-in')
        ? route.continue()
        : route.fulfill({ status: 401, contentType: 'application/json', body: '{}' }),
    );
  };

  it('opens the very page that was asked for', async () => {
    await stage.goto(`${LIST}?status=Failed`);
    await sheet().waitFor();
    await stage.shot('sign-in');
    await stage.assertAccessible();
    await signIn();
    await stage.sees('No orchestration matches these filters.');
    await page.getByText('ana@example.com').waitFor();
    assert.match(page.url(), /status=Failed/);
    await page.getByText('● live').waitFor();
    const stored = await page.evaluate<string>(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])',
    );
    assert.doesNotMatch(stored, /eyJ/);
  });

  it('lets a contributor act, and download what needs a token', async () => {
    await stage.press('Start orchestration');
    const form = page.getByRole('dialog');
    await form.getByLabel('Name', { exact: true }).fill('Nobody');
    await form.getByLabel('Instance id').fill('secret');
    await form.getByRole('button', { name: 'Start', exact: true }).click();
    await form.getByRole('link', { name: 'secret' }).click();
    await page.getByRole('link', { name: /^History/ }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Export as JSON' }).click(),
    ]);
    assert.equal(download.suggestedFilename(), 'history.json');
    assert.match(await readFile(await download.path(), 'utf8'), /^\[/);
  });

  it('keeps what was typed when the session ends', async () => {
    await page.getByRole('link', { name: 'Orchestrations' }).first().click();
    await stage.press('Start orchestration');
    const input = page.getByRole('dialog').getByLabel('Input (JSON)');
    await input.fill('{"half":');
    await endSession();
    await page.evaluate('dispatchEvent(new Event("nothing"))');
    await page.getByLabel('Name', { exact: true }).fill('Nobody');
    await input.fill('{"half":1}');
    await page.getByRole('dialog').getByRole('button', { name: 'Start', exact: true }).click();
    await sheet().getByText('nothing you typed is lost').waitFor();
    await stage.shot('session-ended');
    await page.unroute('**/api/v1/**');
    await signIn();
    assert.equal(await input.inputValue(), '{"half":1}');
    await page.getByRole('dialog').getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByRole('dialog').getByText('Started').waitFor();
  });

  it('shows a reader everything and lets them change nothing', async () => {
    people.who = 'rea';
    await stage.goto(`${LIST}/secret`);
    await signIn();
    await page.getByText('You may look at task hub “default” and not change it').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Terminate', exact: true }).isDisabled());
    await stage.shot('reader');
    await stage.assertAccessible();
    await page.setViewportSize({ width: 360, height: 740 });
    await stage.shot('reader-360');
    const width = await page.evaluate<number>('document.documentElement.scrollWidth');
    assert.ok(width <= 360, `the page is ${width} wide`);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  it('tells somebody without a role which one is missing', async () => {
    people.who = 'nobody';
    await stage.goto(LIST);
    await signIn();
    await stage.sees(/nobody.* lacks the role Durable Task Data/);
    await stage.shot('no-role');
    await page.getByRole('link', { name: 'Task hubs' }).click();
    await stage.sees(/You can see no task hub here.*nobody@example.com/);
  });

  it('says why nobody came in, and signs out', async () => {
    people.who = undefined;
    await stage.goto(LIST);
    await sheet()
      .getByRole('button', { name: /^Sign in at/ })
      .click();
    await sheet()
      .getByText(/refused: the person said no/)
      .waitFor();
    people.who = 'ana';
    await signIn();
    await stage.press('Sign out');
    await sheet().waitFor();
    assert.equal(await page.getByText('ana@example.com').count(), 0);
  });

  it('takes a token that somebody brings along', async () => {
    await sheet().getByText('Use a token').click();
    const bring = async (token: string): Promise<void> => {
      await sheet()
        .getByLabel(/^Bearer token/)
        .fill(token);
      await sheet().getByRole('button', { name: 'Use this token' }).click();
    };
    await bring(await issuer.token({ claims: { sub: 'ana', aud: 'https://another' } }));
    await sheet()
      .getByText(/for the audience "https:\/\/another"/)
      .waitFor();
    await bring(await issuer.token({ claims: { sub: 'ana' } }));
    await sheet().waitFor({ state: 'detached' });
    await page.getByText('ana', { exact: true }).waitFor();
  });

  it('renews the session before it ends', async () => {
    people.expiresIn = 1;
    await stage.goto(LIST);
    await signIn();
    await page.waitForResponse((answer) => answer.url() === `${issuer.url}/token`);
    await page.getByText('ana@example.com').waitFor();
    assert.ok(people.grants.includes('refresh_token'));
  });
});
