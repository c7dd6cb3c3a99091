/** The packed package in an empty project of its own. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

export interface Installed {
  readonly dir: string;
  /** Runs node there and returns what it printed. */
  run(...args: readonly string[]): string;
  remove(): void;
}

export function installPacked(name: string): Installed {
  const dir = mkdtempSync(join(tmpdir(), `durabletask-${name}-`));
  const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', dir], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'app', private: true }));
  const options = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel', 'error'];
  execFileSync('npm', ['install', ...options, join(dir, filename)], {
    cwd: dir,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return {
    dir,
    run: (...args) => execFileSync(process.execPath, args, { cwd: dir, encoding: 'utf8' }).trim(),
    remove: () => {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export interface RunningCommand {
  readonly ready: {
    readonly event: string;
    readonly grpc: string;
    readonly http: string;
    readonly functions: string;
    readonly taskHubs: readonly string[];
  };
  /** Sends SIGTERM; resolves with the exit code. */
  stop(): Promise<number>;
}

/** Starts the package's command on free ports, and waits until it is ready. */
export async function startCommand(
  project: Installed,
  args: readonly string[],
): Promise<RunningCommand> {
  const ports = ['--grpc-port', '0', '--http-port', '0'];
  const functions = args[0] === 'dev' ? ['--functions-port', '0'] : [];
  const main = join(project.dir, 'node_modules/durabletask-scheduler/dist/cli/main.js');
  const child = spawn(process.execPath, [main, ...args, ...ports, ...functions, '--json'], {
    cwd: project.dir,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = once(child, 'exit') as Promise<[number]>;
  const lines = createInterface(child.stdout);
  const first = (await Promise.race([once(lines, 'line'), exited])) as [string | number];
  if (typeof first[0] !== 'string') throw new Error(`${args.join(' ')} exited with ${first[0]}`);
  const ready = JSON.parse(first[0]) as RunningCommand['ready'];
  return {
    ready,
    stop: async () => {
      child.kill('SIGTERM');
      const [code] = await exited;
      return code;
    },
  };
}
