import type { FunctionInput, FunctionOutput } from '@azure/functions';
import type * as df from 'durable-functions';
import { createLazyActivityTask, createLazySubOrchestrationTask } from '../replay/classic-tasks.ts';
import { invalidArgument } from '../core/errors.ts';
import type { CoreOrchestrationContext } from '../replay/core-context.ts';
import { loadCoreModule } from './core-module.ts';
import type { EntityFunction, EntityOptions } from './entity-invocation.ts';
import { assertNoHostRequests } from './host-only-bindings.ts';
import type { DurableOrchestrationContext } from './orchestration-context.ts';
import {
  durableRegistry,
  registerActivity,
  registerEntity,
  registerOrchestrator,
} from './registry.ts';
import type { OrchestratorFunction } from './registry.ts';

export * as client from './app-client.ts';

/** The context of an orchestrator: that of durable-functions, with the members of durabletask-js. */
export type OrchestrationContext = df.OrchestrationContext & {
  readonly df: DurableOrchestrationContext;
} & Pick<CoreOrchestrationContext, keyof CoreOrchestrationContext>;

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unnecessary-type-arguments --
   As in durable-functions: what comes in and what tasks give is JSON that only the app knows. Older
   compilers have another default for what a generator is sent. */

/** An orchestrator as in durable-functions, which may take its input as a second argument. */
export type OrchestrationHandler = (
  context: OrchestrationContext,
  input?: any,
) => Generator<df.Task, unknown, any>;

/**
 * An orchestrator in the style of durabletask-js: what it calls is on its way at once, and `yield`
 * waits for it. Async functions, and plain ones that only compute a value, are of this kind too.
 */
export type AsyncOrchestrationHandler = (
  context: OrchestrationContext,
  input?: any,
) =>
  | AsyncGenerator<df.Task, unknown, any>
  | Promise<unknown>
  | string
  | number
  | boolean
  | null
  | undefined;

/* eslint-enable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unnecessary-type-arguments */

/** An orchestrator with options; those that need a host are refused when it is registered. */
export interface OrchestrationOptions extends Omit<df.OrchestrationOptions, 'handler'> {
  handler: OrchestrationHandler;
}

/** The same for an async orchestrator. */
export interface AsyncOrchestrationOptions extends Omit<df.OrchestrationOptions, 'handler'> {
  handler: AsyncOrchestrationHandler;
}

/** An activity: `(input, context)`, now or later. */
export type ActivityHandler = df.ActivityHandler;

/** An activity with options; those that need a host are refused when it is registered. */
export type ActivityOptions = df.ActivityOptions;

/**
 * Registers an orchestrator. Returns a function that, in another orchestrator, calls it as a
 * sub-orchestration: `yield hello(input, instanceId)`.
 */
export function orchestration(
  functionName: string,
  handlerOrOptions: OrchestrationHandler | OrchestrationOptions,
): df.RegisteredOrchestration;
export function orchestration(
  functionName: string,
  // One union of both would leave the parameters and yields of a handler without types.
  // eslint-disable-next-line @typescript-eslint/unified-signatures
  handlerOrOptions: AsyncOrchestrationHandler | AsyncOrchestrationOptions,
): df.RegisteredOrchestration;
export function orchestration(
  functionName: string,
  handlerOrOptions:
    | OrchestrationHandler
    | OrchestrationOptions
    | AsyncOrchestrationHandler
    | AsyncOrchestrationOptions,
): df.RegisteredOrchestration {
  const options: DurableOptions & { readonly handler: OrchestratorFunction } =
    typeof handlerOrOptions === 'function' ? { handler: handlerOrOptions } : handlerOrOptions;
  assertHandler('Orchestration', functionName, options);
  assertNoHostRequests({ kind: 'orchestration', name: functionName, ...hostRequests(options) });
  registerOrchestrator(functionName, options.handler, registerOptions());
  return (input, instanceId) => createLazySubOrchestrationTask(functionName, { input, instanceId });
}

/**
 * Registers an activity. Returns a function that, in an orchestrator, calls it:
 * `yield sayHello('Tokyo')`, or with retries `yield sayHello('Tokyo').withRetry(options)`.
 */
export function activity(
  functionName: string,
  handlerOrOptions: ActivityOptions | ActivityHandler,
): df.RegisteredActivity {
  const options: ActivityOptions =
    typeof handlerOrOptions === 'function' ? { handler: handlerOrOptions } : handlerOrOptions;
  assertHandler('Activity', functionName, options);
  assertNoHostRequests({ kind: 'activity', name: functionName, ...hostRequests(options) });
  registerActivity(functionName, options.handler, registerOptions());
  return (input) => createLazyActivityTask(functionName, input);
}

/**
 * Registers an entity: a function that is called for each operation, a class that extends `TaskEntity`
 * (or has a `run` method), or a function that makes such an object.
 */
export function entity<T = unknown>(
  functionName: string,
  handlerOrOptions: EntityFunction<T> | EntityOptions<T>,
): void {
  const options: EntityOptions<T> =
    typeof handlerOrOptions === 'function' ? { handler: handlerOrOptions } : handlerOrOptions;
  assertHandler('Entity', functionName, options);
  assertNoHostRequests({ kind: 'entity', name: functionName, ...hostRequests(options) });
  registerEntity(functionName, options.handler, registerOptions());
}

/**
 * Lets the app add facts to the failures of its activities; they reach orchestrators as
 * `failureDetails.properties`. One for the whole app, the last wins, `undefined` removes it.
 */
export function setExceptionPropertiesProvider(
  provider: df.ExceptionPropertiesProvider | undefined,
): void {
  durableRegistry().exceptionPropertiesProvider = provider;
}

interface DurableOptions {
  readonly extraInputs?: FunctionInput[];
  readonly extraOutputs?: FunctionOutput[];
  readonly return?: FunctionOutput;
  readonly retry?: unknown;
}

function hostRequests(options: DurableOptions): {
  inputs: FunctionInput[];
  outputs: FunctionOutput[];
  hasRetry: boolean;
} {
  const { extraInputs = [], extraOutputs = [], return: result } = options;
  return {
    inputs: extraInputs,
    outputs: result === undefined ? extraOutputs : [...extraOutputs, result],
    hasRetry: options.retry !== undefined,
  };
}

function registerOptions(): { readonly isHosted: boolean } {
  return { isHosted: loadCoreModule() !== undefined };
}

function assertHandler(kind: string, name: string, options: { readonly handler?: unknown }): void {
  if (typeof options.handler === 'function') return;
  throw invalidArgument(
    `${kind} "${name}" needs a handler: a function, got ${typeof options.handler}.`,
  );
}
