import { untilAborted } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import { TaskGroup } from '../base/task-group.ts';
import { readHostJson } from '../config/host-json.ts';
import type { AppSettings, HostJson } from '../config/host-json.ts';
import { serveAdmin } from './admin.ts';
import type { AdminDeps } from './admin.ts';
import { loadApp } from './app-loader.ts';
import { applyCors } from './cors.ts';
import type { CorsOptions } from './cors.ts';
import { createCoreModule, createCoreState, HOST_VERSION } from './core-module.ts';
import type { CoreState } from './core-module.ts';
import type { RetryContext, TypedData } from './core-types.ts';
import { DevHostError } from './dev-host-error.ts';
import { indexFunctions } from './function-index.ts';
import type { IndexedFunction } from './function-index.ts';
import { listFunction } from './function-listing.ts';
import type { FunctionListing } from './function-listing.ts';
import { createHostLog } from './host-log.ts';
import type { HostLog } from './host-log.ts';
import { sendText } from './http-edge.ts';
import { serveFunction } from './http-functions.ts';
import { openHttpHost } from './http-host.ts';
import type { HostRequest, HttpHost } from './http-host.ts';
import { sendEmpty } from './http-message.ts';
import { HttpRouter } from './http-router.ts';
import { installCore } from './install-core.ts';
import { Invoker, runHooks, writeAppLog } from './invoker.ts';
import type { InvocationOutcome } from './invoker.ts';
import { fireManually } from './manual-fire.ts';
import { runWithRetries } from './retry-policy.ts';
import { runTimer } from './timers.ts';

export interface FunctionHostOptions {
  readonly appDir: string;
  readonly port: number;
  readonly host: string;
  readonly pathAliases: Readonly<Record<string, string>>;
  /** Loaded after the core is in place and before the app. */
  readonly preloads: readonly string[];
  readonly env: AppSettings;
  readonly cors: CorsOptions;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly output: (line: string) => void;
  /** Told the port before any of the app's code runs. */
  readonly onListening: (port: number) => void;
}

export interface FunctionHost {
  readonly port: number;
  readonly functions: readonly FunctionListing[];
  /** Finishes what runs, then the appTerminate hooks; each within its own deadline. */
  close(): Promise<void>;
}

/** What requests, timers and running functions may take before the appTerminate hooks run. */
const DRAIN_MAX_MS = 2000;
/** What the worker grants all appTerminate hooks together (Node worker: WorkerTerminate). */
const TERMINATE_MAX_MS = 5000;

/**
 * Loads the app into this process and serves it: only for a process of its own, since the app may
 * do anything with it. Throws `DevHostError` or INVALID_ARGUMENT with a sentence for the user.
 */
export async function openFunctionHost(options: FunctionHostOptions): Promise<FunctionHost> {
  const hostJson = readHostJson(options);
  const log = createHostLog({ hostJson, now: () => options.clock.now(), output: options.output });
  const app = Promise.withResolvers<RunningApp>();
  const http = await openHttpHost({
    ...options,
    // Clients that come while the app loads wait for it, as at the host.
    serve: async (request) => (await app.promise).serve(request),
    onError: (error) => {
      log.write('error', 'Host', `A request could not be served: ${String(error)}`);
    },
  });
  options.onListening(http.port);
  const running = await startApp({ options, hostJson, log, http });
  app.resolve(running);
  running.startTimers();
  return {
    port: http.port,
    functions: running.functions,
    close: async () => {
      http.stop();
      await running.close();
    },
  };
}

interface StartContext {
  readonly options: FunctionHostOptions;
  readonly hostJson: HostJson;
  readonly log: HostLog;
  readonly http: HttpHost;
}

async function startApp(context: StartContext): Promise<RunningApp> {
  const { options, log } = context;
  const state = createCoreState();
  installCore(
    createCoreModule(state, {
      log: (level, category, message) => {
        const entry = { level, category, message, functionName: undefined, context: undefined };
        writeAppLog({ state, log }, entry);
      },
    }),
  );
  for (const preload of options.preloads) await loadPreload(preload);
  await loadApp(options.appDir, state);
  await startHooks(state, options.appDir);
  const capabilities = (await state.model?.getCapabilities({})) ?? {};
  state.isLocked = true;
  return new RunningApp(context, state, capabilities['HttpUri']);
}

async function loadPreload(url: string): Promise<void> {
  try {
    await import(url);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new DevHostError(`The preload ${url} could not be loaded: ${message}`, { cause });
  }
}

