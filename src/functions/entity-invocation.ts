import azureFunctions from '@azure/functions';
import type { FunctionOptions } from '@azure/functions';
import type { IdSource } from '../base/ids.ts';
import type { EntityInstanceId } from '../core/entity-instance-id.ts';
import type { EntityFactory, ITaskEntity, TaskEntityOperation } from '../worker/task-entity.ts';
import { ClassicEntityContext } from './entity-context.ts';
import type { EntityContext } from './entity-context.ts';
import { createUserLogHandler } from './host-log.ts';
import { callWithHooks } from './invocation-hooks.ts';

/**
 * An entity as in durable-functions: called once for each operation. What it gives to
 * `context.df.return` is the result, or else what it returns.
 */
export type EntityHandler<T> = (context: EntityContext<T>) => unknown;

/** An entity as in durabletask-js: a class with a `run` method, such as one that extends `TaskEntity`. */
export type EntityClass = new () => ITaskEntity;

/** A function that makes such an entity, once for each batch of operations. */
export type EntityMaker = () => ITaskEntity;

/** An entity in any of its shapes. */
export type EntityFunction<T> = EntityHandler<T> | EntityClass | EntityMaker;

/** An entity with options; those that need a host are refused when it is registered. */
export interface EntityOptions<T> extends Omit<Partial<FunctionOptions>, 'handler'> {
  handler: EntityFunction<T>;
}

/** What runs an entity's operations, whatever its shape. */
export function entityFactory(
  name: string,
  entity: EntityFunction<never>,
  ids: IdSource,
): EntityFactory {
  return (id) => {
    const context = new EntityInvocation(name, id, ids);
    if (!isEntityClass(entity)) return new FunctionEntity(entity, context);
    const made = new entity();
    return new FunctionEntity(() => made, context);
  };
}

/** The context of an entity function: one for a batch, with a fresh `df` for each operation. */
class EntityInvocation extends azureFunctions.InvocationContext {
  df: ClassicEntityContext | undefined;

  constructor(name: string, id: EntityInstanceId, ids: IdSource) {
    super({
      invocationId: ids.uuid(),
      functionName: name,
      triggerMetadata: { instanceId: id.toString() },
      options: { trigger: { type: 'entityTrigger', name: 'context' } },
      logHandler: createUserLogHandler(name),
    });
  }
}

class FunctionEntity implements ITaskEntity {
  readonly #handler: EntityHandler<never> | EntityMaker;
  readonly #context: EntityInvocation;
  /** What the function turned out to make. */
  #made: ITaskEntity | undefined;

  constructor(handler: EntityHandler<never> | EntityMaker, context: EntityInvocation) {
    this.#handler = handler;
    this.#context = context;
  }

  async run(operation: TaskEntityOperation): Promise<unknown> {
    const df = new ClassicEntityContext(operation);
    this.#context.df = df;
    const returned = await callWithHooks({
      context: this.#context,
      inputs: [],
      callback: (context: never) => this.#call(operation, context),
    });
    if (this.#made !== undefined) return returned;
    return df.returned === undefined ? ifWritable(returned) : df.returned.value;
  }

  async #call(operation: TaskEntityOperation, context: never): Promise<unknown> {
    if (this.#made === undefined) {
      const returned = await this.#handler(context);
      if (!isTaskEntity(returned)) return returned;
      this.#made = returned;
    }
    return this.#made.run(operation);
  }
}

/**
 * What a function returns without `df.return` counts only if it can be written: durable-functions 3.x
 * ignores it, so that its users may return anything.
 */
function ifWritable(value: unknown): unknown {
  try {
    JSON.stringify(value);
    return value;
  } catch {
    // A cycle or a bigint that nobody asked for.
    return undefined;
  }
}

function isEntityClass(entity: EntityFunction<never>): entity is EntityClass {
  const { prototype } = entity as { readonly prototype?: unknown };
  return isTaskEntity(prototype);
}

function isTaskEntity(value: unknown): value is ITaskEntity {
  return (
    typeof value === 'object' && value !== null && 'run' in value && typeof value.run === 'function'
  );
}
