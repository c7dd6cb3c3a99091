import { invalidArgument } from '../core/errors.ts';
import type { OrchestratorOptions } from '../replay/options.ts';

/** How an orchestrator's code meets the engine: its API style. */
export type OrchestratorStyle = Pick<
  OrchestratorOptions,
  'scheduling' | 'createContext' | 'createFailure'
>;

/** Generator function, async generator function, async function or plain function. */
export type OrchestratorHandler = (context: never, input: never) => unknown;

export interface OrchestratorRegistration extends OrchestratorStyle {
  readonly name: string;
  /** `undefined` serves every version that has no registration of its own. */
  readonly version: string | undefined;
  readonly handler: OrchestratorHandler;
}

/** One call of an activity, with its payload still as JSON text. */
export interface ActivityInvocation {
  readonly name: string;
  readonly version: string | undefined;
  /** The orchestration that asked for it. */
  readonly instanceId: string;
  readonly taskId: number;
  /** JSON text; unset and empty are no input. */
  readonly serializedInput: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** W3C trace context of the orchestrator's call. */
  readonly traceParent: string | undefined;
  readonly traceState: string | undefined;
  /** Aborts when the worker stops waiting: nobody takes the result any more. */
  readonly signal: AbortSignal;
}

/** Runs one activity; resolves to its result as JSON text. What it throws is the task's failure. */
export type ActivityInvoker = (invocation: ActivityInvocation) => Promise<string | undefined>;

export interface ActivityRegistration {
  readonly name: string;
  readonly version: string | undefined;
  readonly invoke: ActivityInvoker;
}

/** What a worker can run, by name and version. Names are compared exactly. */
export class Registry {
  readonly #orchestrators = new Map<string, OrchestratorRegistration>();
  readonly #activities = new Map<string, ActivityRegistration>();

  addOrchestrator(registration: OrchestratorRegistration): void {
    add(this.#orchestrators, registration, 'orchestrator');
  }

  addActivity(registration: ActivityRegistration): void {
    add(this.#activities, registration, 'activity');
  }

  /** The registration of that very version, else the one for every version. */
  findOrchestrator(name: string, version?: string): OrchestratorRegistration | undefined {
    return find(this.#orchestrators, name, version);
  }

  findActivity(name: string, version?: string): ActivityRegistration | undefined {
    return find(this.#activities, name, version);
  }

  /** Every orchestrator's name with its versions; none means every version. */
  orchestratorFilters(): readonly NameFilter[] {
    return filtersOf(this.#orchestrators);
  }

  activityFilters(): readonly NameFilter[] {
    return filtersOf(this.#activities);
  }
}

/** A name, and the versions that are served of it; none means every version. */
export interface NameFilter {
  readonly name: string;
  readonly versions: readonly string[];
}

interface Registration {
  readonly name: string;
  readonly version: string | undefined;
}

function keyOf(name: string, version: string | undefined): string {
  return JSON.stringify([name, version ?? '']);
}

function add<T extends Registration>(map: Map<string, T>, registration: T, what: string): void {
  const { name, version } = registration;
  if (name === '') throw invalidArgument(`A non-empty ${what} name is required`);
  const key = keyOf(name, version);
  if (map.has(key)) {
    const versioned = version === undefined ? '' : ` with version '${version}'`;
    throw invalidArgument(`An ${what} named '${name}'${versioned} already exists`);
  }
  map.set(key, registration);
}

function find<T>(map: ReadonlyMap<string, T>, name: string, version = ''): T | undefined {
  const exact = map.get(keyOf(name, version));
  return exact ?? map.get(keyOf(name, undefined));
}

function filtersOf(map: ReadonlyMap<string, Registration>): readonly NameFilter[] {
  const versions = new Map<string, Set<string | undefined>>();
  for (const { name, version } of map.values()) {
    versions.set(name, (versions.get(name) ?? new Set()).add(version));
  }
  return [...versions].map(([name, found]) => ({
    name,
    versions: found.has(undefined) ? [] : [...found].filter((version) => version !== undefined),
  }));
}
