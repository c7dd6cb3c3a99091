import { invalidArgument } from '../core/errors.ts';
import type { HistoryEvent } from '../proto/orchestrator_service_pb.ts';
import type { ExecutionIds, OrchestratorOptions } from '../replay/options.ts';
import type { TurnResult } from '../replay/session.ts';
import type { RemoteSpan } from '../telemetry/trace-context.ts';
import type { EntityFactory } from './task-entity.ts';

/** How an orchestrator's code meets the engine: its API style. */
export type OrchestratorStyle = Pick<
  OrchestratorOptions,
  'scheduling' | 'createContext' | 'createFailure'
> & {
  /** Runs each turn; it must call `run`, once. */
  readonly aroundTurn?: AroundTurn | undefined;
};

/** A turn that is about to be run. */
export interface TurnInfo extends ExecutionIds {
  readonly newEvents: readonly HistoryEvent[];
  /** Of the execution, if it is traced. */
  readonly span: RemoteSpan | undefined;
}

/** Does something before and after a turn that it is told of. */
export type AroundTurn = (
  turn: TurnInfo,
  run: () => TurnResult | Promise<TurnResult>,
) => TurnResult | Promise<TurnResult>;

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

export interface EntityRegistration {
  /** In lower case, as in entity ids. */
  readonly name: string;
  readonly version: undefined;
  readonly factory: EntityFactory;
}

type FunctionKind = 'orchestrator' | 'activity' | 'entity';

/** Says, of a kind of function, that there is none of that name; `known` are those that there are. */
export type UnknownText = (kind: FunctionKind, name: string, known: readonly string[]) => string;

export interface RegistryOptions {
  /** Default: the texts of durabletask-js. */
  readonly unknownText?: UnknownText | undefined;
  /** Compares names without case, as Functions hosts do. Default false: exactly, as the SDKs do. */
  readonly ignoresCase?: boolean | undefined;
}

const SDK_UNKNOWN_TEXTS: Readonly<Record<FunctionKind, (name: string) => string>> = {
  orchestrator: (name) => `Orchestrator '${name}' does not exist.`,
  activity: (name) => `Activity function '${name}' is not registered.`,
  entity: (name) => `No entity task named '${name}' was found.`,
};
const sdkUnknownText: UnknownText = (kind, name) => SDK_UNKNOWN_TEXTS[kind](name);

/** What a worker can run, by name and version. */
export class Registry {
  readonly #unknownText: UnknownText;
  readonly #orchestrators: Registrations<OrchestratorRegistration>;
  readonly #activities: Registrations<ActivityRegistration>;
  readonly #entities = new Registrations<EntityRegistration>('entity', true);

  constructor({ ignoresCase = false, unknownText = sdkUnknownText }: RegistryOptions = {}) {
    this.#unknownText = unknownText;
    this.#orchestrators = new Registrations('orchestrator', ignoresCase);
    this.#activities = new Registrations('activity', ignoresCase);
  }

  addOrchestrator(registration: OrchestratorRegistration): void {
    this.#orchestrators.add(registration);
  }

  addActivity(registration: ActivityRegistration): void {
    this.#activities.add(registration);
  }

  /** Names of entities are kept in lower case. */
  addEntity(name: string, factory: EntityFactory): void {
    if (name.includes('@')) {
      throw invalidArgument(`An entity name must not contain '@', got '${name}'`);
    }
    this.#entities.add({ name: name.toLowerCase(), version: undefined, factory });
  }

  /** The registration of that very version, else the one for every version. */
  findOrchestrator(name: string, version?: string): OrchestratorRegistration | undefined {
    return this.#orchestrators.find(name, version);
  }

  findActivity(name: string, version?: string): ActivityRegistration | undefined {
    return this.#activities.find(name, version);
  }

  findEntity(name: string): EntityRegistration | undefined {
    return this.#entities.find(name);
  }

  /** Why there is nothing to run for a name. */
  unknownText(kind: FunctionKind, name: string): string {
    const filters = {
      orchestrator: this.#orchestrators,
      activity: this.#activities,
      entity: this.#entities,
    };
    const known = filters[kind].filters().map((filter) => filter.name);
    return this.#unknownText(kind, name, known);
  }

  /** Every orchestrator's name with its versions; none means every version. */
  orchestratorFilters(): readonly NameFilter[] {
    return this.#orchestrators.filters();
  }

  activityFilters(): readonly NameFilter[] {
    return this.#activities.filters();
  }

  entityFilters(): readonly NameFilter[] {
    return this.#entities.filters();
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

class Registrations<T extends Registration> {
  readonly #what: string;
  readonly #ignoresCase: boolean;
  readonly #byKey = new Map<string, T>();

  constructor(what: string, ignoresCase: boolean) {
    this.#what = what;
    this.#ignoresCase = ignoresCase;
  }

  add(registration: T): void {
    const { name, version } = registration;
    if (name === '') throw invalidArgument(`A non-empty ${this.#what} name is required`);
    const key = this.#keyOf(name, version);
    if (this.#byKey.has(key)) {
      const versioned = version === undefined ? '' : ` with version '${version}'`;
      throw invalidArgument(`An ${this.#what} named '${name}'${versioned} already exists`);
    }
    this.#byKey.set(key, registration);
  }

  find(name: string, version = ''): T | undefined {
    const exact = this.#byKey.get(this.#keyOf(name, version));
    return exact ?? this.#byKey.get(this.#keyOf(name, undefined));
  }

  filters(): readonly NameFilter[] {
    const versions = new Map<string, Set<string | undefined>>();
    for (const { name, version } of this.#byKey.values()) {
      versions.set(name, (versions.get(name) ?? new Set()).add(version));
    }
    return [...versions].map(([name, found]) => ({
      name,
      versions: found.has(undefined) ? [] : [...found].filter((version) => version !== undefined),
    }));
  }

  #keyOf(name: string, version: string | undefined): string {
    const compared = this.#ignoresCase ? name.toLowerCase() : name;
    return JSON.stringify([compared, version ?? '']);
  }
}
