import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { TaskGroup } from '../base/task-group.ts';
import { logEvent } from '../telemetry/log-events.ts';
import type { Logger } from '../telemetry/logger.ts';
import { AppProcess } from './app-process.ts';
import { watchApp } from './app-watcher.ts';
import type { AppWatcher } from './app-watcher.ts';
import { DevHostError } from './dev-host-error.ts';
import { formatListing } from './function-listing.ts';
import type { FunctionListing } from './function-listing.ts';

export interface DevHostOptions {
  /** The function app's root, absolute. */
  readonly appDir: string;
  /** 0 picks a free one, which is kept over restarts. */
  readonly port: number;
  readonly host: string;
  /** App settings that win over the environment and local.settings.json. */
  readonly env: Readonly<Record<string, string>>;
  /** File URLs of modules that are loaded after the host's core and before the app. */
  readonly preloads: readonly string[];
  /** Path prefixes that stand for others: `{ '/a/b': '/c' }` serves `/a/b/x` as `/c/x`. */
  readonly pathAliases: Readonly<Record<string, string>>;
  /** Starts the app again when its files change. */
  readonly watch: boolean;
  /** Opens the debugger of the app's process, on a port of its own choice with `true`. */
  readonly inspect: boolean | number | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Gets the app's console output and the function list, line by line. */
  readonly output: (line: string) => void;
}

export interface DevHostEnd {
  /** Why the host gave up; `undefined` when it was closed. */
  readonly error: Error | undefined;
}

export interface DevHost {
  /** Where the functions are called, without a slash at its end. */
  readonly url: string;
  /** As of the app's last start. */
  readonly functions: readonly FunctionListing[];
  /** Resolves when nothing is served any more; never rejects. */
  readonly closed: Promise<DevHostEnd>;
  /** Starts the app again; resolves once it is served, rejects when it cannot be loaded. */
  restart(): Promise<void>;
  /** Runs the app's appTerminate hooks and ends its process, by force after a few seconds. */
  close(): Promise<void>;
}

/** The app is given up after this many crashes … */
const CRASHES_MAX = 3;
/** … within this time. */
const CRASH_WINDOW_MS = 60_000;
const CRASH_BACKOFF = { firstMs: 250, maxMs: 5000, factor: 2 } as const;

/**
 * Serves a function app from a process of its own. Resolves once the app is served; rejects with
 * `DevHostError`, a sentence for the user, when it cannot be (while watching, it waits for the next
 * change of the app's files instead).
 */
export async function openDevHost(options: DevHostOptions): Promise<DevHost> {
  const supervisor = new Supervisor(options);
  await supervisor.open();
  return supervisor;
}

/** Keeps one process of the app running. Only its own loop starts processes. */
class Supervisor implements DevHost {
  readonly #options: DevHostOptions;
  readonly #background: TaskGroup;
  readonly #closing = new AbortController();
  readonly #closed = Promise.withResolvers<DevHostEnd>();
  #crashedAt: readonly number[] = [];
  #current: AppProcess | undefined;
  #last: AppProcess | undefined;
  #restart: PromiseWithResolvers<void> | undefined;
  #starting: AbortController | undefined;
  #onRestart: () => void = () => undefined;
  #watcher: AppWatcher | undefined;

