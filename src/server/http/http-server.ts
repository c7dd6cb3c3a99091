import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Clock } from '../../base/clock.ts';
import type { TlsFiles } from '../tls.ts';

export interface HttpServerOptions {
  readonly app: Hono;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly clock: Clock;
  /** `undefined`: cleartext. */
  readonly tls: TlsFiles | undefined;
}

export interface HttpServer {
  readonly port: number;
  /** Lets requests in flight finish, and after `graceMs` cuts what is left. */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/** Serves the app over HTTP/1.1. Rejects when the port cannot be bound. */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { app, host, port, clock, tls } = options;
  // Without replacing the globals `Request` and `Response`: we may be embedded in somebody's process.
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer(tls, (request, response) => void listener(request, response));
  await listen(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    close: ({ graceMs }) => shutDown(server, clock, graceMs),
  };
}

function createServer(tls: TlsFiles | undefined, listener: RequestListener): Server {
  if (tls === undefined) return createHttpServer(listener);
  const { cert, key, clientCa } = tls;
  const mutual = clientCa && { ca: clientCa, requestCert: true, rejectUnauthorized: true };
  return createHttpsServer({ cert, key, ...mutual }, listener);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function shutDown(server: Server, clock: Clock, graceMs: number): Promise<void> {
  const finished = new AbortController();
  const closed = new Promise<void>((resolve) => {
    // Idle connections are closed by this too; the error of a second close changes nothing.
    server.close(() => {
      finished.abort();
      resolve();
    });
  });
  const late = clock.sleepUntil(clock.now() + graceMs, { signal: finished.signal }).then(
    () => {
      server.closeAllConnections();
    },
    () => undefined, // ended in time
  );
  await Promise.race([closed, late]);
}
