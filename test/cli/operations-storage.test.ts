/** The commands of docs/OPERATIONS.md on back-ups and moves, run as they stand there. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { TaskHubClient } from '../../src/client/index.ts';
import { findPostgres, systemHas } from '../support/postgres-binaries.ts';
import { PostgresSchema, sharedPostgres, stopSharedPostgres } from '../support/postgres.ts';
import { CLI_MAIN, CliProcess, endCliProcesses } from './support/cli-process.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/OPERATIONS.md'), 'utf8');
const [backup = '', moving = ''] = ['### Back-up', '### Moving'].map((title) => {
  const from = page.indexOf(title);
  return page.slice(from, page.indexOf('\n### ', from + 1));
});

/** The blocks of commands in a section, in order. */
function blocks(section: string): readonly string[] {
  return [...section.matchAll(/```sh\n([^]*?)```/g)].map(([, text = '']) => text);
}

const run = promisify(execFile);

describe('docs/OPERATIONS.md, storage', function () {
  this.timeout(40_000);
  let cwd: string;
  let path: string;
  before(async () => {
    await sharedPostgres();
    path = [await findPostgres(), process.env['PATH'] ?? ''].join(delimiter);
  });
  after(stopSharedPostgres);
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'durabletask-operations-'));
    // What `npx durabletask` is to a user.
    const npx = `#!/bin/sh\nshift\nexec '${process.execPath}' '${CLI_MAIN}' "$@"\n`;
    writeFileSync(join(cwd, 'npx'), npx, { mode: 0o755 });
  });
  afterEach(async () => {
    await endCliProcesses();
    rmSync(cwd, { recursive: true });
  });

  async function sh(commands: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
    const PATH = [cwd, dirname(process.execPath), path].join(delimiter);
    const options = { cwd, env: { ...process.env, PATH, ...env } };
    const { stdout } = await run('sh', ['-ec', commands], options);
    return stdout;
  }

  async function start(
    storage: readonly string[] = [],
  ): Promise<{ cli: CliProcess; client: TaskHubClient }> {
    const ports = ['--grpc-port', '0', '--http-port', '0'];
    const cli = new CliProcess(['start', '--json', ...ports, ...storage], { cwd });
    const { grpc } = await cli.ready();
    return { cli, client: TaskHubClient.open({ endpoint: grpc, taskHub: 'default' }) };
  }

  /** Whether there are the instances that were started before the back-up, and none of those after it. */
  async function assertRestored(storage: readonly string[] = []): Promise<void> {
    const { cli, client } = await start(storage);
    assert.ok(await client.getOrchestrationState('before'));
    assert.equal(await client.getOrchestrationState('after'), undefined);
    await client.close();
    assert.equal(await cli.stop('SIGTERM'), 0);
  }

  it('has a back-up of a SQLite file in use that brings back a damaged one', async () => {
    const [copy = '', restore = ''] = blocks(backup);
    const { cli, client } = await start();
    await client.scheduleNewOrchestration('Waits', undefined, { instanceId: 'before' });
    await sh(copy);
    await client.scheduleNewOrchestration('Waits', undefined, { instanceId: 'after' });
    await client.close();
    await cli.stop('SIGTERM');
    const file = join(cwd, '.durabletask', 'scheduler.db');
    truncateSync(file, statSync(file).size / 2);
    const damaged = new CliProcess(['start', '--grpc-port', '0', '--http-port', '0'], { cwd });
    assert.equal(await damaged.exited, 1);
    assert.match(
      damaged.stderr.join('\n'),
      /^durabletask: the database file '[^']+' is damaged \(/,
    );

    await sh(restore);

    await assertRestored();
  });

  it('has a dump of a PostgreSQL schema in use that brings it back', async () => {
    if (!(await systemHas('pg_dump'))) {
      const remedy = 'Debian: apt-get install postgresql';
      process.stdout.write(`    without pg_dump (${remedy}) the dump is not tried here\n`);
      return;
    }
    const [, , dump = '', restore = ''] = blocks(backup);
    const schema = await PostgresSchema.create();
    const storage = ['--storage', schema.url];
    const env = { DATABASE: (await sharedPostgres()).url };
    const { cli, client } = await start(storage);
    await client.scheduleNewOrchestration('Waits', undefined, { instanceId: 'before' });
    await sh(dump.replace('--schema=durabletask', `--schema=${schema.name}`), env);
    await client.scheduleNewOrchestration('Waits', undefined, { instanceId: 'after' });
    await client.close();
    await cli.stop('SIGTERM');

    await sh(restore, env);

    await assertRestored(storage);
    await schema[Symbol.asyncDispose]();
  });

  it('has commands that move everything to PostgreSQL', async () => {
    const [commands = ''] = blocks(moving);
    const schema = await PostgresSchema.create();
    const { cli, client } = await start();
    await client.scheduleNewOrchestration('Waits', undefined, { instanceId: 'before' });
    await client.close();
    await cli.stop('SIGTERM');

    const [move = '', startAgain = ''] = commands.split(/(?=npx durabletask start)/);
    const said = await sh(move, { DATABASE: schema.url });

    assert.match(
      said,
      /^Exported \d+ rows of default to hubs.txt\.\nImported \d+ rows of default from hubs.txt\./,
    );
    assert.equal(startAgain, 'npx durabletask start --storage "$DATABASE"\n');
    await assertRestored(['--storage', schema.url]);
    await schema[Symbol.asyncDispose]();
  });
});
