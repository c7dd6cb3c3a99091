import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { DevHostError } from './dev-host-error.ts';
import { refusalOf, sendText, urlOf } from './http-edge.ts';
import type { EdgeOptions } from './http-edge.ts';
import { sendEmpty } from './http-message.ts';

/** A request that passed the edge's rules. */
export interface HostRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** The path with aliases applied, still percent-encoded. */
  readonly path: string;
}

export interface HttpHostOptions extends EdgeOptions {
  readonly port: number;
  /** Serves one request; what it throws closes the connection and is reported. */
  readonly serve: (request: HostRequest) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export interface HttpHost {
  readonly port: number;
  /** Stops listening and ends idle connections; those in use end with their response. */
  stop(): void;
}

/** Listens for the functions' clients. Throws `DevHostError` when the port cannot be had. */
export async function openHttpHost(options: HttpHostOptions): Promise<HttpHost> {
  const server = createServer();
  server.on('request', (request, response) => {
    void serveRequest(options, request, response);
  });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    stop() {
      server.close();
      server.closeIdleConnections();
    },
  };
}

async function listen(server: Server, { port, host }: HttpHostOptions): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const text =
      code === 'EADDRINUSE'
        ? `Port ${port} on ${host} is in use: stop what listens there, or choose another port for the functions (0 picks a free one).`
        : `Cannot listen on port ${port} of ${host} for the functions: ${message}.`;
    throw new DevHostError(text, { cause });
  }
}

async function serveRequest(
  options: HttpHostOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const refusal = refusalOf(request, options);
    const target = urlOf(request, options);
    if (refusal !== undefined) sendText(response, 403, refusal);
    else if (target === undefined) sendEmpty(response, 400);
    else await options.serve({ request, response, ...target });
  } catch (error) {
    // A client that went away is no error of anybody here.
    if (!response.destroyed) options.onError(error);
    if (response.headersSent) response.destroy();
    else sendEmpty(response, 500);
  }
}
