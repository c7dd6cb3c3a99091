import { HOOK_NAMES } from './core-types.ts';
import type {
  CoreLogCategory,
  CoreLogLevel,
  FunctionCallback,
  FunctionMetadata,
  HookCallback,
  HookName,
  ProgrammingModel,
} from './core-types.ts';

/** The Node worker whose behaviour is imitated; apps see it as `version`. */
const WORKER_VERSION = '3.12.0';
/** New enough for log hooks and HTTP streaming, the two things the library asks it for. */
export const HOST_VERSION = '4.1041.0';

export interface RegisteredFunction {
  readonly id: string;
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
  /** The entry file that was loading, relative to the app's root. */
  readonly scriptFile: string | undefined;
}

/** What an app has told the host while it loaded. */
export interface CoreState {
  readonly functions: Map<string, RegisteredFunction>;
  readonly hooks: Record<HookName, HookCallback[]>;
  /** Shared by every hook of the app. */
  readonly appHookData: Record<string, unknown>;
  model: ProgrammingModel | undefined;
  /** From the end of loading on, functions can no longer be registered. */
  isLocked: boolean;
  currentEntryPoint: string | undefined;
}

export interface CoreModuleOptions {
  readonly log: (level: CoreLogLevel, category: CoreLogCategory, message: string) => void;
}

/** An app's registrations, empty. */
export function createCoreState(): CoreState {
  return {
    functions: new Map(),
    hooks: { appStart: [], appTerminate: [], preInvocation: [], postInvocation: [], log: [] },
    appHookData: {},
    model: undefined,
    isLocked: false,
    currentEntryPoint: undefined,
  };
}

/** An error of the worker itself, marked the way the library tells it from the app's own. */
class WorkerError extends Error {
  readonly isAzureFunctionsSystemError = true;
}

class WorkerRangeError extends RangeError {
  override readonly name = 'RangeError';
  readonly isAzureFunctionsSystemError = true;
}

class Disposable {
  readonly #callOnDispose: () => unknown;

  constructor(callOnDispose: () => unknown) {
    this.#callOnDispose = callOnDispose;
  }

  static from(...disposables: { dispose: () => unknown }[]): Disposable {
    return new Disposable(() => {
      for (const each of disposables) each.dispose();
    });
  }

  dispose(): unknown {
    return this.#callOnDispose();
  }
}

/**
 * The object that `require('@azure/functions-core')` returns. It is one mutable object for the life
 * of the process, as in the worker: extensions wrap its methods.
 */
export function createCoreModule(state: CoreState, options: CoreModuleOptions): object {
  return {
    version: WORKER_VERSION,
    hostVersion: HOST_VERSION,
    Disposable,
    log: options.log,
    registerFunction: (metadata: FunctionMetadata, callback: FunctionCallback) =>
      registerFunction(state, metadata, callback),
    registerHook: (name: string, callback: HookCallback) => registerHook(state, name, callback),
    setProgrammingModel: (model: ProgrammingModel) => {
      if (state.isLocked) {
        throw new WorkerError('The programming model can only be set during app startup.');
      }
      state.model = model;
    },
    getProgrammingModel: () => state.model,
  };
}

function registerFunction(
  state: CoreState,
  metadata: FunctionMetadata,
  callback: FunctionCallback,
): Disposable {
  if (state.isLocked) {
    throw new WorkerError('A function can only be registered during app startup.');
  }
  const id = metadata.functionId ?? metadata.name;
  if (state.functions.has(id)) {
    throw new WorkerError(`A function with id "${id}" has already been registered.`);
  }
  state.functions.set(id, { id, metadata, callback, scriptFile: state.currentEntryPoint });
  return new Disposable(() => {
    if (state.isLocked) {
      throw new WorkerError('A function can only be disposed during app startup.');
    }
    state.functions.delete(id);
  });
}

function registerHook(state: CoreState, name: string, callback: HookCallback): Disposable {
  const hooks = isHookName(name) ? state.hooks[name] : undefined;
  if (hooks === undefined) throw new WorkerRangeError(`Unrecognized hook "${name}"`);
  hooks.push(callback);
  return new Disposable(() => {
    const index = hooks.indexOf(callback);
    if (index >= 0) hooks.splice(index, 1);
  });
}

function isHookName(name: string): name is HookName {
  return HOOK_NAMES.some((each) => each === name);
}
