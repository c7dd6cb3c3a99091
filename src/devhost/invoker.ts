import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import type { CoreState } from './core-module.ts';
import type {
  CoreInvocationContext,
  CoreLogCategory,
  CoreLogLevel,
  FunctionCallback,
  InvocationModel,
  InvocationResponse,
  ProgrammingModel,
  RetryContext,
  TypedData,
} from './core-types.ts';
import { DevHostError } from './dev-host-error.ts';
import type { IndexedFunction } from './function-index.ts';
import type { HostLog } from './host-log.ts';

export interface Invocation {
  readonly fn: IndexedFunction;
  readonly invocationId: string;
  /** Why it runs, for the log: `This function was programmatically called via the host APIs.` */
  readonly reason: string;
  readonly input: TypedData;
  readonly triggerMetadata: Readonly<Record<string, TypedData>>;
  /** Set from the second attempt on. */
  readonly retryContext?: RetryContext | undefined;
  /** W3C `traceparent` and `tracestate` of the caller, when it sent them. */
  readonly traceParent?: string | undefined;
  readonly traceState?: string | undefined;
}

export type InvocationOutcome =
  | {
      readonly kind: 'succeeded';
      readonly response: InvocationResponse;
      /** The handler returned something, which in streaming mode went to the client directly. */
      readonly hasResult: boolean;
    }
  /** The app's error, already logged. */
  | { readonly kind: 'failed'; readonly error: unknown };

export interface InvokerDeps {
  readonly state: CoreState;
  readonly log: HostLog;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** Runs functions the way the worker does: arguments, hooks, the handler, hooks, the response. */
export class Invoker {
  readonly #deps: InvokerDeps;
  readonly #running = new Set<Promise<InvocationOutcome>>();

  constructor(deps: InvokerDeps) {
    this.#deps = deps;
  }

  /** Runs a function once. Never rejects: what the app throws is logged and is the outcome. */
  async invoke(invocation: Invocation): Promise<InvocationOutcome> {
    const running = this.#invoke(invocation);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Resolves when nothing runs, functions started meanwhile included. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #invoke(invocation: Invocation): Promise<InvocationOutcome> {
    const { log, clock } = this.#deps;
    const { fn, invocationId: id } = invocation;
    const category = `Function.${fn.name}`;
    const startedAt = clock.now();
    log.write(
      'information',
      category,
      `Executing 'Functions.${fn.name}' (Reason='${invocation.reason}', Id=${id})`,
    );
    const end = (status: string): string =>
      `Executed 'Functions.${fn.name}' (${status}, Id=${id}, Duration=${clock.now() - startedAt}ms)`;
    try {
      const completed = await this.#run(invocation);
      log.write('information', category, end('Succeeded'));
      return { kind: 'succeeded', ...completed };
    } catch (error) {
      log.write('error', category, `${end('Failed')}\n${describeFailure(fn.name, error)}`);
      return { kind: 'failed', error };
    }
  }

  async #run(invocation: Invocation): Promise<Completed> {
    const { state } = this.#deps;
    const { registered } = invocation.fn;
    const scope: Scope = { context: undefined };
    const coreContext = this.#coreContext(invocation, scope);
    const model = modelOf(state).getInvocationModel(coreContext);
    const { context, inputs } = await model.getArguments();
    scope.context = context;

    const hookData = {};
    const shared = { invocationContext: context, hookData, appHookData: state.appHookData };
    coreContext.state = 'preInvocationHooks';
    const before = { ...shared, inputs, functionCallback: registered.callback };
    await runHooks(state.hooks.preInvocation, before);

    coreContext.state = 'invocation';
    const after = { ...shared, inputs: before.inputs, ...(await call(model, context, before)) };

    coreContext.state = 'postInvocationHooks';
    await runHooks(state.hooks.postInvocation, after);
    if (after.error instanceof Error) throw after.error;
    if (isSet(after.error)) throw new Error(String(after.error));
    const response = await model.getResponse(context, after.result);
    return { response, hasResult: isSet(after.result) };
  }

  #coreContext(invocation: Invocation, scope: Scope): CoreInvocationContext {
    const { fn, invocationId } = invocation;
    const { metadata, id } = fn.registered;
    return {
      invocationId,
      request: {
        invocationId,
        functionId: id,
        inputData: [{ name: fn.trigger?.name ?? '', data: invocation.input }],
        triggerMetadata: { ...invocation.triggerMetadata },
        traceContext: {
          traceParent: invocation.traceParent ?? newTraceParent(this.#deps.ids),
          traceState: invocation.traceState ?? '',
          attributes: { OperationName: fn.name },
        },
        retryContext: invocation.retryContext,
      },
      metadata,
      log: (level, category, message) => {
        const context = scope.context;
        writeAppLog(this.#deps, { level, category, message, functionName: fn.name, context });
      },
    };
  }
}

interface Completed {
  readonly response: InvocationResponse;
  readonly hasResult: boolean;
}

/** The library's context object, once it exists: log hooks get it. */
interface Scope {
  context: unknown;
}

interface Call {
  inputs: unknown[];
  functionCallback: FunctionCallback;
}

async function call(
  model: InvocationModel,
  context: unknown,
  { inputs, functionCallback }: Call,
): Promise<{ result: unknown; error: unknown }> {
  try {
    const result = await model.invokeFunction(context, inputs, functionCallback);
    return { result, error: undefined };
  } catch (error) {
    return { result: undefined, error };
  }
}

function modelOf(state: CoreState): ProgrammingModel {
  if (state.model === undefined) {
    throw new DevHostError('The app set no programming model: import "@azure/functions" in it.');
  }
  return state.model;
}

/** One after the other, in order of registration; the first that throws stops the rest. */
export async function runHooks(
  hooks: readonly ((context: Record<string, unknown>) => unknown)[],
  context: object,
): Promise<void> {
  for (const hook of hooks) await hook(context as Record<string, unknown>);
}

export interface AppLogEntry {
  readonly level: CoreLogLevel;
  readonly category: CoreLogCategory;
  readonly message: string;
  readonly functionName: string | undefined;
  readonly context: unknown;
}

/** Passes a log line of the app through its log hooks, which may change it, and writes it. */
export function writeAppLog(
  { state, log }: Pick<InvokerDeps, 'state' | 'log'>,
  entry: AppLogEntry,
): void {
  const line = {
    level: entry.level,
    message: entry.message,
    category: entry.category,
    invocationContext: entry.context,
    hookData: {},
    appHookData: state.appHookData,
  };
  for (const hook of state.hooks.log) hook(line);
  const { functionName } = entry;
  const base = functionName === undefined ? 'Worker' : `Function.${functionName}`;
  const category = line.category === 'user' ? `${base}.User` : base;
  log.write(line.level, category, line.message);
}

function describeFailure(name: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  return (
    `Exception while executing function: Functions.${name}. Result: Failure\n` +
    `Exception: ${message}\nStack: ${stack}`
  );
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function newTraceParent(ids: IdSource): string {
  return `00-${ids.hex32()}-${ids.hex32().slice(0, 16)}-00`;
}
