import { createRequire } from 'node:module';

/** One binding of a function as `@azure/functions` hands it to the worker; unknown fields travel on. */
export type CoreBinding = Readonly<Record<string, unknown>> & { readonly type: string };

/** What a library registers with the worker: the part of it that we look at. */
export interface CoreFunctionMetadata {
  readonly name: string;
  readonly bindings: Readonly<Record<string, CoreBinding>>;
  readonly retryOptions?: unknown;
}

/** A registered function's code, before anything is known of its trigger. */
export type CoreCallback = (...args: never[]) => unknown;

/** A hook of the worker, with its context object (`appStart`: `functionAppDirectory`). */
export type CoreHook = (context: Readonly<Record<string, unknown>>) => void | Promise<void>;

/** The object that the Functions worker serves as `@azure/functions-core`; shared and mutable. */
export interface CoreModule {
  registerFunction: (metadata: CoreFunctionMetadata, callback: CoreCallback) => unknown;
  registerHook: (name: string, callback: CoreHook) => unknown;
  log?(level: string, category: string, message: string): void;
}

const require = createRequire(import.meta.url);
/** No package: a name that only a Functions worker answers to. */
const CORE = '@azure/functions-core';

let found: { readonly core: CoreModule | undefined } | undefined;

/**
 * The worker's core module, or `undefined` outside a Functions host (unit tests of an app, a plain
 * script). No such npm package exists: the worker patches `Module.prototype.require` to answer for it
 * before an app loads. Looked up once, as `@azure/functions` does: a search that fails is slow.
 */
export function loadCoreModule(): CoreModule | undefined {
  found ??= { core: findCoreModule() };
  return found.core;
}

/** The same, looked up anew: for callers that may come before the worker has put it in place. */
export function findCoreModule(): CoreModule | undefined {
  try {
    return require(CORE) as CoreModule;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
