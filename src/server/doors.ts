import { createServer } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { systemIds } from '../base/ids.ts';
import { isLoopback } from '../config/loopback.ts';
import type { ServerConfig } from '../config/server-config.ts';
import { TaskHubError } from '../core/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Security } from './auth/security.ts';
import type { Engine } from './engine.ts';
import { openGrpcServer, type GrpcServer } from './grpc/grpc-server.ts';
import { endpointUrl } from './host-names.ts';
import { BulkJobs } from './http/api/bulk-jobs.ts';
import { DashboardFiles } from './http/dashboard-files.ts';
import type { ConfigWithSources } from '../config/shown-config.ts';
import { createHttpApp } from './http/http-app.ts';
import { openHttpServer, type HttpServer } from './http/http-server.ts';
import { readTlsFiles } from './tls.ts';

export type DoorsConfig = Pick<
  ServerConfig,
  | 'host'
  | 'grpcPort'
  | 'httpPort'
  | 'allowedHosts'
  | 'allowHubRecreate'
  | 'grpcReceiveBytesMax'
  | 'tlsCert'
  | 'tlsKey'
  | 'tlsClientCa'
>;

export interface OpenDoorsOptions {
  readonly engine: Engine;
  readonly config: DoorsConfig;
  readonly security: Pick<Security, 'guard' | 'roles' | 'signIn'>;
  /** What the settings page shows. */
  readonly shown: ConfigWithSources;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The listening half of a scheduler: gRPC and HTTP in front of one engine. */
export interface Doors {
  /** `http://127.0.0.1:8080` */
  readonly grpcEndpoint: string;
  readonly httpEndpoint: string;
  /** Refuses new work; completions of leased work are still taken, and readiness is gone. */
  beginDrain(): void;
  close(options: { readonly graceMs: number }): Promise<void>;
}

/**
 * Listens on both ports.
 *
 * @throws TaskHubError UNAVAILABLE in one sentence when a port cannot be had; nothing stays open.
 */
export async function openDoors(options: OpenDoorsOptions): Promise<Doors> {
  const { config, engine, clock, logger, shown } = options;
  const { guard, roles, signIn } = options.security;
  const { host } = config;
  const draining = new AbortController();
  const tls = readTlsFiles(config);
  const scheme = tls === undefined ? 'http' : 'https';
  const rules = {
    allowedHosts: [host, ...config.allowedHosts].map((each) => each.toLowerCase()),
    allowAddresses: !isLoopback(host),
    scheme,
  } as const;
  const grpc = await listen({ host, port: config.grpcPort, flag: '--grpc-port' }, (port) =>
    openGrpcServer({
      ...{ engine, guard, tls, clock, logger, host, port },
      receiveBytesMax: config.grpcReceiveBytesMax,
      allowHubRecreate: config.allowHubRecreate,
    }),
  );
  const grpcEndpoint = endpointUrl(scheme, host, grpc.port);
  const app = createHttpApp({
    ...{ engine, guard, roles, signIn, clock, logger, rules },
    isReady: () => !draining.signal.aborted,
    draining: draining.signal,
    bulkJobs: new BulkJobs({ engine, clock, ids: systemIds }),
    dashboardFiles: readOnce(),
    config: shown,
    grpcEndpoint,
  });
  let http: HttpServer;
  try {
    http = await listen({ host, port: config.httpPort, flag: '--http-port' }, (port) =>
      openHttpServer({ app, tls, host, port, clock }),
    );
  } catch (error) {
    await grpc.close({ graceMs: 0 });
    throw error;
  }
  return {
    grpcEndpoint,
    httpEndpoint: endpointUrl(scheme, host, http.port),
    beginDrain() {
      draining.abort(new Error('the scheduler is draining'));
      grpc.beginDrain();
    },
    close: ({ graceMs }) => closeBoth(grpc, http, graceMs),
  };
}

/** Read with the first page that is asked for: most schedulers in tests show none. */
function readOnce(): () => DashboardFiles | undefined {
  let files: DashboardFiles | undefined;
  return () => (files ??= DashboardFiles.read());
}

async function closeBoth(grpc: GrpcServer, http: HttpServer, graceMs: number): Promise<void> {
  await Promise.all([grpc.close({ graceMs }), http.close({ graceMs })]);
}

interface Address {
  readonly host: string;
  readonly port: number;
  readonly flag: string;
}

async function listen<T>(address: Address, open: (port: number) => Promise<T>): Promise<T> {
  try {
    // grpc-js prints a line of its own about a port that it cannot bind: look first.
    if (address.port !== 0) await probe(address);
    return await open(address.port);
  } catch (error) {
    throw cannotListen(address, error);
  }
}

function probe({ host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => {
        resolve();
      });
    });
  });
}

function cannotListen({ host, port, flag }: Address, cause: unknown): TaskHubError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const sentence = (): string => {
    if (text.includes('EADDRINUSE')) {
      return `Port ${port} on ${host} is in use; stop what uses it, or choose another with ${flag} (0 picks a free one).`;
    }
    if (text.includes('EACCES')) {
      return `Port ${port} on ${host} may not be opened by this user; choose one above 1023 with ${flag}.`;
    }
    if (/EADDRNOTAVAIL|ENOTFOUND|Name resolution|EAI_AGAIN/.test(text)) {
      return `${host} is not an address of this machine; choose another with --host.`;
    }
    return `Port ${port} on ${host} cannot be opened (${text}); choose another with ${flag}.`;
  };
  return new TaskHubError('UNAVAILABLE', sentence(), { cause });
}
