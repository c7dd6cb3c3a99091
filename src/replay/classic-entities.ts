import { EntityInstanceId } from '../core/entity-instance-id.ts';
import { assertNotBlank } from './classic-tasks.ts';
import { inLockOrder } from './critical-section.ts';
import type { OrchestrationEngine } from './engine.ts';
import { AtomicTask } from './tasks.ts';
import type { Task } from './tasks.ts';

/** `EntityId` of durable-functions, whichever copy of it. */
export interface ClassicEntityId {
  readonly name: string;
  readonly key: string;
}

/** `context.df.isLocked()` of durable-functions. */
export interface LockState {
  readonly isLocked: boolean;
  readonly ownedLocks: readonly ClassicEntityId[];
}

/** The value classes of durable-functions that this room may not load. */
export interface LockingValues {
  /** A `DurableLock`; it calls `release` at most once. */
  readonly createLock: (ownedLocks: readonly ClassicEntityId[], release: () => void) => object;
  readonly createLockState: (
    isLocked: boolean,
    ownedLocks: readonly ClassicEntityId[],
  ) => LockState;
  /** A `LockingRulesViolationError`. */
  readonly createViolation: (message: string) => Error;
}

/** The sentences that users of durable-functions know. */
const RULES = {
  nestedSection: 'Cannot acquire more locks when already holding some locks.',
  childInSection: 'Cannot invoke sub-orchestrations from within a critical section.',
  unlockedCall:
    'Cannot call an entity from within a critical section unless it is one of the locked entities.',
  parallelCall: 'Cannot call the same entity multiple times in parallel within a critical section.',
  lockedSignal:
    'Cannot signal an entity from within a critical section if the entity is one of the locked ' +
    'entities.',
};

/** The part of `context.df` that concerns entities. */
export class ClassicEntities {
  readonly #engine: OrchestrationEngine;
  readonly #values: LockingValues;
  #ownedLocks: readonly ClassicEntityId[] = [];

  constructor(engine: OrchestrationEngine, values: LockingValues) {
    this.#engine = engine;
    this.#values = values;
  }

  call(target: ClassicEntityId, operation: string, input: unknown): Task {
    const { section } = this.#engine.entities;
    const entityId = readTarget(target, 'CallEntityAction');
    if (section !== undefined) {
      if (!section.holds(entityId)) throw this.#violation('unlockedCall');
      if (section.isBusy(entityId)) throw this.#violation('parallelCall');
    }
    assertNotBlank(operation, 'operation');
    section?.beginCall(entityId);
    const work = { kind: 'entityCall', entityId, operation, input, section } as const;
    return this.#engine.offer(new AtomicTask('classic', work));
  }

  signal(
    target: ClassicEntityId,
    operation: string,
    input: unknown,
    signalTime: Date | undefined,
  ): void {
    const entityId = readTarget(target, 'SignalEntityAction');
    const isLocked = this.#engine.entities.section?.holds(entityId) === true;
    if (isLocked) throw this.#violation('lockedSignal');
    assertNotBlank(operation, 'operation');
    this.#engine.entities.signal({ entityId, operation, input, signalTime });
  }

  lock(given: readonly (ClassicEntityId | readonly ClassicEntityId[])[]): Task {
    const ids = readLockSet(given);
    const { entities } = this.#engine;
    if (entities.section !== undefined) throw this.#violation('nestedSection');
    const requestId = this.#engine.newClassicGuid(this.#engine.instanceId);
    const section = entities.enter(requestId, ids);
    this.#ownedLocks = inLockOrder(ids);
    const handle = this.#values.createLock(this.#ownedLocks, () => {
      entities.leave(section);
    });
    return this.#engine.offer(new AtomicTask('classic', { kind: 'entityLock', section, handle }));
  }

  lockState(): LockState {
    const isLocked = this.#engine.entities.section !== undefined;
    return this.#values.createLockState(isLocked, isLocked ? [...this.#ownedLocks] : []);
  }

  assertNoSection(): void {
    if (this.#engine.entities.section !== undefined) throw this.#violation('childInSection');
  }

  #violation(rule: keyof typeof RULES): Error {
    return this.#values.createViolation(RULES[rule]);
  }
}

function readTarget(target: ClassicEntityId | undefined, action: string): EntityInstanceId {
  if (!target) throw new Error(`Must provide EntityId to ${action} constructor`);
  return EntityInstanceId.of(target);
}

function readLockSet(
  given: readonly (ClassicEntityId | readonly ClassicEntityId[] | undefined)[],
): readonly ClassicEntityId[] {
  const [first] = given;
  const ids: readonly unknown[] = Array.isArray(first) ? first : given;
  const isNone = ids.length === 0 || (given.length === 1 && first === undefined);
  if (isNone) throw new RangeError('lock requires at least one EntityId');
  if (!ids.every(isEntityId)) throw new TypeError('lock expected EntityId[]');
  return ids;
}

function isEntityId(value: unknown): value is ClassicEntityId {
  if (typeof value !== 'object' || value === null) return false;
  const { name, key } = value as Partial<Record<keyof ClassicEntityId, unknown>>;
  return typeof name === 'string' && typeof key === 'string';
}
