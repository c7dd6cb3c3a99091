import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../base/clock.ts';
import { isAbort } from '../base/abort.ts';
import { fromChild, tagged } from './child-messages.ts';
import type { ChildOptions, ToChild } from './child-messages.ts';
import { DevHostError } from './dev-host-error.ts';
import type { FunctionListing } from './function-listing.ts';

export interface AppProcessOptions extends ChildOptions {
  readonly inspect: boolean | number | undefined;
  readonly clock: Clock;
  readonly output: (line: string) => void;
}

/** How a process ended, as a phrase: `exit code 1`, `signal SIGKILL`. */
export type ExitReason = string;

/** Loading may take this long (the worker's own limit on its start). */
const START_MAX_MS = 120_000;
/** More than all deadlines inside the process together; what lives longer is killed. */
const CLOSE_MAX_MS = 8000;

/** The process that an app runs in, serving. */
export class AppProcess {
  readonly port: number;
  readonly functions: readonly FunctionListing[];
  /** Resolves once the process is gone and its output was passed on. */
  readonly exited: Promise<ExitReason>;
  readonly #child: ChildProcess;
  readonly #clock: Clock;

  private constructor({ child, exited, clock, ready }: AppProcessParts) {
    this.#child = child;
    this.#clock = clock;
    this.exited = exited;
    this.port = ready.port;
    this.functions = ready.functions;
  }

  /**
   * Starts the process and waits until the app is served. Rejects with `DevHostError` when it
   * cannot be; nothing is left running then.
   */
  static async open(options: AppProcessOptions, signal: AbortSignal): Promise<AppProcess> {
    const child = forkChild(options);
    const exited = exitOf(child, options.output);
    const { appDir, port, host, env, preloads, pathAliases } = options;
    const start = { appDir, port, host, env, preloads, pathAliases };
    post(child, { kind: 'start', options: start });
    try {
      const ready = await readyOf(child, exited, { clock: options.clock, signal });
      return new AppProcess({ child, exited, clock: options.clock, ready });
    } catch (error) {
      child.kill('SIGKILL');
      await exited;
      throw error;
    }
  }

  /** Lets the app finish and run its appTerminate hooks; kills it when that takes too long. */
  async close(): Promise<void> {
    post(this.#child, { kind: 'close' });
    const ended = new AbortController();
    const late = this.#killAt(this.#clock.now() + CLOSE_MAX_MS, ended.signal);
    await this.exited;
    ended.abort();
    await late;
  }

  async #killAt(atMs: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#clock.sleepUntil(atMs, { signal });
    } catch (error) {
      if (isAbort(error, signal)) return;
      throw error;
    }
    this.#child.kill('SIGKILL');
  }
}

interface AppProcessParts {
  readonly child: ChildProcess;
  readonly exited: Promise<ExitReason>;
  readonly clock: Clock;
  readonly ready: Ready;
}

interface Ready {
  readonly port: number;
  readonly functions: readonly FunctionListing[];
}

function forkChild({ appDir, inspect }: AppProcessOptions): ChildProcess {
  // Built code has another extension than the source that node runs as it is.
  const file = new URL(`./child-main${extname(import.meta.url)}`, import.meta.url);
  return fork(fileURLToPath(file), [], {
    cwd: appDir,
    execArgv: inspectArgs(inspect),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
}

function inspectArgs(inspect: boolean | number | undefined): string[] {
  if (inspect === undefined || inspect === false) return [];
  return [inspect === true ? '--inspect' : `--inspect=${inspect}`];
}

async function exitOf(child: ChildProcess, output: (line: string) => void): Promise<ExitReason> {
  const failure = Promise.withResolvers<ExitReason>();
  child.on('error', (error) => {
    failure.resolve(error.message);
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', output);
  }
  const closed = once(child, 'close').then(([code, signal]: unknown[]) =>
    typeof signal === 'string' ? `signal ${signal}` : `exit code ${String(code)}`,
  );
  return await Promise.race([closed, failure.promise]);
}

interface ReadyOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

async function readyOf(
  child: ChildProcess,
  exited: Promise<ExitReason>,
  { clock, signal }: ReadyOptions,
): Promise<Ready> {
  const { promise, resolve, reject } = Promise.withResolvers<Ready>();
  const stop = new AbortController();
  child.on('message', (raw) => {
    const message = fromChild(raw);
    if (message?.kind === 'ready') resolve(message);
    if (message?.kind === 'failed') reject(new DevHostError(message.message));
  });
  const ended = exited.then((reason) => {
    throw new DevHostError(`The app's process ended before the app was loaded (${reason}).`);
  });
  const late = clock
    .sleepUntil(clock.now() + START_MAX_MS, { signal: AbortSignal.any([signal, stop.signal]) })
    .then(() => {
      throw new DevHostError(
        `The app did not load within ${START_MAX_MS / 1000} s: look for code that blocks or never ` +
          'settles while its files are loaded or in an appStart hook.',
      );
    });
  try {
    return await Promise.race([promise, ended, late]);
  } finally {
    stop.abort();
    // Whichever lost the race may still reject; its reason is known by then.
    await Promise.allSettled([late]);
    ended.catch(() => undefined);
  }
}

/** A process that is gone gets no message; its end is noticed elsewhere. */
function post(child: ChildProcess, message: ToChild): void {
  if (child.connected) child.send(tagged(message), () => undefined);
}
