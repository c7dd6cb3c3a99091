import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../../src/cli/run-cli.ts';
import { openScheduler, type RunningScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { TaskHubWorker, type TaskEntityOperation } from '../../src/worker/index.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/OPERATIONS.md'), 'utf8');
const section = page.slice(
  page.indexOf('\n## From the command line'),
  page.indexOf('\n## Security'),
);

describe('durabletask, managing a scheduler', function () {
  this.timeout(30_000);
  let cwd: string;
  let scheduler: RunningScheduler;
  beforeEach(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'durabletask-management-'));
    scheduler = await openScheduler({ storage: 'memory', grpcPort: 0, httpPort: 0 });
  });
  afterEach(async () => {
    await scheduler.close();
    rmSync(cwd, { recursive: true });
  });

  async function run(args: readonly string[], stop = new AbortController().signal) {
    const stdout: string[] = [];
    const stderr: string[] = [];
    const code = await runCli(args, {
      env: { DURABLETASK_HTTP_ENDPOINT: scheduler.httpEndpoint },
      ...{ cwd, stop },
      stdout: (line) => stdout.push(line),
      stderr: (line) => stderr.push(line),
    });
    const json = (): Record<string, unknown>[] =>
      stdout.map((line) => JSON.parse(line) as Record<string, unknown>);
    return { code, stdout: stdout.join('\n'), stderr: stderr.join('\n'), json };
  }
  async function ok(...args: readonly string[]) {
    const result = await run(args);
    assert.equal(result.code, 0, `${args.join(' ')}\n${result.stderr}`);
    return result;
  }
  const start = (id: string, ...more: readonly string[]) =>
    ok('instance', 'start', '--function-name', 'Hello', '--id', id, ...more);
  const statusOf = async (id: string): Promise<unknown> =>
    (await ok('instance', 'show', '--id', id, '--json')).json()[0]?.['status'];

  it('runs every command of docs/OPERATIONS.md', async () => {
    const commands = [...section.matchAll(/^npx durabletask (.+)$/gm)].map(([, text = '']) => text);
    assert.equal(commands.length, 18);
    for (const command of commands) {
      const words = [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)];
      await ok(...words.map(([, single, double, plain]) => single ?? double ?? plain ?? ''));
    }
  });

  it('signals, shows, lists and cleans entities', async () => {
    const { grpcEndpoint: endpoint } = scheduler;
    const worker = new TaskHubWorker({ endpoint, taskHub: 'default', logger: silentLogger });
    worker.addNamedEntity('counter', () => ({
      run: ({ state, getInput }: TaskEntityOperation) =>
        state.setState((state.getState<number>() ?? 0) + (getInput<number>() ?? 1)),
    }));
    await worker.connected();
    try {
      const signal = ['entity', 'signal', '--operation-name', 'add', '--input', '20', '--id'];
      await ok(...signal, '@counter@a');
      const sent = await ok(...signal, '@counter@a');
      assert.equal(sent.stdout, "@counter@a: 'add' sent.");
      await ok(...signal, '@counter@b');
      const states = async () =>
        (await ok('entity', 'list', '--json')).json().map(({ statePreview }) => statePreview);
      const lateAt = Date.now() + 8000;
      while ((await states()).join() !== '40,20') assert.ok(Date.now() < lateAt, 'never applied');
      assert.match((await ok('entity', 'show', '--id', '@counter@a')).stdout, /State +40\n/);
      const first = await ok('entity', 'list', '--top', '1');
      const [, token = ''] = /--continuation-token (\S+)/.exec(first.stderr) ?? [];
      const rest = await ok('entity', 'list', '--continuation-token', token, '--json');
      assert.deepEqual(
        rest.json().map(({ id }) => id),
        ['@counter@b'],
      );
      assert.equal((await ok('entity', 'list', '--prefix', '@x')).stdout, 'No entity matches.');
      assert.equal((await ok('entity', 'clean')).stdout, '0 orphaned locks released.');
      const [gone, wrong] = [
        await run(['entity', 'show', '--id', '@counter@none']),
        await run([...signal.slice(0, 5), 'no json', '--id', '@counter@a']),
      ];
      assert.equal(gone.code, 1);
      assert.match(gone.stderr, /there is no entity '@counter@none'/);
      assert.equal(wrong.code, 2);
      assert.match(wrong.stderr, /--input must be JSON/);
    } finally {
      await worker.stop();
    }
  });

  it('creates, shows and lists task hubs, and deletes one only when it is meant', async () => {
    await ok('taskhub', 'create', '-n', 'orders');
    const hubs = (await ok('taskhub', 'list', '--json')).json();
    const shown = await ok('taskhub', 'show', '-n', 'orders');
    const asked = await run(['taskhub', 'delete', '-n', 'orders']);
    await ok('taskhub', 'delete', '-n', 'orders', '--yes');
    const gone = await run(['taskhub', 'show', '-n', 'orders']);

    assert.deepEqual(
      hubs.map(({ name }) => name),
      ['default', 'orders'],
    );
    assert.match(shown.stdout, /^Task hub +orders\n[^]*Workers +0$/);
    assert.equal(asked.code, 2);
    assert.match(asked.stderr, /deletes task hub 'orders' .* --yes/);
    assert.equal(gone.code, 1);
    assert.match(gone.stderr, /^durabletask: Task hub not found: orders/);
  });

  it('starts an orchestration and shows it, by the names of func durable too', async () => {
    writeFileSync(join(cwd, 'input.json'), '{"total":12}');
    await start('a/b c', '--input', '@input.json', '--tag', 'team=x', '--function-version', '1.0');
    const shown = await ok('instance', 'get-runtime-status', '--id', 'a/b c', '--show-input');
    const [json] = (await ok('instance', 'show', '--id', 'a/b c', '--json')).json();
    const again = await run(['instance', 'start-new', '--function-name', 'Hello', '--id', 'a/b c']);

    assert.match(shown.stdout, /^Id +a\/b c\n[^]*Tags +team=x\nInput +\{"total":12\}$/);
    assert.deepEqual([json?.['status'], json?.['version']], ['Pending', '1.0']);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /already exists/);
    const history = await ok('instance', 'get-history', '--id', 'a/b c');
    const waiting = await ok('instance', 'waiting', '--id', 'a/b c');
    assert.match(history.stdout, /Nothing has happened yet/);
    assert.match(waiting.stdout, /! hub-has-no-worker +orchestration +Hello/);
  });

  it('lists page after page up to --top, and goes on from a token', async () => {
    for (const id of ['a', 'b', 'c']) await start(id);
    const first = await run(['instance', 'list', '--sort', 'id', '--top', '2', '--json']);
    const [, token = ''] = /--continuation-token (\S+)/.exec(first.stderr) ?? [];
    const args = ['--sort', 'id', '--top', '2', '--continuation-token', token];
    const rest = await ok('instance', 'get-instances', ...args, '--json');
    const none = await ok('instance', 'list', '--runtime-status', 'Failed');

    const ids = (result: typeof first): unknown[] => result.json().map(({ id }) => id);
    assert.deepEqual([ids(first), ids(rest)], [['a', 'b'], ['c']]);
    assert.equal(rest.stderr, '');
    assert.equal(none.stdout, 'No orchestration matches.');
  });

  it('acts on one, on several, and with --yes on all that match', async () => {
    for (const id of ['a', 'b', 'c']) await start(id);
    await ok('instance', 'terminate', '--id', 'a', '--reason', 'enough');
    const several = await run(['instance', 'terminate', '--id', 'a', '--id', 'b']);
    const asked = await run(['instance', 'terminate', '--runtime-status', 'Pending']);
    assert.equal(await statusOf('c'), 'Pending');
    const rest = await ok('instance', 'terminate', '--runtime-status', 'Pending', '--yes');
    const waited = await run(['instance', 'wait', '--id', 'c']);
    const purged = await ok('instance', 'purge', '--all', '--yes', '--json');

    assert.equal(several.code, 1);
    assert.match(several.stderr, /^a: skipped, /);
    assert.match(several.stdout, /1 of 2 done, 1 skipped, 0 failed/);
    assert.match(asked.stderr, /^durabletask: 1 orchestrations match; add --yes to terminate them/);
    assert.equal(asked.code, 2);
    assert.match(rest.stdout, /^terminate completed: 1 of 1 done, 0 skipped, 0 failed\.$/);
    assert.equal(waited.code, 1);
    assert.match(waited.stdout, /^c: Terminated/);
    assert.equal(purged.json()[0]?.['done'], 3);
  });

  it('waits for the end as long as it may', async () => {
    await start('a');
    const late = await run(['instance', 'wait', '--id', 'a', '--timeout', '1']);
    const stopped = await run(['instance', 'wait', '--id', 'a'], AbortSignal.abort());

    for (const { code, stderr } of [late, stopped]) {
      assert.equal(code, 1);
      assert.equal(stderr, 'durabletask: a has not ended, it is Pending.');
    }
  });

  it('sets, shows and deletes the retention policy', async () => {
    const set = await ok('retention-policy', 'create', '-d', '30', '-f', '7');
    const shown = await ok('retention-policy', 'show', '--json');
    const deleted = await ok('retention-policy', 'delete');

    assert.match(set.stdout, /\(all others\) +30\nFailed +7$/);
    assert.deepEqual(shown.json(), [
      {
        retentionPolicies: [
          { retentionPeriodInDays: 30 },
          { retentionPeriodInDays: 7, orchestrationState: 'Failed' },
        ],
      },
    ]);
    assert.equal(deleted.stdout, 'Everything is kept.');
  });

  it('shows the configuration that start would use, or that a scheduler uses, without secrets', async () => {
    const storage = 'postgres://user:secret@host/db';
    const here = await ok('config', 'show', '--storage', storage, '--json');
    const there = await ok('config', 'show', '--http-endpoint', scheduler.httpEndpoint, '--json');

    const storageOf = (result: typeof here): unknown => {
      const found = result.json().find(({ key }) => key === 'storage');
      return [found?.['value'], found?.['source']];
    };
    assert.deepEqual(storageOf(here), ['postgres://user:••••@host/db', 'flag']);
    assert.deepEqual(storageOf(there), ['memory', 'option']);
  });

  it('says what is wrong with an argument, and exits with 2', async () => {
    const begin = ['instance', 'start', '--function-name', 'Hello'];
    for (const [args, text] of [
      [[...begin, '--input', '5x'], /--input must be JSON, got '5x'/],
      [
        [...begin, '--input', '@nowhere.json'],
        /--input: .*nowhere\.json cannot be read \(ENOENT\)/,
      ],
      [[...begin, '--tag', 'x'], /--tag must be key=value, got 'x'/],
      [['instance', 'purge'], /needs either --id, or a filter/],
      [['instance', 'purge', '--id', 'a', '--all'], /needs either --id, or a filter/],
      [['instance', 'list', '--top', 'many'], /whole number from 1/],
      [['retention-policy', 'create'], /needs days/],
      [['retention-policy', 'create', '-d', '91'], /whole number from 0 to 90/],
      [['instance', 'show'], /--id/],
    ] as const) {
      const { code, stderr } = await run(args);
      assert.equal(code, 2, `${args.join(' ')}\n${stderr}`);
      assert.match(stderr, text);
    }
    const unknown = await run(['instance', 'list', '--runtime-status', 'Done']);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /must be of Pending, Running/);
  });
});
