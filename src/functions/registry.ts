import type { ActivityHandler, ExceptionPropertiesProvider } from 'durable-functions';
import { invalidArgument } from '../core/errors.ts';
import type { OrchestratorHandler } from '../worker/registry.ts';
import type { EntityFunction } from './entity-invocation.ts';

/** An orchestrator in any of its shapes; `orchestratorStyle` tells them apart. */
export type OrchestratorFunction = OrchestratorHandler;

/** A durable function that was just registered. */
export interface RegisteredFunction {
  readonly kind: 'orchestration' | 'activity' | 'entity';
  readonly name: string;
}

/** Everything that an app registered with us, in this process. */
export interface DurableRegistry {
  readonly orchestrators: Map<string, OrchestratorFunction>;
  readonly activities: Map<string, ActivityHandler>;
  readonly entities: Map<string, EntityFunction<never>>;
  exceptionPropertiesProvider: ExceptionPropertiesProvider | undefined;
  /** Told of each registration in a host: apps may register until their last appStart hook has run. */
  readonly listeners: Set<(registered: RegisteredFunction) => void>;
  /** Other values that every copy of this package in the process shares (`processWide`). */
  readonly state: Map<symbol, unknown>;
}

/**
 * Kept on `globalThis`: an app may load this package twice (an ES module copy and a CommonJS one, or
 * two versions), and its orchestrations must still meet in one worker.
 */
const KEY = Symbol.for('durabletask-scheduler.functions.registry');

/** The process-wide registry, created at first use. */
export function durableRegistry(): DurableRegistry {
  const holder = globalThis as { [KEY]?: DurableRegistry | undefined };
  holder[KEY] ??= {
    orchestrators: new Map(),
    activities: new Map(),
    entities: new Map(),
    exceptionPropertiesProvider: undefined,
    listeners: new Set(),
    state: new Map(),
  };
  return holder[KEY];
}

/** A value shared by every copy of this package in the process, created at first use. */
export function processWide<T>(name: string, create: () => T): T {
  const key = Symbol.for(`durabletask-scheduler.functions.${name}`);
  const { state } = durableRegistry();
  if (!state.has(key)) state.set(key, create());
  return state.get(key) as T;
}

/** What a registration needs to know of where it happens. */
export interface RegisterOptions {
  /**
   * True inside a Functions host, where two functions of one name are a mistake. Outside (unit tests
   * of an app that load its files again and again) the later registration takes the earlier's place.
   */
  readonly isHosted: boolean;
}

/** Adds an orchestrator; a name taken by any durable function is refused (INVALID_ARGUMENT). */
export function registerOrchestrator(
  name: string,
  orchestrator: OrchestratorFunction,
  options: RegisterOptions,
): void {
  assertFree(name, options);
  durableRegistry().orchestrators.set(name, orchestrator);
  tell({ kind: 'orchestration', name }, options);
}

/** Adds an activity; a name taken by any durable function is refused (INVALID_ARGUMENT). */
export function registerActivity(
  name: string,
  handler: ActivityHandler,
  options: RegisterOptions,
): void {
  assertFree(name, options);
  durableRegistry().activities.set(name, handler);
  tell({ kind: 'activity', name }, options);
}

function tell(registered: RegisteredFunction, { isHosted }: RegisterOptions): void {
  if (!isHosted) return;
  for (const listener of durableRegistry().listeners) listener(registered);
}

/** True for the names of what this package itself puts into every worker. */
export function isReservedName(name: string): boolean {
  return /^BuiltIn__/i.test(name);
}

/** Adds an entity; a name taken by any durable function is refused (INVALID_ARGUMENT). */
export function registerEntity(
  name: string,
  entity: EntityFunction<never>,
  options: RegisterOptions,
): void {
  assertFree(name, options);
  if (name.includes('@')) {
    throw invalidArgument(`Entity "${name}": the name of an entity must not contain "@".`);
  }
  durableRegistry().entities.set(name, entity);
  tell({ kind: 'entity', name }, options);
}

/** Whether an orchestrator of that name is registered; function names are compared without case. */
export function hasOrchestrator(name: string): boolean {
  return spellingOf(durableRegistry().orchestrators, name) !== undefined;
}

/** How a name was written when it was registered. */
function spellingOf(registered: ReadonlyMap<string, unknown>, name: string): string | undefined {
  if (registered.has(name)) return name;
  const wanted = name.toLowerCase();
  return [...registered.keys()].find((known) => known.toLowerCase() === wanted);
}

function assertFree(name: string, { isHosted }: RegisterOptions): void {
  if (typeof name !== 'string' || name.trim() === '') {
    throw invalidArgument(
      `A durable function needs a name: expected a non-blank string, got ${typeof name}.`,
    );
  }
  if (isReservedName(name)) {
    throw invalidArgument(
      `Function "${name}" cannot be registered: names that begin with "BuiltIn__" belong to ` +
        'durabletask-scheduler itself. Choose another name.',
    );
  }
  if (!isHosted) return;
  const kind = takenBy(name);
  if (kind === undefined) return;
  throw invalidArgument(
    `Function "${name}" is registered twice (the first time as ${kind}). ` +
      'Function names are unique within an app, whatever their case: rename one of them.',
  );
}

function takenBy(name: string): string | undefined {
  const { orchestrators, activities, entities } = durableRegistry();
  if (spellingOf(orchestrators, name) !== undefined) return 'an orchestration';
  if (spellingOf(activities, name) !== undefined) return 'an activity';
  return spellingOf(entities, name) === undefined ? undefined : 'an entity';
}
