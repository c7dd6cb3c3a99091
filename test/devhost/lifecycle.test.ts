import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { openDevHost } from '../../src/devhost/dev-host.ts';
import type { LogFields } from '../../src/telemetry/logger.ts';
import {
  appDirOf,
  FastClock,
  Lines,
  openTestApp,
  PLAIN_APP,
  TempApp,
  testOptions,
  within,
} from './test-app.ts';

const WITH_APP = `const { app } = require('@azure/functions');\n`;
const PID = `app.get('pid', async () => ({ body: String(process.pid) }));\n`;
const CRASH = `app.get('crash', async () => { setImmediate(() => { throw new Error('boom'); }); });\n`;

describe('lifetime of the dev host', function () {
  this.timeout(20_000);
  const temps: TempApp[] = [];
  const tempApp = (files: Readonly<Record<string, string>>): TempApp => {
    const app = new TempApp({ ...PLAIN_APP, ...files });
    temps.push(app);
    return app;
  };
  after(() => {
    for (const app of temps) app.remove();
  });

  it('waits for appStart hooks before it serves and runs appTerminate hooks before it ends', async () => {
    const env = { ON_START_SCHEDULE: '0 0 0 1 1 *' };
    const { host, lines } = await openTestApp(appDirOf('hello-cjs'), { env });
    assert.match(lines.text, /^appStart ran$/m);

    await host.close();
    await host.close();
    assert.match(lines.text, /^appTerminate ran, started: yes$/m);
    assert.deepEqual(await host.closed, { error: undefined });
  });

  it('starts the app again after a crash, on the same port', async () => {
    const app = tempApp({ 'index.js': `${WITH_APP}${PID}${CRASH}` });
    const { host, lines } = await openTestApp(app.dir, { clock: new FastClock(10) });
    const first = await pidOf(host.url);
    process.kill(first, 'SIGKILL');
    const second = await pidOf(host.url, { not: first });
    await fetch(`${host.url}/api/crash`).catch(() => undefined);
    const third = await pidOf(host.url, { not: second });
    await host.close();

    assert.notEqual(second, third);
    assert.match(lines.text, /Error: boom/);
  });

  it('gives up when the app crashes again and again, and says so', async () => {
    const app = tempApp({ 'index.js': `${WITH_APP}setTimeout(() => process.exit(7), 20);` });
    const { host } = await openTestApp(app.dir, { clock: new FastClock(10) });
    const { error } = await within(host.closed, () => 'it did not give up');
    await host.close();
    assert.match(error?.message ?? '', /ended 3 times within 60 s \(last: exit code 7\)/);
  });

  it('kills an app that does not end, whatever blocks it', async () => {
    const block = `app.get('block', async () => { console.log('blocked'); for (;;); });`;
    const app = tempApp({ 'index.js': `${WITH_APP}${PID}${block}` });
    const clock = new FastClock(1);
    const { host, lines } = await openTestApp(app.dir, { clock });
    const pid = await pidOf(host.url);
    const blocked = fetch(`${host.url}/api/block`).catch(() => undefined);
    await lines.next(/^blocked$/);

    clock.times = 40;
    await within(host.close(), () => 'it did not close');
    await blocked;
    assert.equal(isAlive(pid), false);
  });

  it('starts the app again on demand', async () => {
    const app = tempApp({ 'index.js': `${WITH_APP}${PID}` });
    const { host } = await openTestApp(app.dir);
    const first = await pidOf(host.url);
    await Promise.all([host.restart(), host.restart()]);
    const second = await pidOf(host.url);
    await host.close();
    assert.notEqual(first, second);
    await assert.rejects(host.restart(), /closed/);
  });

  it('runs appTerminate hooks also when the process of the app is told to end', async () => {
    const hook = `app.hook.appTerminate(() => console.log('told to end'));\n`;
    const app = tempApp({ 'index.js': `${WITH_APP}${hook}${PID}` });
    const { host, lines } = await openTestApp(app.dir);
    process.kill(await pidOf(host.url), 'SIGTERM');
    await lines.next(/^told to end$/);
    await host.close();
  });

  it('leaves no process of the app behind when it is killed itself', async () => {
    const app = tempApp({ 'index.js': `${WITH_APP}console.log('pid ' + process.pid);` });
    const parent = spawn(process.execPath, ['--input-type=module', '-e', parentCode(app.dir)]);
    const lines = new Lines();
    createInterface({ input: parent.stdout }).on('line', (line) => {
      lines.add(line);
    });
    await lines.next(/^open$/);
    const pid = Number((await lines.next(/^pid /)).slice(4));
    parent.kill('SIGKILL');
    await once(parent, 'close');
    await eventually(() => !isAlive(pid));
  });
});

