import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { onLeakCheck } from '../../support/hooks.ts';

/** Path of the command's entry. */
export const CLI_MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));

export interface ReadyEvent {
  readonly event: 'ready';
  readonly grpc: string;
  readonly http: string;
  readonly functions?: string;
  readonly taskHubs: readonly string[];
}

export interface CliOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

const running = new Set<CliProcess>();
onLeakCheck(() => (running.size === 0 ? undefined : `${running.size} processes`));

/** Ends what a failed test left running; call it after each test. */
export async function endCliProcesses(): Promise<void> {
  await Promise.all([...running].map((cli) => cli.stop('SIGKILL')));
}

/** The command line in a process of its own, as a user starts it. */
export class CliProcess {
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  #onLine: () => void = () => undefined;

  constructor(args: readonly string[], { cwd, env = {} }: CliOptions) {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(?:DURABLETASK|DTS|DURABLE_TASK)_/.test(name),
    );
    this.#child = spawn(process.execPath, [CLI_MAIN, ...args], {
      cwd,
      env: { ...Object.fromEntries(inherited), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(this);
    this.#collect(this.#child.stdout, this.stdout);
    this.#collect(this.#child.stderr, this.stderr);
    this.exited = once(this.#child, 'close').then(([code]) => {
      running.delete(this);
      this.#onLine();
      return code as number | null;
    });
  }

  /** The first line on stdout, which must be the ready line. */
  async ready(): Promise<ReadyEvent> {
    const line = await this.line(() => true);
    return JSON.parse(line) as ReadyEvent;
  }

  /** The first line on stdout that passes; rejects when the process ends without one. */
  async line(matches: (line: string) => boolean): Promise<string> {
    for (;;) {
      const found = this.stdout.find(matches);
      if (found !== undefined) return found;
      if (!running.has(this)) throw new Error(`ended:\n${this.stderr.join('\n')}`);
      await new Promise<void>((resolve) => {
        this.#onLine = resolve;
      });
    }
  }

  stop(signal: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(signal);
    return this.exited;
  }

  #collect(stream: Readable, lines: string[]): void {
    createInterface(stream).on('line', (line) => {
      lines.push(line);
      this.#onLine();
    });
  }
}
