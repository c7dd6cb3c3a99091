/**
 * Work that outlives its caller. Nothing floats: each task is handed to a named group, which is
 * awaited when its owner closes. A task that fails is reported once, never lost.
 */
export class TaskGroup {
  readonly #running = new Set<Promise<void>>();
  readonly #onError: (error: unknown, name: string) => void;

  constructor(onError: (error: unknown, name: string) => void) {
    this.#onError = onError;
  }

  get size(): number {
    return this.#running.size;
  }

  run(name: string, task: () => Promise<void>): void {
    const running = task()
      .catch((error: unknown) => {
        this.#onError(error, name);
      })
      .finally(() => {
        this.#running.delete(running);
      });
    this.#running.add(running);
  }

  /** Resolves when every task, those added meanwhile included, has ended. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) {
      await Promise.all(this.#running);
    }
  }
}
