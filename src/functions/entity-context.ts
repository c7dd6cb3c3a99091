import type { InvocationContext } from '@azure/functions';
import type * as df from 'durable-functions';
import type { EntityStartOptions, TaskEntityOperation } from '../worker/task-entity.ts';
import { EntityId } from './value-classes.ts';

/** `context.df` of an entity: that of durable-functions, and what the scheduler offers besides. */
export interface DurableEntityContext<TState> extends df.DurableEntityContext<TState> {
  /** As in durable-functions; falsy inputs are sent too, and `signalTime` may name a later time. */
  signalEntity(
    entity: df.EntityId,
    operationName: string,
    operationInput?: unknown,
    options?: { readonly signalTime?: Date | undefined },
  ): void;
  /** Starts an orchestration that belongs to nobody. Returns its instance id. */
  scheduleNewOrchestration(name: string, input?: unknown, options?: EntityStartOptions): string;
}

/** The context of an entity function. */
export interface EntityContext<T> extends InvocationContext {
  df: DurableEntityContext<T>;
}

/** `context.df` for one operation, in the manner of durable-functions 3.x. */
export class ClassicEntityContext implements DurableEntityContext<unknown> {
  readonly entityName: string;
  readonly entityKey: string;
  readonly entityId: df.EntityId;
  readonly operationName: string;
  /** True when the entity had no state before this operation. */
  readonly isNewlyConstructed: boolean;
  readonly #operation: TaskEntityOperation;
  #returned: { readonly value: unknown } | undefined;

  constructor(operation: TaskEntityOperation) {
    const { name, key } = operation.context.id;
    this.#operation = operation;
    this.entityName = name;
    this.entityKey = key;
    this.entityId = entityIdOf(name, key);
    this.operationName = operation.name;
    this.isNewlyConstructed = !operation.state.hasState;
  }

  /** What `return` was given; `undefined` when it was not called. */
  get returned(): { readonly value: unknown } | undefined {
    return this.#returned;
  }

  /** The initializer is asked only when there is no state, and its value is not stored. */
  readonly getState = <T>(initializer?: () => T): T | undefined => {
    const { state } = this.#operation;
    return state.hasState ? state.getState<T>() : initializer?.();
  };

  /** Null and `undefined` delete the state. */
  readonly setState = (state: unknown): void => {
    this.#operation.state.setState(state);
  };

  // The caller says what the input is; nothing at run time can check it.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- public signature
  readonly getInput = <T>(): T | undefined => this.#operation.getInput<T>();

  readonly return = (result: unknown): void => {
    this.#returned = { value: result };
  };

  /** Deletes the state, at once as in durable-functions 3.x. */
  readonly destructOnExit = (): void => {
    this.#operation.state.setState(undefined);
  };

  readonly signalEntity: DurableEntityContext<unknown>['signalEntity'] = (
    entity,
    operationName,
    operationInput,
    options,
  ) => {
    this.#operation.context.signalEntity(entity, operationName, operationInput, options);
  };

  readonly scheduleNewOrchestration: DurableEntityContext<unknown>['scheduleNewOrchestration'] = (
    name,
    input,
    options,
  ) => this.#operation.context.scheduleNewOrchestration(name, input, options);
}

/** The constructor refuses empty keys, which entities of other SDKs may have. */
function entityIdOf(name: string, key: string): df.EntityId {
  if (key.trim() !== '') return new EntityId(name, key);
  return Object.assign(Object.create(EntityId.prototype) as df.EntityId, { name, key });
}
