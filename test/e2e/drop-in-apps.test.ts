import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { openScheduler } from '../../src/server/index.ts';
import type { RunningScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { AppUnderTest, appDirOf, hasStatus, post, until } from './support/app-under-test.ts';
import type { Status } from './support/app-under-test.ts';

const TYPESCRIPT_FILES = ['src/index.ts', 'src/functions/approval.ts'];

/** Compiles the TypeScript app with `tsc`'s own checks, into a folder from which packages resolve. */
function compileTypeScriptApp(): string {
  const parent = fileURLToPath(new URL('../../.tmp', import.meta.url));
  mkdirSync(parent, { recursive: true });
  const dir = mkdtempSync(join(parent, 'typescript-'));
  cpSync(appDirOf('typescript'), dir, { recursive: true });
  const program = ts.createProgram(
    TYPESCRIPT_FILES.map((file) => join(dir, file)),
    {
      ...{ module: ts.ModuleKind.Node16, target: ts.ScriptTarget.ES2022, strict: true },
      ...{ skipLibCheck: true, types: ['node'], rootDir: dir, outDir: join(dir, 'dist') },
    },
  );
  const problems = ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText);
  assert.deepEqual(problems, []);
  program.emit();
  return dir;
}

async function sent(method: string, url: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url, { method });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

describe('a drop-in app over HTTP', function () {
  this.timeout(30_000);
  let scheduler: RunningScheduler;
  let compiled: string;
  before(async () => {
    compiled = compileTypeScriptApp();
    scheduler = await openScheduler({
      ...{ storage: 'memory', grpcPort: 0, httpPort: 0, logger: silentLogger },
      taskHubs: ['commonjs', 'module', 'typescript', 'triggers'],
    });
  });
  after(async () => {
    await scheduler.close();
    rmSync(compiled, { recursive: true });
  });

  const apps = [
    { kind: 'of JavaScript, CommonJS', hub: 'commonjs', route: 'orchestrators' },
    { kind: 'of JavaScript, ES modules', hub: 'module', route: 'start' },
    { kind: 'of TypeScript', hub: 'typescript', route: 'orchestrators' },
    { kind: 'with client functions', hub: 'triggers', route: 'orchestrators' },
  ];
  for (const { kind, hub, route } of apps) {
    describe(kind, () => {
      const app = new AppUnderTest();
      before(() =>
        app.open(hub, scheduler, hub === 'typescript' ? { appDir: compiled } : undefined),
      );
      after(() => app.close());

      it('starts, shows and takes an event', async () => {
        const links = await app.start(`${route}/waitsForApproval`, null);

        const waiting = await until(links, ({ customStatus }) => customStatus === 'waiting');
        const code = await post(links.sendEventPostUri.replace('{eventName}', 'Approval'), true);
        const ended = await until(links, hasStatus('Completed'));

        assert.deepEqual(app.errors, []);
        assert.deepEqual([waiting.runtimeStatus, code], ['Running', 202]);
        assert.deepEqual([ended.name, ended.output], ['waitsForApproval', { approved: true }]);
      });

      it('suspends, resumes, terminates and restarts', async () => {
        const links = await app.start(`${route}/waitsForApproval`, null);
        const codes = [await post(links.suspendPostUri)];
        await until(links, hasStatus('Suspended'));
        codes.push(await post(links.resumePostUri));
        await until(links, hasStatus('Running'));
        codes.push(await post(links.terminatePostUri));
        const ended = await until(links, hasStatus('Terminated'));
        codes.push(await post(links.terminatePostUri));

        const restarted = await sent(
          'POST',
          `${links.restartPostUri}&restartWithNewInstanceId=false`,
        );
        const again = await until(links, hasStatus('Running'));

        assert.deepEqual(codes, [202, 202, 202, 410]);
        assert.deepEqual([ended.output, restarted.status], ['because', 202]);
        assert.equal(again.runtimeStatus, 'Running');
      });

      it('rewinds what failed and purges what ended', async () => {
        const links = await app.start(`${route}/worksTheSecondTime`, null);
        const failed = await until(links, hasStatus('Failed'));
        const early = await sent('DELETE', `${app.url}/api/durabletask/instances/nobody`);

        const rewound = await post(links.rewindPostUri);
        const ended = await until(links, hasStatus('Completed'));
        const purged = await sent('DELETE', links.purgeHistoryDeleteUri);
        const gone = await sent('GET', links.statusQueryGetUri);

        assert.match(String(failed.output), /^Orchestrator function 'worksTheSecondTime' failed: /);
        assert.match(String(failed.output), /first time unlucky/);
        assert.deepEqual([rewound, ended.output], [202, 'second time lucky']);
        assert.deepEqual(purged, { status: 200, body: { instancesDeleted: 1 } });
        assert.deepEqual([early.status, gone.status], [404, 404]);
      });
    });
  }

  describe('with a client function for every trigger', () => {
    const app = new AppUnderTest();
    before(() => app.open('triggers', scheduler));
    after(() => app.close());

    async function fire(name: string, input: string): Promise<Status> {
      const response = await fetch(`${app.url}/admin/functions/${name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ input }),
      });
      assert.equal(response.status, 202, name);
      const statusQueryGetUri = `${app.url}/runtime/webhooks/durabletask/instances/${name}`;
      return until({ statusQueryGetUri }, hasStatus('Completed'));
    }

    it('starts orchestrations from each of them', async () => {
      const names = [
        ...['onBlob', 'onQueue', 'onServiceBusQueue', 'onServiceBusTopic', 'onEventHub'],
        ...['onEventGrid', 'onCosmosDB', 'onGeneric', 'onWarmup'],
      ];

      const statuses = await Promise.all(names.map((name) => fire(name, `{"from":"${name}"}`)));

      assert.deepEqual(app.errors, []);
      assert.deepEqual(
        statuses.map(({ output }) => output),
        names.map((name) => ({ from: name })),
      );
    });

    it('starts one from its timer', async () => {
      const { output } = await fire('onTimer', '');

      assert.deepEqual(output, ['schedule', 'scheduleStatus', 'isPastDue']);
    });
  });
});
