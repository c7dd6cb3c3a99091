import type { InvocationContext } from '@azure/functions';
import type { CoreHook, CoreModule } from './core-module.ts';
import { processWide } from './registry.ts';

/** The app's own hooks around invocations, in the order of their registration. */
interface InvocationHooks {
  readonly preInvocation: Set<CoreHook>;
  readonly postInvocation: Set<CoreHook>;
  /** Shared by all hooks of the app; known from its start on. */
  appHookData: unknown;
}

/** One call of a durable function, as its hooks see it. */
export interface HookedCall {
  readonly context: InvocationContext;
  readonly inputs: readonly unknown[];
  readonly callback: (...args: never[]) => unknown;
}

const WRAPPED = Symbol.for('durabletask-scheduler.functions.hooksWrapped');
type RegisterHook = CoreModule['registerHook'] & { [WRAPPED]?: true };

/**
 * Remembers the hooks around invocations that an app registers from now on: the host runs them for its
 * own invocations, and there is no way to ask it for them. Wrapping twice is harmless.
 */
export function wrapRegisterHook(core: CoreModule): void {
  const original: RegisterHook = core.registerHook;
  if (original[WRAPPED]) return;
  const wrapped: RegisterHook = (name, callback) => {
    const disposable = original.call(core, name, callback);
    const hooks = hooksNamed(name);
    hooks?.add(callback);
    return hooks === undefined
      ? disposable
      : withEffect(disposable as Disposed, () => hooks.delete(callback));
  };
  wrapped[WRAPPED] = true;
  core.registerHook = wrapped;
  original.call(core, 'appStart', ({ appHookData }) => {
    appHooks().appHookData = appHookData;
  });
}

/** Whether there is any hook to run. */
export function hasInvocationHooks(): boolean {
  const { preInvocation, postInvocation } = appHooks();
  return preInvocation.size + postInvocation.size > 0;
}

/**
 * Calls a durable function between the app's hooks as the worker calls others: a hook before it may
 * change inputs and function, one after it result and error, and what a hook throws is the failure.
 */
export async function callWithHooks(call: HookedCall): Promise<unknown> {
  const { preInvocation, postInvocation, appHookData } = appHooks();
  const { context: invocationContext, callback } = call;
  const shared = { invocationContext, hookData: {}, appHookData: appHookData ?? {} };
  const before = { ...shared, inputs: [...call.inputs], functionCallback: callback };
  for (const hook of preInvocation) await hook(before);
  const after = { ...shared, inputs: before.inputs, ...(await outcomeOf(before)) };
  for (const hook of postInvocation) await hook(after);
  const { error, result } = after;
  if (error !== undefined && error !== null) throw error as Error;
  return result;
}

interface Disposed {
  dispose(): unknown;
}

interface BeforeCall {
  readonly invocationContext: InvocationContext;
  readonly inputs: readonly unknown[];
  readonly functionCallback: (...args: never[]) => unknown;
}

async function outcomeOf({
  invocationContext,
  inputs,
  functionCallback,
}: BeforeCall): Promise<{ readonly result: unknown; readonly error: unknown }> {
  try {
    // What a function takes is between the app and its hooks.
    const args = [...inputs, invocationContext] as never[];
    return { result: await functionCallback(...args), error: undefined };
  } catch (error) {
    return { result: undefined, error: error ?? new Error(`The function threw ${String(error)}`) };
  }
}

function appHooks(): InvocationHooks {
  return processWide('hooks', () => ({
    preInvocation: new Set<CoreHook>(),
    postInvocation: new Set<CoreHook>(),
    appHookData: undefined,
  }));
}

function hooksNamed(name: string): Set<CoreHook> | undefined {
  if (name === 'preInvocation') return appHooks().preInvocation;
  return name === 'postInvocation' ? appHooks().postInvocation : undefined;
}

function withEffect(disposable: Disposed, effect: () => void): Disposed {
  return {
    dispose: () => {
      effect();
      return disposable.dispose();
    },
  };
}
