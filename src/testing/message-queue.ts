interface Entry {
  readonly bytes: Uint8Array;
  readonly onTaken: () => void;
}

/** Messages from one side of a stream to the other, in order, until it ends or fails. */
export class MessageQueue implements AsyncIterable<Uint8Array> {
  readonly #entries: Entry[] = [];
  #end: { readonly error: unknown } | 'ok' | undefined;
  #news = Promise.withResolvers<undefined>();

  /** `onTaken` is called when the reader has come to the message. */
  push(bytes: Uint8Array, onTaken: () => void): void {
    this.#entries.push({ bytes, onTaken });
    this.#news.resolve(undefined);
  }

  /** What was pushed is still read. The first end counts. */
  end(): void {
    this.#end ??= 'ok';
    this.#news.resolve(undefined);
  }

  /** The reader gets the error after what was pushed. The first end counts. */
  fail(error: unknown): void {
    this.#end ??= { error };
    this.#news.resolve(undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      for (let entry = this.#entries.shift(); entry; entry = this.#entries.shift()) {
        entry.onTaken();
        yield entry.bytes;
      }
      if (this.#end === 'ok') return;
      if (this.#end !== undefined) throw this.#end.error;
      await this.#news.promise;
      this.#news = Promise.withResolvers();
    }
  }
}
