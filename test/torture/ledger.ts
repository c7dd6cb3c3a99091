/** What happened, in numbers, and everything that must not have. */
export class Ledger {
  /** How often each fault was made, by its name. */
  readonly faults = new Map<string, number>();
  readonly violations: string[] = [];
  lostCount = 0;
  doubledCount = 0;
  /** Scenarios whose start was acknowledged. */
  started = 0;
  /** Of those: ended, each with the right output. */
  right = 0;
  /** Operations that entities have applied. */
  operations = 0;
  /** Times that each task was begun. */
  readonly #begun = new Map<string, number>();

  /** Looks at the whole database that found nothing wrong, or told what. */
  looks = 0;

  get faultCount(): number {
    return [...this.faults.values()].reduce((sum, count) => sum + count, 0);
  }

  fault(name: string): void {
    this.faults.set(name, (this.faults.get(name) ?? 0) + 1);
  }

  violation(sentence: string): void {
    this.violations.push(sentence);
  }

  /** Something was acknowledged, and is not there. */
  lost(sentence: string): void {
    this.lostCount += 1;
    this.violation(sentence);
  }

  /** Something is there more than once. */
  doubled(sentence: string): void {
    this.doubledCount += 1;
    this.violation(sentence);
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
