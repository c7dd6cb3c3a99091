import type { TaskHubClient } from '../../src/client/index.ts';
import type { Random } from '../../src/testing/random.ts';
import type { Ledger } from './ledger.ts';

/** Entries in one book before the next is begun: its whole state is written with each. */
const ENTRIES_MAX = 200;
/** Books that are open at the same time. */
const WIDTH = 4;

interface Entry {
  readonly book: string;
  readonly entry: string;
}

/** What was sent to the entities that keep every entry, and whether each is there once. */
export class Books {
  readonly #ledger: Ledger;
  /** Entries that must be there, by book, in the order of each sender. */
  readonly #sure = new Map<string, string[]>();
  /** Entries whose sender got no answer: they may be there. */
  readonly #unsure = new Set<string>();
  #count = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** One that takes entries now. */
  pick(random: Random): string {
    const book = Math.floor(this.#count / (ENTRIES_MAX * WIDTH)) * WIDTH + random.int(0, WIDTH - 1);
    return `@book@${book}`;
  }

  acknowledged({ book, entry }: Entry): void {
    this.#count += 1;
    this.#sure.set(book, [...(this.#sure.get(book) ?? []), entry]);
  }

  unanswered({ book, entry }: Entry): void {
    if (!this.#sure.has(book)) this.#sure.set(book, []);
    this.#unsure.add(entry);
  }

  /** Once nothing is under way any more. */
  async check(client: TaskHubClient): Promise<void> {
    for (const [book, sure] of this.#sure) {
      const entries = (await client.getEntity<string[]>(book))?.state ?? [];
      this.#checkBook(book, entries, sure);
    }
  }

  #checkBook(book: string, entries: readonly string[], sure: readonly string[]): void {
    const ledger = this.#ledger;
    const places = new Map(entries.map((entry, place) => [entry, place]));
    ledger.operations += entries.length;
    for (const entry of new Set(entries.filter((each, place) => places.get(each) !== place))) {
      ledger.doubled(`${entry} is in ${book} more than once`);
    }
    const expected = new Set(sure);
    for (const entry of entries) {
      if (expected.has(entry) || this.#unsure.has(entry)) continue;
      ledger.violation(`${entry} in ${book} was sent by nobody`);
    }
    const lastOf = new Map<string, number>();
    for (const entry of sure) {
      const place = places.get(entry);
      const [sender = ''] = entry.split('/');
      if (place === undefined) ledger.lost(`${entry} is not in ${book}`);
      else if (place < (lastOf.get(sender) ?? -1)) {
        ledger.violation(`${entry} in ${book} comes too early`);
      } else lastOf.set(sender, place);
    }
  }
}
