import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeProcess } from '../support/node-process.ts';
import { PostgresSchema, sharedPostgres, stopSharedPostgres } from '../support/postgres.ts';
import { Travellers } from './support/travellers.ts';
import { WorksInProgress } from './support/works-in-progress.ts';

const WORKER = new URL('./support/hello-worker.ts', import.meta.url);
const TRAVELLERS = 40;
const PENDING = 40;
const PENDING_BYTES = 500_000;

describe('task hubs with work in flight', function () {
  this.timeout(90_000);
  let folder: string;
  let schema: PostgresSchema;
  const processes = new Set<NodeProcess>();
  let works: WorksInProgress | undefined;
  let travellers: Travellers | undefined;

  before(() => sharedPostgres());
  after(stopSharedPostgres);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'durabletask-move-'));
    schema = await PostgresSchema.create();
  });
  afterEach(async () => {
    await travellers?.close();
    await works?.close();
    await Promise.all([...processes].map((each) => each.end('SIGKILL')));
    processes.clear();
    await schema[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  function cli(args: readonly string[], onLine?: (line: string) => void): NodeProcess {
    const started = NodeProcess.cli(args, { cwd: folder, ...(onLine && { onLine }) });
    processes.add(started);
    return started;
  }

  async function start(storage: string, port: string): Promise<NodeProcess> {
    const scheduler = cli([
      ...['start', '--json', '--storage', storage, '--task-hubs', 'default,works'],
      ...['--grpc-port', port, '--http-port', '0'],
    ]);
    await scheduler.ready();
    return scheduler;
  }

  /** Runs a command to its end; its output must match. */
  async function run(args: readonly string[], says: RegExp, code = 0): Promise<void> {
    const command = cli(args);
    assert.equal(await command.ended(), code, command.output);
    assert.match(command.output, says);
  }

  /** Kills the import as soon as it has stored something. */
  async function importAndKill(args: readonly string[]): Promise<void> {
    let kill: Promise<unknown> | undefined;
    const importing: NodeProcess = cli(args, (line) => {
      if (line.includes('"phase":"import"')) kill ??= importing.end('SIGKILL');
    });
    await importing.ended();
    assert.ok(kill, importing.output);
    assert.doesNotMatch(importing.output, /"event":"imported"/);
  }

  it('move to PostgreSQL and back, and go on there as if nothing had happened', async () => {
    const file = 'sqlite:before.db';
    const first = await start(file, '0');
    const { grpc } = await first.ready();
    const { port } = new URL(grpc);
    works = new WorksInProgress(grpc);
    await works.work();
    await works.begin();
    await works.pile(PENDING, PENDING_BYTES);
    const worker = new NodeProcess(WORKER, [grpc]);
    processes.add(worker);
    await worker.ready();
    await run(['export', 'no.txt', '--storage', file], /is in use by another scheduler/, 1);
    travellers = new Travellers(grpc);
    await travellers.start(TRAVELLERS);
    await travellers.someReturned(TRAVELLERS / 4);

    await first.end('SIGKILL');
    await run(['export', 'hubs.txt', '--storage', file], /Exported \d+ rows of default, works/);

    const flipped = await readFile(join(folder, 'hubs.txt'));
    const at = Math.floor(flipped.length / 2);
    flipped.writeUInt8(flipped.readUInt8(at) ^ 1, at);
    await writeFile(join(folder, 'flipped.txt'), flipped);
    const changed = /line \d+ is not what was exported: its checksum does not match/;
    await run(['import', 'flipped.txt', '--storage', schema.url], changed, 1);

    await importAndKill(['import', 'hubs.txt', '--json', '--storage', schema.url]);
    await run(['start', '--storage', schema.url], /holds an import that is not finished/, 1);
    const wentOn = /Imported \d+ rows of default, works from hubs.txt, going on after batch [1-9]/;
    await run(['import', 'hubs.txt', '--storage', schema.url], wentOn);

    const second = await start(schema.url, port);
    const returnedBefore = travellers.returnedCount;
    await run(
      ['import', 'hubs.txt', '--storage', schema.url],
      /is in use by 1 scheduler; stop it/,
      1,
    );
    await run(
      ['export', 'no.txt', '--storage', schema.url],
      /is in use by 1 scheduler; stop it/,
      1,
    );
    await travellers.allReturned();
    await travellers.assertRight();
    await works.end();
    assert.ok(returnedBefore < TRAVELLERS, 'all had returned before the move');
    assert.equal(await works.pending(), PENDING);
    assert.equal(await second.end('SIGTERM'), 0);

    await run(['import', 'hubs.txt', '--storage', schema.url], /'default' is not empty in the/, 1);
    await run(
      ['export', 'back.txt', '--storage', schema.url],
      /Exported \d+ rows of default, works/,
    );
    await run(['import', 'back.txt', '--storage', 'sqlite:after.db'], /Imported \d+ rows/);
    const third = await start('sqlite:after.db', port);
    await travellers.assertRight();
    await works.assertEnded();
    assert.equal(await works.pending(), PENDING);
    await works.rest();
    assert.equal(await third.end('SIGTERM'), 0);
  });
});