async function startHooks(state: CoreState, appDir: string): Promise<void> {
  const { appHookData } = state;
  try {
    await runHooks(state.hooks.appStart, {
      functionAppDirectory: appDir,
      hookData: appHookData,
      appHookData,
    });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new DevHostError(`An appStart hook of the app failed: ${message}`, { cause });
  }
}

/** A loaded app: its functions can be called and its timers run. */
class RunningApp {
  readonly functions: readonly FunctionListing[];
  readonly #indexed: readonly IndexedFunction[];
  readonly #options: FunctionHostOptions;
  readonly #state: CoreState;
  readonly #log: HostLog;
  readonly #invoker: Invoker;
  readonly #router: HttpRouter;
  readonly #admin: AdminDeps;
  readonly #background: TaskGroup;
  readonly #closing = new AbortController();
  readonly #httpUri: string | undefined;

  constructor(
    { options, hostJson, log, http }: StartContext,
    state: CoreState,
    httpUri: string | undefined,
  ) {
    const { clock, ids } = options;
    const prefix = trimSlashes(hostJson.text('extensions.http.routePrefix') ?? 'api');
    const baseUrl = `http://localhost:${http.port}`;
    const list = (fn: IndexedFunction): FunctionListing => listFunction(fn, { baseUrl, prefix });
    this.#options = options;
    this.#state = state;
    this.#log = log;
    this.#httpUri = httpUri;
    this.#indexed = indexFunctions(state.functions.values(), {
      env: options.env,
      hasBundle: hostJson.text('extensionBundle.id') !== undefined,
    });
    this.functions = this.#indexed.map(list);
    this.#router = new HttpRouter(this.#indexed, prefix);
    this.#invoker = new Invoker({ state, log, clock, ids });
    this.#background = new TaskGroup((error, name) => {
      log.write('error', 'Host', `${name} failed: ${String(error)}`);
    });
    this.#admin = {
      functions: this.#indexed,
      list,
      hostVersion: HOST_VERSION,
      startedAt: clock.now(),
      now: () => clock.now(),
      fire: (fn, input) => {
        const deps = { invoker: this.#invoker, ids, clock, httpUri, baseUrl };
        this.#background.run(`Function ${fn.name}`, () => fireManually(deps, fn, input));
      },
    };
  }

  async serve({ request, response, url, path }: HostRequest): Promise<void> {
    if (/^\/admin(\/|$)/i.test(path)) {
      await serveAdmin(this.#admin, { request, response, path });
      return;
    }
    if (applyCors(this.#options.cors, request, response)) return;
    const match = this.#router.find(request.method ?? 'GET', path);
    if (match !== undefined) {
      const deps = { invoker: this.#invoker, ids: this.#options.ids, httpUri: this.#httpUri };
      await serveFunction(deps, { ...match, request, response, url });
    } else if (path === '/') sendText(response, 200, 'Your Functions app is up and running.');
    else sendEmpty(response, 404);
  }

  startTimers(): void {
    const { signal } = this.#closing;
    const { clock, ids } = this.#options;
    for (const fn of this.#indexed) {
      const { trigger, isDisabled, error } = fn;
      if (trigger?.kind !== 'timer' || isDisabled || error !== undefined) continue;
      const base = { fn, reason: 'Timer fired', triggerMetadata: {} };
      const fire = (input: TypedData): Promise<void> => {
        const attempt = (retryContext?: RetryContext): Promise<InvocationOutcome> =>
          this.#invoker.invoke({ ...base, invocationId: ids.uuid(), input, retryContext });
        const deps = { clock, random: () => ids.random(), attempt };
        return runWithRetries(deps, fn.registered.metadata.retryOptions, signal);
      };
      this.#background.run(`Timer ${fn.name}`, () =>
        runTimer({ clock, fire }, { trigger, signal }),
      );
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const drained = Promise.all([this.#invoker.idle(), this.#background.settled()]);
    await untilAborted(drained, AbortSignal.timeout(DRAIN_MAX_MS));
    const { appHookData, hooks } = this.#state;
    const terminated = runHooks(hooks.appTerminate, { hookData: appHookData, appHookData });
    try {
      await untilAborted(terminated, AbortSignal.timeout(TERMINATE_MAX_MS));
    } catch (error) {
      this.#log.write('error', 'Worker', `An appTerminate hook failed: ${String(error)}`);
    }
  }
}

function trimSlashes(text: string): string {
  return text.replace(/^\//, '').replace(/\/$/, '');
}
