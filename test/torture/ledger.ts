/** What happened, in numbers, and everything that must not have. */
export class Ledger {
  /** How often each fault was made, by its name. */
  readonly faults = new Map<string, number>();
  readonly violations: string[] = [];
  /** Instances whose start was acknowledged. */
  started = 0;
  /** Of those: ended, with the right output. */
  right = 0;
  /** Times that each task was begun. */
  readonly #begun = new Map<string, number>();

  fault(name: string): void {
    this.faults.set(name, (this.faults.get(name) ?? 0) + 1);
  }

  violation(sentence: string): void {
    this.violations.push(sentence);
  }

  /** A task was begun by a worker. */
  begun(key: string): void {
    this.#begun.set(key, (this.#begun.get(key) ?? 0) + 1);
  }

  get tasks(): number {
    return this.#begun.size;
  }

  /** Tasks handed out beyond the first time. */
  get redeliveries(): number {
    return [...this.#begun.values()].reduce((sum, count) => sum + count - 1, 0);
  }
}
