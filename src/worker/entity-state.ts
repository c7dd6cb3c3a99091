import type { TaskEntityState } from './task-entity.ts';

/** A state as JSON text that can go back to what it was before the current operation. */
export class EntityState implements TaskEntityState {
  #text: string | undefined;
  #committed: string | undefined;
  /** The value of the text, once it was asked for or set. */
  #value: { readonly value: unknown } | undefined;

  /** An unset and an empty text are no state. */
  constructor(text: string | undefined) {
    this.#text = text === '' ? undefined : text;
    this.#committed = this.#text;
  }

  /** JSON text; `undefined` is no state. */
  get text(): string | undefined {
    return this.#text;
  }

  get hasState(): boolean {
    return this.#text !== undefined;
  }

  getState<T>(defaultValue?: T): T | undefined {
    if (this.#text === undefined) return defaultValue;
    this.#value ??= { value: parse(this.#text) };
    return this.#value.value as T;
  }

  setState(state: unknown): void {
    // `undefined` also for what JSON leaves out: a function, a symbol.
    this.#text = state === null ? undefined : stringify(state);
    this.#value = this.#text === undefined ? undefined : { value: state };
  }

  /** Keeps what the operation has set. Later operations read it anew, whatever is done to the value. */
  commit(): void {
    this.#committed = this.#text;
    this.#value = undefined;
  }

  rollback(): void {
    this.#text = this.#committed;
    this.#value = undefined;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Error(`Entity state contains invalid JSON: ${messageOf(error)}`, { cause: error });
  }
}

function stringify(state: unknown): string | undefined {
  try {
    return JSON.stringify(state);
  } catch (error) {
    throw new Error(`Entity state is not JSON-serializable: ${messageOf(error)}`, { cause: error });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
