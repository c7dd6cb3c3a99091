/** The state of an entity as its last batch left it. */
interface Entry {
  readonly name: string;
  /** JSON text. */
  readonly state: string;
}

/**
 * States of entities, least recently used first, up to a number of bytes. Each is kept under the name that the
 * scheduler gave it before the batch ran. No other batch is given that name, so what is found under it is what was
 * committed, whatever else happened to the entity: a batch that was refused has left a name that nobody asks for.
 */
export class StateCache {
  readonly #bytesMax: number;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(instanceId: string, name: string): string | undefined {
    const entry = this.#entries.get(instanceId);
    if (entry?.name !== name) return undefined;
    this.#entries.delete(instanceId);
    this.#entries.set(instanceId, entry);
    return entry.state;
  }

  /** Keeps a state in place of the one before; an unset or empty one is none. True if it is kept. */
  put(instanceId: string, name: string, state: string | undefined): boolean {
    this.#remove(instanceId);
    if (state === undefined || state === '') return false;
    const entry = { name, state };
    const bytes = bytesOf(instanceId, entry);
    if (bytes > this.#bytesMax) return false;
    this.#entries.set(instanceId, entry);
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#remove(oldest);
    }
    return true;
  }

  /** Forgets the state only if it is still the one of this name. */
  drop(instanceId: string, name: string): void {
    if (this.#entries.get(instanceId)?.name === name) this.#remove(instanceId);
  }

  #remove(instanceId: string): void {
    const entry = this.#entries.get(instanceId);
    if (entry === undefined) return;
    this.#entries.delete(instanceId);
    this.#bytes -= bytesOf(instanceId, entry);
  }
}

/** What an entry costs beside its texts, roughly. */
const ENTRY_BYTES = 200;

/** Two bytes for each character, which is what it takes at most. */
function bytesOf(instanceId: string, { name, state }: Entry): number {
  return ENTRY_BYTES + 2 * (instanceId.length + name.length + state.length);
}
