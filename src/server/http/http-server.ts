import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Clock } from '../../base/clock.ts';

export interface HttpServerOptions {
  readonly app: Hono;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly clock: Clock;
}

export interface HttpServer {
  readonly port: number;
  /** Lets requests in flight finish, and after `graceMs` cuts what is left. */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/** Serves the app over HTTP/1.1. Rejects when the port cannot be bound. */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { app, host, port, clock } = options;
  // Without replacing the globals `Request` and `Response`: we may be embedded in somebody's process.
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer((request, response) => void listener(request, response));
  await listen(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    close: ({ graceMs }) => shutDown(server, clock, graceMs),
  };
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
