import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/base/clock.ts';
import { openDevHost } from '../../src/devhost/dev-host.ts';
import type { DevHost } from '../../src/devhost/dev-host.ts';
import { openScheduler } from '../../src/server/index.ts';
import type { RunningScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';

const REGISTER = new URL('../../src/register/register.ts', import.meta.url).href;
const EXAMPLE_SECRET = 'a secret of thirty-two characters';

interface Links {
  readonly id: string;
  readonly statusQueryGetUri: string;
  readonly sendEventPostUri: string;
  readonly terminatePostUri: string;
  readonly suspendPostUri: string;
  readonly resumePostUri: string;
}

interface Status {
  readonly runtimeStatus: string;
  readonly output: unknown;
  readonly customStatus: unknown;
}

/** An app on the dev host, with the preload, in a task hub of its own. */
class AppUnderTest {
  readonly output: string[] = [];
  #host: DevHost | undefined;

  async open(name: string, scheduler: RunningScheduler, env: Record<string, string> = {}) {
    this.#host = await openDevHost({
      appDir: fileURLToPath(new URL(`./apps/${name}`, import.meta.url)),
      port: 0,
      host: '127.0.0.1',
      env: {
        TASKHUB_NAME: name,
        DURABLE_TASK_SCHEDULER_CONNECTION_STRING: `Endpoint=${scheduler.grpcEndpoint};TaskHub=unused;Authentication=None`,
        ...env,
      },
      preloads: [REGISTER],
      pathAliases: { '/runtime/webhooks/durabletask': '/api/durabletask' },
      watch: false,
      inspect: undefined,
      logger: silentLogger,
      clock: systemClock,
      output: (line) => this.output.push(line),
    });
  }

  get url(): string {
    return this.#host?.url ?? '';
  }

  get functionNames(): string[] {
    return (this.#host?.functions ?? []).map(({ name }) => name);
  }

  get errors(): unknown[] {
    return (this.#host?.functions ?? []).filter(({ error }) => error !== undefined);
  }

  async start(path: string, body?: unknown): Promise<Links> {
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${this.url}/api/${path}`, { method: 'POST', ...init });
    assert.equal(response.status, 202, this.output.join('\n'));
    return (await response.json()) as Links;
  }

  async close(): Promise<void> {
    await this.#host?.close();
  }
}

async function statusOf({ statusQueryGetUri }: Links): Promise<Status> {
  const response = await fetch(statusQueryGetUri);
  return (await response.json()) as Status;
}

/** Asks until the status is as wanted, for at most ten seconds. */
async function until(links: Links, isWanted: (status: Status) => boolean): Promise<Status> {
  const deadlineAt = systemClock.now() + 10_000;
  for (;;) {
    const status = await statusOf(links);
    if (isWanted(status) || systemClock.now() > deadlineAt) return status;
    await systemClock.sleepUntil(systemClock.now() + 20, { signal: new AbortController().signal });
  }
}

function hasStatus(name: string): (status: Status) => boolean {
  return ({ runtimeStatus }) => runtimeStatus === name;
}

async function post(link: string, body?: unknown): Promise<number> {
  const init =
    body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(link.replace('{text}', 'because'), { method: 'POST', ...init });
  return response.status;
}

describe('an unmodified Durable Functions app', function () {
  this.timeout(30_000);
  let scheduler: RunningScheduler;
  before(async () => {
    scheduler = await openScheduler({
      storage: 'memory',
      taskHubs: ['commonjs', 'module'],
      grpcPort: 0,
      httpPort: 0,
      logger: silentLogger,
    });
  });
  after(() => scheduler.close());

  describe('in CommonJS', () => {
    const app = new AppUnderTest();
    before(() => app.open('commonjs', scheduler));
    after(() => app.close());

    it('shows the host only functions that it can serve', () => {
      assert.deepEqual(app.errors, []);
      assert.deepEqual(app.functionNames, ['durabletask-management', 'httpStart', 'startAndWait']);
    });

    it('runs activities in turn and serves the result under its status link', async () => {
      const links = await app.start('orchestrators/helloCities');

      const status = await until(links, hasStatus('Completed'));

      assert.deepEqual(status.output, ['Hello Tokyo!', 'Hello Seattle!', 'Hello London!']);
    });

    it('starts an orchestration and waits for its output', async () => {
      const response = await fetch(`${app.url}/api/wait/helloCities`);

      assert.equal(response.status, 200);
      assert.deepEqual(await response.json(), ['Hello Tokyo!', 'Hello Seattle!', 'Hello London!']);
    });

    it('shows a custom status, and takes an event by its link', async () => {
      const links = await app.start('orchestrators/waitsForApproval');
      const waiting = await until(links, ({ customStatus }) => customStatus === 'waiting');

      const sent = await post(links.sendEventPostUri.replace('{eventName}', 'Approval'), 'yes');
      const status = await until(links, hasStatus('Completed'));

      assert.equal(waiting.runtimeStatus, 'Running');
      assert.equal(sent, 202);
      assert.deepEqual(status.output, { approved: 'yes' });
    });

    it('suspends, resumes and terminates by link, with 410 once it has ended', async () => {
      const links = await app.start('orchestrators/waitsForApproval');

      assert.equal(await post(links.suspendPostUri), 202);
      assert.equal((await until(links, hasStatus('Suspended'))).runtimeStatus, 'Suspended');
      assert.equal(await post(links.resumePostUri), 202);
      assert.equal((await until(links, hasStatus('Running'))).runtimeStatus, 'Running');
      assert.equal(await post(links.terminatePostUri), 202);
      const status = await until(links, hasStatus('Terminated'));

      assert.equal(status.output, 'because');
      assert.equal(await post(links.terminatePostUri), 410);
    });

    it('says which orchestrator failed and why', async () => {
      const links = await app.start('orchestrators/fails');

      const status = await until(links, hasStatus('Failed'));

      assert.match(String(status.output), /^Orchestrator function 'fails' failed: .*too far/);
    });

    it('fails an orchestration that the app does not have', async () => {
      const links = await app.start('orchestrators/nobody');

      const status = await until(links, hasStatus('Failed'));

      assert.match(String(status.output), /^Orchestrator function 'nobody' failed: .*nobody/);
    });

    it('refuses to start a second live instance with the same id', async () => {
      await app.start('orchestrators/waitsForApproval?id=taken');

      const second = `${app.url}/api/orchestrators/waitsForApproval?id=taken`;
      const management = `${app.url}/api/durabletask/orchestrators/waitsForApproval/taken`;

      assert.equal((await fetch(second, { method: 'POST' })).status, 500);
      assert.equal(await post(management), 409);
    });

    it('runs durable functions that are registered with app.generic', async () => {
      const links = await app.start('orchestrators/genericOrchestration', { n: 1 });

      const status = await until(links, hasStatus('Completed'));

      assert.deepEqual(status.output, [{ n: 1 }, 'commonjs']);
    });

    it('serves the classic path through an alias of the host', async () => {
      const { id } = await app.start('orchestrators/helloCities');

      const response = await fetch(`${app.url}/runtime/webhooks/durabletask/instances/${id}`);

      assert.ok([200, 202].includes(response.status));
    });

    it('answers 404 for a missing instance and for unknown paths', async () => {
      const statuses = await Promise.all(
        ['instances/missing', 'nowhere', 'instances/x/explode'].map(
          async (path) => (await fetch(`${app.url}/api/durabletask/${path}`)).status,
        ),
      );

      assert.deepEqual(statuses, [404, 404, 404]);
    });
  });

  describe('as an ES module, outside development', () => {
    const app = new AppUnderTest();
    const { AZURE_FUNCTIONS_ENVIRONMENT: environment } = process.env;
    before(async () => {
      process.env['AZURE_FUNCTIONS_ENVIRONMENT'] = 'Production';
      await app.open('module', scheduler, { DURABLETASK_MANAGEMENT_SECRET: EXAMPLE_SECRET });
    });
    after(async () => {
      if (environment === undefined) delete process.env['AZURE_FUNCTIONS_ENVIRONMENT'];
      else process.env['AZURE_FUNCTIONS_ENVIRONMENT'] = environment;
      await app.close();
    });

    it('has no management route but the signed one', () => {
      assert.deepEqual(app.functionNames, ['durabletask-management-signed', 'start']);
    });

    it('runs registered activities, children and retries', async () => {
      const links = await app.start('start/helloCities', null);

      const status = await until(links, hasStatus('Completed'));

      assert.deepEqual(status.output, [
        'Hello Tokyo!',
        'Hello Seattle!',
        'Hello London!',
        'Hello Paris!',
        'at last',
      ]);
    });

    it('runs an async generator with its input as second argument', async () => {
      const links = await app.start('start/asyncHello', 'Oslo');

      const status = await until(links, hasStatus('Completed'));

      assert.equal(status.output, 'Hello Oslo!');
    });

    it('refuses links without their signature', async () => {
      const links = await app.start('start/helloCities', null);
      const unsigned = new URL(links.statusQueryGetUri);
      unsigned.searchParams.delete('sig');

      assert.equal((await fetch(unsigned)).status, 401);
      assert.equal((await fetch(`${app.url}/api/durabletask/instances/${links.id}`)).status, 404);
    });
  });
});
