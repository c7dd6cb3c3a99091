import assert from 'node:assert/strict';
import { openScheduler } from '../../src/server/index.ts';
import type { RunningScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { AppUnderTest, EXAMPLE_SECRET, hasStatus, post, until } from './support/app-under-test.ts';

describe('an unmodified Durable Functions app', function () {
  this.timeout(30_000);
  let scheduler: RunningScheduler;
  before(async () => {
    scheduler = await openScheduler({
      storage: 'memory',
      taskHubs: ['commonjs', 'module', 'hooks'],
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

    it('shows the host only bindings that it can serve, and durable functions without theirs', async () => {
      const response = await fetch(`${app.url}/admin/functions`);
      const listed = (await response.json()) as readonly {
        readonly name: string;
        readonly config: { readonly bindings: readonly Record<string, unknown>[] };
      }[];

      const bindingsOf = (wanted: string): unknown =>
        listed
          .find(({ name }) => name === wanted)
          ?.config.bindings.map(({ type, direction, authLevel, methods, route }) => ({
            ...{ type, direction, authLevel, methods, route },
          }));
      const plain = { authLevel: undefined, methods: undefined, route: undefined };
      const out = { ...plain, type: 'http', direction: 'out' };
      const http = { type: 'httpTrigger', direction: 'in', authLevel: 'anonymous' };
      assert.deepEqual(app.errors, []);
      assert.deepEqual(bindingsOf('httpStart'), [
        { ...http, methods: ['GET', 'POST'], route: 'orchestrators/{name}' },
        out,
      ]);
      assert.deepEqual(bindingsOf('durabletask-management'), [
        {
          ...{ ...http, authLevel: 'function', methods: ['GET', 'POST', 'DELETE'] },
          route: 'durabletask/{*path}',
        },
        out,
      ]);
      for (const name of [
        'helloCities',
        'sayHello',
        'genericOrchestration',
        'genericActivity',
        'counter',
      ]) {
        const manual = { ...plain, type: 'manualTrigger', direction: 'in' };
        assert.deepEqual(bindingsOf(name), [manual], name);
      }
      const types = listed.flatMap(({ config }) => config.bindings.map(({ type }) => type));
      assert.deepEqual([...new Set(types)].sort(), ['http', 'httpTrigger', 'manualTrigger']);
    });

    it('runs a durable function that is fired by hand', async () => {
      for (const [name, input] of Object.entries({
        helloCities: '',
        sayHello: 'you',
        counter: '{"key":"byHand","operation":"add","input":5}',
      })) {
        const response = await fetch(`${app.url}/admin/functions/${name}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ input }),
        });
        assert.equal(response.status, 202, name);
      }

      const started = /Started orchestration 'helloCities' with the id '([^']+)'/;
      const id = await app.lineWith(started);
      const statusQueryGetUri = `${app.url}/api/durabletask/instances/${id}`;
      const { output } = await until({ statusQueryGetUri }, hasStatus('Completed'));
      assert.deepEqual(output, ['Hello Tokyo!', 'Hello Seattle!', 'Hello London!']);
      await app.lineWith(/(Executed 'Functions.sayHello' \(Succeeded)/);
      await app.lineWith(/(Executed 'Functions.counter' \(Succeeded)/);
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

      const prefix =
        "Orchestrator function 'nobody' failed: The function 'nobody' doesn't exist, is disabled, or " +
        'is not an orchestrator function. Additional info: The following are the known orchestrator ' +
        "functions: '";
      assert.ok(String(status.output).startsWith(prefix), String(status.output));
      assert.doesNotMatch(String(status.output), /BuiltIn__/);
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
      const env = {
        DURABLETASK_MANAGEMENT_SECRET: EXAMPLE_SECRET,
        DURABLETASK_SHOW_FUNCTIONS: 'off',
      };
      await app.open('module', scheduler, { env });
    });
    after(async () => {
      if (environment === undefined) delete process.env['AZURE_FUNCTIONS_ENVIRONMENT'];
      else process.env['AZURE_FUNCTIONS_ENVIRONMENT'] = environment;
      await app.close();
    });

    it('has no management route but the signed one, and lists no durable functions', () => {
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

  describe('with hooks', () => {
    const app = new AppUnderTest();
    before(() => app.open('hooks', scheduler));
    after(() => app.close());

    it('runs them around durable functions, also those that it registers as it starts', async () => {
      const links = await app.start('orchestrators/registeredAtStart');

      const { output } = await until(links, hasStatus('Completed'));

      assert.deepEqual(output, ['<Hello! you>', 'made good: no']);
    });

    it('shows them each turn of an orchestrator and each activity, once', async () => {
      const response = await fetch(`${app.url}/api/seen`);

      const around = (name: string): string[] => [`before ${name}`, `after ${name}`];
      assert.deepEqual(await response.json(), [
        ...around('registeredAtStart'),
        ...around('greet'),
        ...around('registeredAtStart'),
        ...around('fails'),
        ...around('registeredAtStart'),
      ]);
    });

    it('shows them each operation of an entity, whatever its shape', async () => {
      const links = await app.start('orchestrators/counts');
      const { output } = await until(links, hasStatus('Completed'));
      const response = await fetch(`${app.url}/api/seen`);

      const seen = ((await response.json()) as string[]).filter((each) =>
        /counter|made/.test(each),
      );
      assert.deepEqual(output, [2, 2]);
      assert.deepEqual(seen, ['before counter', 'after counter', 'before made', 'after made']);
    });
  });
});
