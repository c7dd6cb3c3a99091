import type { EntityInstanceId, EntityTarget } from '../core/entity-instance-id.ts';

/** An entity's state during an operation (names of durabletask-js). It is kept as JSON. */
export interface TaskEntityState {
  readonly hasState: boolean;
  /** The state, or the default, which is not stored by that. */
  getState<T>(defaultValue?: T): T | undefined;
  /** `undefined` and null delete the state, and with it the entity. */
  setState(state: unknown): void;
}

/** What an operation may do to the world; all of it is done when the operation has succeeded. */
export interface TaskEntityContext {
  readonly id: EntityInstanceId;
  /** Sends an operation to an entity, which may be this one, at once or at `signalTime`. */
  signalEntity(
    id: EntityTarget,
    operationName: string,
    input?: unknown,
    options?: { readonly signalTime?: Date | undefined },
  ): void;
  /** Starts an orchestration that belongs to nobody. Returns its instance id. */
  scheduleNewOrchestration(name: string, input?: unknown, options?: EntityStartOptions): string;
}

export interface EntityStartOptions {
  /** Default: a random UUID. */
  readonly instanceId?: string | undefined;
  /** Default: at once. */
  readonly startAt?: Date | undefined;
  /** Default: none. */
  readonly version?: string | undefined;
}

/** One operation of an entity. */
export interface TaskEntityOperation {
  readonly name: string;
  readonly context: TaskEntityContext;
  readonly state: TaskEntityState;
  readonly hasInput: boolean;
  // The type is the caller's word, as in durabletask-js.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
  readonly getInput: <T>() => T | undefined;
}

/** An entity's code: runs one operation and returns what its caller gets, now or later. */
export interface ITaskEntity {
  run(operation: TaskEntityOperation): unknown;
}

/** Makes an entity's code. Called once for each batch of operations. */
export type EntityFactory = (id: EntityInstanceId) => ITaskEntity;

const NOT_OPERATIONS: ReadonlySet<string> = new Set(['constructor', 'run', 'initializestate']);

/**
 * An entity whose operations are the methods of its class, found without regard to case; each gets the
 * operation's input. `delete` deletes the state unless the class has a method of that name.
 */
export abstract class TaskEntity<TState> implements ITaskEntity {
  /** Read before and stored after every operation; undefined and null delete it. */
  protected state!: TState;
  #context: TaskEntityContext | undefined;

  protected get context(): TaskEntityContext | undefined {
    return this.#context;
  }

  async run(operation: TaskEntityOperation): Promise<unknown> {
    this.#context = operation.context;
    this.state = operation.state.getState<TState>() ?? this.initializeState();
    const result = await this.#dispatch(operation);
    operation.state.setState(this.state);
    return result;
  }

  /** What an entity without state begins with: `{}` unless overridden. */
  protected initializeState(): TState {
    return {} as TState;
  }

  #dispatch(operation: TaskEntityOperation): unknown {
    const method = findMethod(this, operation.name.toLowerCase());
    if (method !== undefined) {
      return operation.hasInput ? method.call(this, operation.getInput()) : method.call(this);
    }
    if (operation.name.toLowerCase() !== 'delete') {
      throw new Error(`No suitable method found for entity operation '${operation.name}'.`);
    }
    this.state = null as TState;
    return undefined;
  }
}

function findMethod(
  entity: object,
  lowerName: string,
): ((this: unknown, ...args: unknown[]) => unknown) | undefined {
  if (NOT_OPERATIONS.has(lowerName)) return undefined;
  let prototype: unknown = Object.getPrototypeOf(entity);
  while (
    typeof prototype === 'object' &&
    prototype !== null &&
    prototype !== TaskEntity.prototype
  ) {
    for (const name of Object.getOwnPropertyNames(prototype)) {
      if (name.toLowerCase() !== lowerName) continue;
      const member: unknown = Reflect.get(entity, name);
      if (typeof member === 'function') return member as ReturnType<typeof findMethod>;
    }
    prototype = Object.getPrototypeOf(prototype);
  }
  return undefined;
}
