import type { AppSettings } from '../config/host-json.ts';
import { unknownTypesText } from './binding-types.ts';
import type { RegisteredFunction } from './core-module.ts';
import type { BindingInfo } from './core-types.ts';
import { parseRoute } from './route-template.ts';
import type { RouteTemplate } from './route-template.ts';
import { parseSchedule } from './timer-schedule.ts';
import type { TimerSchedule } from './timer-schedule.ts';

/** A function as the host knows it after indexing: runnable, or in error with the reason. */
export interface IndexedFunction {
  readonly registered: RegisteredFunction;
  readonly name: string;
  readonly trigger: FunctionTrigger | undefined;
  readonly isDisabled: boolean;
  /** The host's own text; a function in error is listed, and neither served nor invoked. */
  readonly error: string | undefined;
}

export type FunctionTrigger = {
  /** The name of the trigger's binding. */
  readonly name: string;
  readonly binding: BindingInfo;
} & (
  | { readonly kind: 'http'; readonly methods: readonly string[]; readonly route: RouteTemplate }
  | { readonly kind: 'timer'; readonly schedule: TimerSchedule; readonly runOnStartup: boolean }
  | { readonly kind: 'manual' }
);

const NAME = /^[a-z][a-z0-9_-]{0,127}$/i;
const BUILT_IN_ROUTE = /^(admin|runtime)(\/|$)/i;
const ALL_METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE'] as const;

export interface IndexOptions {
  readonly env: AppSettings;
  /** Whether host.json has an `extensionBundle`: the types of other services are known then. */
  readonly hasBundle: boolean;
}

/** Checks each function by itself, then against those before it: a bad one harms no other. */
export function indexFunctions(
  registered: Iterable<RegisteredFunction>,
  options: IndexOptions,
): readonly IndexedFunction[] {
  const indexed: IndexedFunction[] = [];
  for (const each of registered) {
    const single = indexFunction(each, options);
    const conflict = single.error === undefined ? findConflict(single, indexed) : undefined;
    indexed.push(conflict === undefined ? single : { ...single, error: conflict });
  }
  return indexed;
}

function indexFunction(registered: RegisteredFunction, options: IndexOptions): IndexedFunction {
  const { name } = registered.metadata;
  const base = { registered, name, isDisabled: isDisabled(name, options.env) };
  try {
    return { ...base, trigger: parseTrigger(registered, options), error: undefined };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { ...base, trigger: undefined, error: text };
  }
}

function parseTrigger({ metadata }: RegisteredFunction, options: IndexOptions): FunctionTrigger {
  if (!NAME.test(metadata.name)) {
    throw new Error(
      `'${metadata.name}' is not a valid function name: it must begin with a letter and hold ` +
        'only letters, digits, underscores and dashes, at most 128.',
    );
  }
  const bindings = Object.entries(metadata.bindings);
  const types = bindings.map(([, binding]) => binding.type ?? '');
  const unknown = unknownTypesText(types, options);
  if (unknown !== undefined) throw new Error(unknown);
  const [first, ...others] = bindings.filter(([, binding]) => /trigger$/i.test(binding.type ?? ''));
  if (first === undefined) {
    throw new Error('No trigger binding specified. A function must have a trigger input binding.');
  }
  if (others.length > 0) {
    throw new Error(
      'Multiple trigger bindings defined. A function can only have a single trigger binding.',
    );
  }
  return triggerOf(metadata.name, { name: first[0], binding: first[1], env: options.env });
}

interface TriggerSource {
  readonly name: string;
  readonly binding: BindingInfo;
  readonly env: AppSettings;
}

function triggerOf(functionName: string, { name, binding, env }: TriggerSource): FunctionTrigger {
  switch (binding.type?.toLowerCase()) {
    case 'httptrigger':
      return { kind: 'http', name, binding, ...httpOf(functionName, binding, env) };
    case 'timertrigger':
      return {
        kind: 'timer',
        name,
        binding,
        schedule: parseSchedule(textOf(binding['schedule']), env),
        runOnStartup: binding['runOnStartup'] === true,
      };
    default:
      return { kind: 'manual', name, binding };
  }
}

/** A missing schedule is as unrecognised as an empty one. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function httpOf(
  functionName: string,
  binding: BindingInfo,
  env: AppSettings,
): { methods: readonly string[]; route: RouteTemplate } {
  const { route, methods } = binding;
  const text = typeof route === 'string' && route !== '' ? route : functionName;
  const parsed = parseRoute(resolveNames(text, env));
  if (BUILT_IN_ROUTE.test(parsed.text)) {
    throw new Error('The specified route conflicts with one or more built in routes.');
  }
  const given = Array.isArray(methods) ? methods.map((each) => String(each).toUpperCase()) : [];
  return { methods: given.length > 0 ? given : ALL_METHODS, route: parsed };
}

/** `%NAME%` anywhere in a route is an app setting. */
function resolveNames(text: string, env: AppSettings): string {
  return text.replaceAll(/%([^%]+)%/g, (whole, name: string) => {
    const value = env[name];
    if (value === undefined) throw new Error(`'${whole}' does not resolve to a value.`);
    return value;
  });
}

function isDisabled(name: string, env: AppSettings): boolean {
  const value = env[`AzureWebJobs.${name}.Disabled`] ?? env[`AzureWebJobs_${name}_Disabled`];
  return value !== undefined && /^(true|1)$/i.test(value);
}

function findConflict(
  candidate: IndexedFunction,
  before: readonly IndexedFunction[],
): string | undefined {
  const sameName = before.find(({ name }) => name.toLowerCase() === candidate.name.toLowerCase());
  if (sameName !== undefined) {
    return `The function name '${candidate.name}' is used by another function: names must differ by more than case.`;
  }
  const { trigger } = candidate;
  if (trigger?.kind !== 'http') return undefined;
  const taken = before.find(
    ({ trigger: other, error }) =>
      error === undefined &&
      other?.kind === 'http' &&
      other.route.shape === trigger.route.shape &&
      other.methods.some((method) => trigger.methods.includes(method)),
  );
  return (
    taken && `The route specified conflicts with the route defined by function '${taken.name}'.`
  );
}
