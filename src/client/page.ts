/** One page of a list (names of `Page` in `@microsoft/durabletask-js`). */
export class Page<T> {
  readonly values: readonly T[];
  /** Where the next page begins; `undefined` on the last one. */
  readonly continuationToken: string | undefined;

  constructor(values: readonly T[], continuationToken?: string) {
    this.values = values;
    this.continuationToken = continuationToken;
  }

  get hasMoreResults(): boolean {
    return this.continuationToken !== undefined;
  }
}

/**
 * A list that is fetched page by page while it is read: iterate it for its items, `asPages()` for
 * its pages. Each iteration asks anew.
 */
export interface AsyncPageable<T> extends AsyncIterable<T> {
  /** Starts at a token of an earlier page. `pageSize` wins over that of the query. */
  asPages(continuationToken?: string, pageSize?: number): AsyncIterable<Page<T>>;
}

/** Gives the page at a token; `undefined` is the first page, and the query's own page size. */
export type PageSource<T> = (
  continuationToken: string | undefined,
  pageSize: number | undefined,
) => Promise<Page<T>>;

/** A pageable over a source of pages. */
export function createAsyncPageable<T>(source: PageSource<T>): AsyncPageable<T> {
  return {
    asPages: (continuationToken, pageSize) => pagesOf(source, continuationToken, pageSize),
    async *[Symbol.asyncIterator]() {
      for await (const page of pagesOf(source, undefined, undefined)) yield* page.values;
    },
  };
}

async function* pagesOf<T>(
  source: PageSource<T>,
  continuationToken: string | undefined,
  pageSize: number | undefined,
): AsyncGenerator<Page<T>, void, undefined> {
  let token = continuationToken;
  do {
    const page = await source(token, pageSize);
    yield page;
    token = page.continuationToken;
  } while (token !== undefined);
}

/** An empty token is none: asking with it would begin again. */
export function tokenOf(token: string | undefined): string | undefined {
  return token === '' ? undefined : token;
}
