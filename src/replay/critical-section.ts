import { EntityInstanceId } from '../core/entity-instance-id.ts';
import type { EntityTarget } from '../core/entity-instance-id.ts';

/** A set of entities that one orchestration locks, calls and lets go of. */
export class CriticalSection {
  /** In the order in which they are locked, each once. */
  readonly entities: readonly EntityInstanceId[];
  /** What request, grant and release have in common; history has the last word. */
  id: string;
  /** Of the lock request; `undefined` until it is made. */
  actionId: number | undefined;
  isGranted = false;
  readonly #texts: ReadonlySet<string>;
  /** Entities with a call that has no answer yet. */
  readonly #busy = new Set<string>();

  constructor(id: string, targets: readonly EntityTarget[]) {
    this.id = id;
    this.entities = inLockOrder(targets).map((target) => EntityInstanceId.of(target));
    this.#texts = new Set(this.entities.map(String));
  }

  holds(entityId: EntityInstanceId): boolean {
    return this.#texts.has(entityId.toString());
  }

  isBusy(entityId: EntityInstanceId): boolean {
    return this.#busy.has(entityId.toString());
  }

  beginCall(entityId: EntityInstanceId): void {
    this.#busy.add(entityId.toString());
  }

  endCall(entityId: EntityInstanceId): void {
    this.#busy.delete(entityId.toString());
  }
}

/** The same entities, each once, in the one order in which all orchestrations lock them. */
export function inLockOrder<T extends EntityTarget>(targets: readonly T[]): readonly T[] {
  const byText = new Map<string, T>();
  for (const target of targets) {
    const text = EntityInstanceId.of(target).toString();
    if (!byText.has(text)) byText.set(text, target);
  }
  // By code units, as every other SDK: what locale the process runs in must not matter.
  return [...byText].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, target]) => target);
}