describe('watching on the dev host', function () {
  this.timeout(20_000);

  it('starts the app again when its files change, also after one that cannot be loaded', async () => {
    const app = new TempApp({ ...PLAIN_APP, 'index.js': 'not JavaScript' });
    const errors = new Lines();
    const logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (_: string, { error }: LogFields = {}): void => {
        errors.add(String(error));
      },
    };
    const opening = openTestApp(app.dir, { watch: true, logger });
    await errors.next(/unable to load entry point "index.js"/);

    app.write('lib/text.js', `module.exports = 'one';`);
    const route = `app.get('text', async () => ({ body: require('./lib/text.js') }));`;
    app.write('index.js', `${WITH_APP}${route}`);
    const { host, lines } = await within(opening, () => 'the app was not started');
    assert.equal(await (await fetch(`${host.url}/api/text`)).text(), 'one');

    app.write('lib/text.js', `console.log('two is loaded'); module.exports = 'two';\n`);
    app.write('index.js', `require('./lib/text.js');\n${WITH_APP}${route}`);
    await lines.next(/^two is loaded$/);
    await eventually(async () => {
      const response = await fetch(`${host.url}/api/text`).catch(() => undefined);
      return (await response?.text()) === 'two';
    });
    await host.close();
    app.remove();
  });
});

describe('watching an app that never ends loading', function () {
  this.timeout(20_000);

  it('starts it again when it changes', async () => {
    const app = new TempApp({
      'host.json': '{"version":"2.0"}',
      'package.json': '{"main":"index.mjs"}',
      'index.mjs': `console.log('loading'); await new Promise(() => undefined);`,
    });
    const lines = new Lines();
    const output = (line: string): void => {
      lines.add(line);
    };
    const opening = openDevHost(testOptions(app.dir, { watch: true, output }));
    await lines.next(/^loading$/);
    app.write('index.mjs', `console.log('loaded');`);
    const host = await within(opening, () => 'the app was not started');
    await lines.next(/^No functions are served by this app\.$/);
    await host.close();
    app.remove();
  });
});

describe('an app that cannot be served', function () {
  this.timeout(20_000);

  it('is refused with the text of the worker when an entry point throws', async () => {
    const lines = new Lines();
    const output = (line: string): void => {
      lines.add(line);
    };
    await assert.rejects(openDevHost(testOptions(appDirOf('throws-at-load'), { output })), {
      name: 'DevHostError',
      message: 'Worker was unable to load entry point "src/index.js": the module is broken',
    });
    await lines.next(/src\/index\.js:1/);
  });

  const cases: readonly [string, Readonly<Record<string, string>>, RegExp][] = [
    [
      'has no host.json',
      { 'package.json': '{"main":"x.js"}' },
      /host\.json cannot be read .*create it/,
    ],
    [
      'has an appStart hook that throws',
      {
        ...PLAIN_APP,
        'index.js': `${WITH_APP}app.hook.appStart(() => { throw new Error('no'); });`,
      },
      /An appStart hook of the app failed: no/,
    ],
    [
      'ends itself',
      { ...PLAIN_APP, 'index.js': 'process.exit(3);' },
      /ended before .* \(exit code 3\)/,
    ],
    [
      'never ends loading',
      { ...PLAIN_APP, 'package.json': '{"main":"x.mjs"}', 'x.mjs': 'await new Promise(() => {});' },
      /did not load within 120 s/,
    ],
  ];
  for (const [what, files, message] of cases) {
    it(`is refused with the remedy when it ${what}`, async () => {
      const app = new TempApp(files);
      const clock = new FastClock(what === 'never ends loading' ? 300 : 1);
      await assert.rejects(openDevHost(testOptions(app.dir, { clock })), { message });
      app.remove();
    });
  }

  it('is refused when its port is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const printed: string[] = [];
    const output = (line: string): void => void printed.push(line);
    const options = testOptions(appDirOf('hello-esm'), { port, output });
    await assert.rejects(openDevHost(options), { message: new RegExp(`^Port ${port} .* in use`) });
    assert.doesNotMatch(printed.join('\n'), /EADDRINUSE/);
    server.close();
  });
});

async function pidOf(url: string, options: { readonly not?: number } = {}): Promise<number> {
  let pid = 0;
  await eventually(async () => {
    const response = await fetch(`${url}/api/pid`).catch(() => undefined);
    pid = Number(await response?.text());
    return pid > 0 && pid !== options.not;
  });
  return pid;
}

/** Asks again and again until it holds; fails after 10 s. */
async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, 'it does not hold');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function parentCode(appDir: string): string {
  const module = (path: string): string =>
    JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);
  return `
    import { openDevHost } from ${module('devhost/dev-host.ts')};
    import { systemClock } from ${module('base/clock.ts')};
    import { silentLogger } from ${module('telemetry/logger.ts')};
    await openDevHost({ appDir: ${JSON.stringify(appDir)}, port: 0, host: '127.0.0.1', env: {},
      preloads: [], pathAliases: {}, watch: false, inspect: undefined, logger: silentLogger,
      clock: systemClock, output: console.log });
    console.log('open');`;
}
