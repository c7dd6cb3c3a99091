import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { runCli } from '../../src/cli/run-cli.ts';
import { onStopSignal, stopped } from '../../src/cli/stop-signal.ts';
import { describeStorage, readyLine } from '../../src/cli/ready.ts';

async function run(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(args, {
    env: {},
    cwd: '/nowhere',
    stdout: (line) => out.push(line),
    stderr: (line) => err.push(line),
    stop: new AbortController().signal,
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('command line', () => {
  it('shows its commands and options and exits 0', async () => {
    const help = await run('--help');
    const start = await run('start', '--help');

    assert.equal(help.code, 0);
    assert.match(help.out, /start .*\n.*[\s\S]*dev /);
    assert.equal(start.code, 0);
    for (const flag of ['--storage', '--task-hubs', '--grpc-port', '--http-port', '--json']) {
      assert.ok(start.out.includes(flag), flag);
    }
    assert.ok(!start.out.includes('--functions-port'));
  });

  it('shows the version of the package', async () => {
    assert.match((await run('--version')).out, /^\d+\.\d+\.\d+/);
  });

  it('exits 2 without a command, with an unknown one, and with too many arguments', async () => {
    for (const args of [[], ['taskhub'], ['start', 'here'], ['dev', '--inspect', 'x']]) {
      assert.equal((await run(...args)).code, 2, args.join(' '));
    }
  });

  it('exits 2 when dev is given a folder that holds no app', async () => {
    const { code, err } = await run('dev', 'app');

    assert.equal(code, 2);
    assert.match(err, /^durabletask: \/nowhere\/app is not a folder; name the folder/);
  });
});

describe('stop signal', () => {
  it('aborts at the first signal and ends the process at the second', async () => {
    const exits: number[] = [];
    const process = Object.assign(new EventEmitter(), {
      exit: (code: number) => exits.push(code),
    });
    const signal = onStopSignal(process);

    process.emit('SIGINT');
    await stopped(signal);
    assert.deepEqual(exits, []);
    process.emit('SIGTERM');

    assert.deepEqual(exits, [1]);
  });
});

describe('ready line', () => {
  it('leaves out what there is not, in a fixed order', () => {
    assert.equal(
      readyLine({ taskHubs: ['h'], grpc: 'http://g', functions: 'http://f' }),
      '{"event":"ready","grpc":"http://g","functions":"http://f","taskHubs":["h"]}',
    );
  });

  it('is about storage without its password', () => {
    assert.equal(describeStorage('postgres://me:s3cret@host/db'), 'postgres://me:***@host/db');
    assert.equal(describeStorage('sqlite:./a.db'), 'sqlite:./a.db');
  });
});
