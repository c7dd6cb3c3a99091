import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/base/clock.ts';

/** The first line that a process of ours prints once it serves. */
export interface ReadyLine {
  readonly grpc: string;
  readonly http: string;
  readonly functions: string;
  readonly taskHubs: readonly string[];
}

export interface NodeProcessOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called for each line on stdout and stderr. */
  readonly onLine?: (line: string) => void;
  /** A command that ends by executing the rest of its arguments. */
  readonly within?: readonly string[];
}

const CLI = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const READY_MAX_MS = 15_000;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A node process that a test started; it is killed at the latest when the test run ends. */
export class NodeProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #lines: string[] = [];
  readonly #firstLine: Promise<string>;

  /** Runs `file`, a path or a file URL, with arguments. */
  constructor(file: string | URL, args: readonly string[], options: NodeProcessOptions = {}) {
    const path = typeof file === 'string' ? file : fileURLToPath(file);
    const [program = process.execPath, ...before] = options.within ?? [];
    const command = options.within ? [process.execPath, path] : [path];
    this.#child = spawn(program, [...before, ...command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
    });
    running.add(this.#child);
    this.#exited = once(this.#child, 'close').finally(() => running.delete(this.#child));
    const first = Promise.withResolvers<string>();
    this.#firstLine = first.promise;
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      assert.ok(stream !== null);
      createInterface({ input: stream }).on('line', (line) => {
        this.#lines.push(line);
        options.onLine?.(line);
        if (stream === this.#child.stdout) first.resolve(line);
      });
    }
  }

  /** Runs the `durabletask` command from source. */
  static cli(args: readonly string[], options: NodeProcessOptions = {}): NodeProcess {
    return new NodeProcess(CLI, args, options);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves with the exit code when the process has ended and all its output was read; `undefined` after a kill. */
  async ended(): Promise<number | undefined> {
    await this.#exited;
    return this.#child.exitCode ?? undefined;
  }

  /** Everything printed so far, for messages. */
  get output(): string {
    return this.#lines.join('\n');
  }

  /** The first line on stdout, which must be JSON; fails when the process ends before it. */
  async ready(withinMs = READY_MAX_MS): Promise<ReadyLine> {
    const stop = new AbortController();
    const late = systemClock
      .sleepUntil(systemClock.now() + withinMs, { signal: stop.signal })
      .then(() => undefined);
    late.catch(() => undefined);
    const line = await Promise.race([this.#firstLine, late, this.#exited.then(() => undefined)]);
    stop.abort();
    assert.ok(line !== undefined, `the process did not get ready:\n${this.output}`);
    return JSON.parse(line) as ReadyLine;
  }

  /** Sends a signal and waits for the end; returns the exit code, `undefined` after a kill. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | undefined> {
    this.#child.kill(signal);
    await this.#exited;
    return this.#child.exitCode ?? undefined;
  }
}
