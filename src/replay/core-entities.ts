import { EntityInstanceId } from '../core/entity-instance-id.ts';
import type { EntityTarget } from '../core/entity-instance-id.ts';
import type { CriticalSection } from './critical-section.ts';
import type { OrchestrationEngine } from './engine.ts';
import { AtomicTask } from './tasks.ts';
import type { Task } from './tasks.ts';

/** Options of `signalEntity` (names of durabletask-js). */
export interface SignalOptions {
  /** When the entity gets it. Default: at once. */
  readonly signalTime?: Date | undefined;
}

/** Whether the orchestration is in a critical section, and of which entities. */
export interface CriticalSectionInfo {
  readonly inSection: boolean;
  readonly lockedEntities?: readonly EntityInstanceId[];
}

/** What `lockEntities` gives; `release()` or `using` ends the critical section. */
export interface LockHandle extends Disposable {
  release(): void;
}

/** `context.entities` of durabletask-js on our engine, with its rules and error texts. */
export class CoreEntities {
  readonly #engine: OrchestrationEngine;

  constructor(engine: OrchestrationEngine) {
    this.#engine = engine;
  }

  /** Calls an operation; the task gives what it returns, or throws what it threw. */
  callEntity(target: EntityTarget, operation: string, input?: unknown): Task {
    const entityId = EntityInstanceId.of(target);
    const { section } = this.#engine.entities;
    if (section !== undefined) assertCallable(section, entityId);
    const requestId = this.#engine.newCoreGuid();
    const work = { kind: 'entityCall', entityId, operation, input, requestId, section } as const;
    const task = this.#engine.offer(new AtomicTask('core', work));
    section?.beginCall(entityId);
    return task;
  }

  /** Sends an operation without waiting for it. Not to be yielded. */
  signalEntity(
    target: EntityTarget,
    operation: string,
    input?: unknown,
    options: SignalOptions = {},
  ): void {
    const entityId = EntityInstanceId.of(target);
    if (this.#engine.entities.section?.holds(entityId) === true) {
      throw new Error('Must not signal a locked entity from a critical section.');
    }
    const requestId = this.#engine.newCoreGuid();
    const { signalTime } = options;
    this.#engine.entities.signal({ entityId, operation, input, signalTime, requestId });
  }

  /** Locks entities, in an order that cannot deadlock; the task gives the handle that lets go. */
  lockEntities(...targets: EntityTarget[]): Task {
    if (targets.length === 0) {
      throw new Error('The list of entities to lock must not be empty.');
    }
    const { entities } = this.#engine;
    if (entities.section !== undefined) {
      throw new Error('Must not enter another critical section from within a critical section.');
    }
    const section = entities.enter(this.#engine.newCoreGuid(), targets);
    const release = (): void => {
      entities.leave(section);
    };
    const handle: LockHandle = { release, [Symbol.dispose]: release };
    return this.#engine.offer(new AtomicTask('core', { kind: 'entityLock', section, handle }));
  }

  /** True from the call of `lockEntities` until the release. */
  isInCriticalSection(): CriticalSectionInfo {
    const { section } = this.#engine.entities;
    if (section === undefined) return { inSection: false };
    return { inSection: true, lockedEntities: [...section.entities] };
  }
}

function assertCallable(section: CriticalSection, entityId: EntityInstanceId): void {
  if (!section.isGranted) {
    throw new Error('Must await the completion of the lock request prior to calling any entity.');
  }
  if (!section.holds(entityId)) {
    throw new Error(
      'Must not call an entity from a critical section if it is not one of the locked entities.',
    );
  }
  if (section.isBusy(entityId)) {
    throw new Error(
      'Must not call an entity from a critical section while a prior call to the same entity is ' +
        'still pending.',
    );
  }
}
