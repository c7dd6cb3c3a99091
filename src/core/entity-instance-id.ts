/** Names an entity in calls: an `EntityInstanceId`, an `EntityId` of durable-functions, or `@name@key`. */
export type EntityTarget = string | { readonly name: string; readonly key: string };

/**
 * The id of an entity (names and error texts of durabletask-js): a name in lower case and without `@`,
 * and a key whose case counts and which may be anything, `@` and empty included. Its text is `@name@key`.
 */
export class EntityInstanceId {
  readonly name: string;
  readonly key: string;

  constructor(name: string, key: string) {
    // Callers from JavaScript pass what they like.
    const given: { readonly name?: string | null; readonly key?: string | null } = { name, key };
    if (!given.name) throw new Error('Entity name must not be empty.');
    if (name.includes('@')) throw new Error("Entity names may not contain '@' characters.");
    if (given.key === null || given.key === undefined) {
      throw new Error('Entity key must not be null or undefined.');
    }
    this.name = name.toLowerCase();
    this.key = key;
  }

  /** Reads `@name@key`; the key begins after the second `@`. */
  static fromString(instanceId: string): EntityInstanceId {
    if (!instanceId) throw new Error('Instance ID must not be empty.');
    const separator = instanceId.indexOf('@', 1);
    const wrong = `Instance ID '${instanceId}' is not a valid entity ID.`;
    if (!instanceId.startsWith('@')) throw new Error(`${wrong} Must start with '@'.`);
    if (separator === -1) throw new Error(`${wrong} Expected format: @name@key`);
    if (separator === 1) throw new Error(`${wrong} Entity name is empty.`);
    return new EntityInstanceId(instanceId.slice(1, separator), instanceId.slice(separator + 1));
  }

  /** The id of whatever names an entity. */
  static of(target: EntityTarget): EntityInstanceId {
    if (target instanceof EntityInstanceId) return target;
    if (typeof target === 'string') return EntityInstanceId.fromString(target);
    return new EntityInstanceId(target.name, target.key);
  }

  toString(): string {
    return `@${this.name}@${this.key}`;
  }

  toJSON(): string {
    return this.toString();
  }

  equals(other: EntityInstanceId | null | undefined): boolean {
    return other?.toString() === this.toString();
  }
}
