import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const SPAN_ID = Buffer.from('"spanId":');

/** An OTLP/HTTP receiver that reads what it is sent as cheaply as can be: it only counts. */
export class OtlpSink {
  readonly #server: Server;
  #spans = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<OtlpSink> {
    const server = createServer((request, response) => {
      void Array.fromAsync(request as AsyncIterable<Buffer>).then((chunks) => {
        sink.#spans += countOf(SPAN_ID, Buffer.concat(chunks));
        response.end('{}');
      });
    });
    const sink = new OtlpSink(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return sink;
  }

  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many spans came since the last call. */
  takeSpans(): number {
    const spans = this.#spans;
    this.#spans = 0;
    return spans;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function countOf(what: Buffer, text: Buffer): number {
  let count = 0;
  for (let at = text.indexOf(what); at !== -1; at = text.indexOf(what, at + what.length)) count++;
  return count;
}