  constructor(options: DevHostOptions) {
    this.#options = options;
    this.#background = new TaskGroup((error, name) => {
      logEvent(options.logger, 'hostTaskFailed', { name, error });
    });
  }

  get url(): string {
    const { host } = this.#options;
    return `http://${host.includes(':') ? `[${host}]` : host}:${this.#last?.port ?? 0}`;
  }

  get functions(): readonly FunctionListing[] {
    return this.#last?.functions ?? [];
  }

  get closed(): Promise<DevHostEnd> {
    return this.#closed.promise;
  }

  async open(): Promise<void> {
    const { appDir, watch, logger } = this.#options;
    if (watch) {
      this.#watcher = watchApp(appDir, {
        clock: this.#options.clock,
        onChange: () => {
          logEvent(logger, 'appFilesChanged');
          // A failure was reported where it happened; the next change is another chance.
          this.restart().catch(() => undefined);
        },
        onError: (dir, error) => {
          logEvent(logger, 'folderNotWatched', { dir, error });
        },
      });
    }
    try {
      await this.#start();
    } catch (error) {
      await this.#watcher?.close();
      throw error;
    }
    this.#background.run('supervise', () => this.#supervise());
  }

  restart(): Promise<void> {
    if (this.#closing.signal.aborted) {
      return Promise.reject(new DevHostError('The functions host is closed.'));
    }
    this.#restart ??= Promise.withResolvers();
    this.#endCurrent();
    // A start under way may never come to its end, and is out of date anyhow.
    this.#starting?.abort(new DevHostError('The app is started again.'));
    this.#onRestart();
    return this.#restart.promise;
  }

  async close(): Promise<void> {
    this.#closing.abort(new DevHostError('The functions host was closed.'));
    this.#endCurrent();
    this.#onRestart();
    await this.#closed.promise;
  }

  #endCurrent(): void {
    const current = this.#current;
    if (current !== undefined) this.#background.run('close app', () => current.close());
  }

  async #supervise(): Promise<void> {
    let error: Error | undefined;
    try {
      await this.#keepRunning();
    } catch (caught) {
      error = caught instanceof Error ? caught : new Error(String(caught));
    }
    const isClosed = this.#closing.signal.aborted;
    this.#closing.abort(error);
    this.#restart?.reject(error ?? new DevHostError('The functions host was closed.'));
    await this.#watcher?.close();
    this.#closed.resolve({ error: isClosed ? undefined : error });
  }

  async #keepRunning(): Promise<void> {
    const { signal } = this.#closing;
    while (this.#current !== undefined) {
      const reason = await this.#current.exited;
      this.#current = undefined;
      if (signal.aborted) return;
      if (this.#restart === undefined) await this.#afterCrash(reason);
      await this.#start();
    }
  }

  /** Waits before the next start; throws when there have been too many crashes. */
  async #afterCrash(reason: string): Promise<void> {
    const { clock, logger, watch } = this.#options;
    const now = clock.now();
    this.#crashedAt = [...this.#crashedAt.filter((at) => at > now - CRASH_WINDOW_MS), now];
    const crashes = this.#crashedAt.length;
    if (crashes < CRASHES_MAX) {
      logEvent(logger, 'appEnded', { reason, crashes });
      const atMs = now + backoffMs(crashes, CRASH_BACKOFF, () => 0);
      await clock.sleepUntil(atMs, { signal: this.#closing.signal });
      return;
    }
    const error = new DevHostError(
      `The app's process ended ${crashes} times within ${CRASH_WINDOW_MS / 1000} s (last: ` +
        `${reason}); it is not started again. Its output above says why.`,
    );
    if (!watch) throw error;
    logEvent(logger, 'appGivenUp', { error });
    this.#crashedAt = [];
    await this.#untilRestart();
  }

  async #start(): Promise<void> {
    for (;;) {
      const restart = this.#restart;
      this.#restart = undefined;
      try {
        this.#current = await this.#openProcess();
        restart?.resolve();
        break;
      } catch (error) {
        const next = this.#restartAsked();
        if (next !== undefined) {
          next.promise.then(
            () => restart?.resolve(),
            (reason: unknown) => restart?.reject(reason),
          );
          continue;
        }
        restart?.reject(error);
        if (!this.#options.watch || this.#closing.signal.aborted) throw error;
        logEvent(this.#options.logger, 'appGivenUp', { error });
        await this.#untilRestart();
      }
    }
    // Asked for at the very end of the start: what runs now may be older than the request.
    if (this.#isAsked()) this.#endCurrent();
  }

  async #openProcess(): Promise<AppProcess> {
    const options = { ...this.#options, port: this.#last?.port ?? this.#options.port };
    this.#starting = new AbortController();
    const signal = AbortSignal.any([this.#closing.signal, this.#starting.signal]);
    const opened = await AppProcess.open(options, signal).finally(() => {
      this.#starting = undefined;
    });
    this.#last = opened;
    for (const line of formatListing(opened.functions)) this.#options.output(line);
    return opened;
  }

  async #untilRestart(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#onRestart = () => {
      resolve(undefined);
    };
    if (!this.#isAsked()) await promise;
    this.#closing.signal.throwIfAborted();
  }

  #restartAsked(): PromiseWithResolvers<void> | undefined {
    return this.#closing.signal.aborted ? undefined : this.#restart;
  }

  #isAsked(): boolean {
    return this.#restart !== undefined || this.#closing.signal.aborted;
  }
}
