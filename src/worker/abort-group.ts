/** One short-lived signal of a group. */
export interface AbortMember {
  /** Made when it is first asked for; most never are. */
  readonly signal: AbortSignal;
  /** Takes the signal out of the group: it does not abort any more. */
  release(): void;
}

/**
 * Gives each of many short tasks an abort signal of its own that follows one long-lived signal.
 * What a task's code hangs on its signal and forgets goes away with the task, not with the worker.
 */
export class AbortGroup {
  readonly #parent: AbortSignal;
  readonly #open = new Set<AbortController>();

  constructor(parent: AbortSignal) {
    this.#parent = parent;
    const abortAll = (): void => {
      for (const controller of this.#open) controller.abort(parent.reason);
    };
    parent.addEventListener('abort', abortAll, { once: true });
  }

  /** Signals that were asked for and not released. */
  get size(): number {
    return this.#open.size;
  }

  join(): AbortMember {
    let controller: AbortController | undefined;
    const open = this.#open;
    const parent = this.#parent;
    return {
      get signal() {
        if (controller === undefined) {
          if (parent.aborted) return parent;
          controller = new AbortController();
          open.add(controller);
        }
        return controller.signal;
      },
      release() {
        if (controller !== undefined) open.delete(controller);
      },
    };
  }
}
