import { ChildProcess } from './child-process.ts';

/** Worker processes, as many as its owner last asked for. */
export class WorkerPool {
  readonly #open: () => Promise<ChildProcess>;
  #running: readonly ChildProcess[] = [];
  readonly #closing = new Set<Promise<void>>();

  constructor(file: URL, args: readonly string[]) {
    this.#open = () => ChildProcess.open({ file, args });
  }

  /** Processes that were started and not told to stop. */
  get size(): number {
    return this.#running.length;
  }

  /** Resolves when those that were missing are connected; those too many end on their own, with what they have in hand. */
  async resize(count: number): Promise<void> {
    for (const extra of this.#running.slice(count)) {
      const closing = extra.close().finally(() => this.#closing.delete(closing));
      this.#closing.add(closing);
    }
    this.#running = this.#running.slice(0, count);
    const missing = Array.from({ length: count - this.#running.length }, this.#open);
    this.#running = [...this.#running, ...(await Promise.all(missing))];
  }

  async close(): Promise<void> {
    await this.resize(0);
    await Promise.all(this.#closing);
  }
}
