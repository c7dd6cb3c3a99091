/** The ingestion endpoint of Application Insights on loopback (the exporter speaks TLS only): it remembers the envelopes it was sent. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { LOOPBACK_CERTIFICATE, LOOPBACK_KEY } from './loopback-certificate.ts';

export interface Envelope {
  readonly name: string;
  readonly time: string;
  readonly iKey: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly data: {
    readonly baseType: string;
    readonly baseData: {
      readonly name: string;
      readonly id: string;
      readonly success: boolean;
      readonly duration: string;
      readonly message?: string;
      readonly metrics?: readonly { readonly name: string; readonly value: number }[];
      readonly properties: Readonly<Record<string, string>>;
    };
  };
}

export class IngestionStub {
  readonly envelopes: Envelope[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<IngestionStub> {
    const identity = { cert: LOOPBACK_CERTIFICATE, key: LOOPBACK_KEY };
    const server = createServer(identity, (request, response) => {
      void stub.#receive(request).then((itemsReceived) => {
        const answer = { itemsReceived, itemsAccepted: itemsReceived, errors: [] };
        response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
      });
    });
    const stub = new IngestionStub(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return stub;
  }

  /** For `APPLICATIONINSIGHTS_CONNECTION_STRING`. */
  get connectionString(): string {
    const url = `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
    return `InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=${url};LiveEndpoint=${url}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #receive(request: IncomingMessage): Promise<number> {
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
    if (request.url?.startsWith('/v2.1/track') !== true) return 0;
    const isZipped = request.headers['content-encoding'] === 'gzip';
    const envelopes = readEnvelopes((isZipped ? gunzipSync(body) : body).toString());
    this.envelopes.push(...envelopes);
    return envelopes.length;
  }
}

/** One JSON list, or one object a line. */
function readEnvelopes(text: string): Envelope[] {
  if (text.startsWith('[')) return JSON.parse(text) as Envelope[];
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Envelope);
}
