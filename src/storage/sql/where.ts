/** The parts that lists have in common. */
import type { RuntimeStatus } from '../../core/instance.ts';
import type { SqlValue } from './session.ts';

/** A page with payloads ends when it has about this many bytes of them: clients receive at most 4 MiB. */
export const PAGE_BYTES_MAX = 3 * 1024 * 1024;

/** Builds `where` from what a filter holds; parameters are numbered as they come. */
export class Where {
  readonly params: SqlValue[] = [];
  readonly #conditions: string[] = [];

  /** `$` in the text stands for the value. */
  add(condition: string, value: SqlValue): void {
    this.params.push(value);
    this.#conditions.push(condition.replace('$', `$${this.params.length}`));
  }

  addAfter(columns: string, [first, second]: readonly [SqlValue, SqlValue]): void {
    this.params.push(first, second);
    const { length } = this.params;
    this.#conditions.push(`(${columns}) > ($${length - 1}, $${length})`);
  }

  addStatuses(statuses: readonly RuntimeStatus[]): void {
    // Numbers of an enum, not text from outside.
    this.#conditions.push(`i.status in (${statuses.map(Number).join(', ')})`);
  }

  get text(): string {
    return this.#conditions.join(' and ');
  }
}

/** The first text after all that begin with the prefix; a range, which an index serves, unlike `like`. */
export function afterPrefix(prefix: string): string {
  const last = prefix.charCodeAt(prefix.length - 1);
  return prefix.slice(0, -1) + String.fromCharCode(last + 1);
}
