import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import type { DescMessage, DescMethodServerStreaming, DescMethodUnary } from '@bufbuild/protobuf';
import type { Clock } from '../../base/clock.ts';
import { TaskHubError } from '../../core/errors.ts';
import { TaskHubSidecarService } from '../../proto/orchestrator_service_pb.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Engine } from '../engine.ts';
import type { Guard } from '../auth/guard.ts';
import { urlHost } from '../host-names.ts';
import type { TlsFiles } from '../tls.ts';
import { rawMethod, serverStream, unary, type AdapterDeps } from './adapters.ts';
import type { StreamHandler, UnaryHandler } from './adapters.ts';
import type { CallContext } from './call-context.ts';
import type { CallSink } from './call-sink.ts';
import { RPC_PERMISSIONS, type RpcName } from './rpc-permissions.ts';
import { addScaleServices } from '../scale/services.ts';
import { refuseUnread } from './refuse-unread.ts';
import { createTaskHubHandlers } from './task-hub-service.ts';

export interface GrpcServerOptions {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Largest request accepted; larger ones get RESOURCE_EXHAUSTED. */
  readonly receiveBytesMax: number;
  readonly allowHubRecreate: boolean;
  /** `undefined`: everybody may do everything. */
  readonly guard: Guard | undefined;
  /** `undefined`: cleartext. */
  readonly tls: TlsFiles | undefined;
}

export interface GrpcServer {
  readonly port: number;
  /** Open server streams. */
  readonly streamCount: number;
  /**
   * Refuses new streams and client calls with UNAVAILABLE. Completions of leased work are still
   * taken, and calls that wait may still be answered by them.
   */
  beginDrain(): void;
  /** Ends streams with OK, lets calls in flight finish, and after `graceMs` cuts what is left. */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/**
 * How often an otherwise silent connection is checked, and how long the peer may take to answer. A
 * worker that computes without pause answers late, so only a peer that is really gone is cut.
 */
const KEEPALIVE_TIME_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 120_000;

/**
 * Node closes an HTTP/2 connection whose peer resets more than 1,000 streams at once or 33 a second
 * afterwards. Every wait that a client gives up is one, and an application that waits with a
 * time-out passes that easily: it would lose its worker's stream too.
 */
const STREAM_RESETS = { streamResetBurst: 50_000, streamResetRate: 5_000 } as const;

/** Listens for clients and workers. Rejects when the port cannot be bound. */
export async function openGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  let isDraining = false;
  const streams = new Set<CallSink>();
  const server = new Server({
    'grpc.max_receive_message_length': options.receiveBytesMax,
    'grpc.max_send_message_length': -1,
    // Statistics of each call that nothing here reads.
    'grpc.enable_channelz': 0,
    interceptors: [refuseUnread(options)],
    'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  });
  allowStreamResets(server);
  const deps: AdapterDeps = {
    logger: options.logger,
    clock: options.clock,
    admit: (method, call) => {
      const rpc = method as RpcName;
      if (isDraining && !isAllowedWhileDraining(rpc)) throw shuttingDown();
      if (options.guard) return admitKnown(options.guard, rpc, call, options.engine);
      assertHub(rpc, call, options.engine);
      return undefined;
    },
    onStream: (sink) => {
      streams.add(sink);
      sink.closed.addEventListener('abort', () => streams.delete(sink), { once: true });
    },
  };
  server.addService(serviceDefinition(), implementations(options, deps));
  addScaleServices(server, options, {
    ...deps,
    assertServing: () => {
      if (isDraining) throw shuttingDown();
    },
  });
  const port = await bind(server, options);
  return {
    port,
    get streamCount() {
      return streams.size;
    },
    beginDrain() {
      isDraining = true;
    },
    async close({ graceMs }) {
      isDraining = true;
      for (const sink of streams) sink.end();
      await shutDown(server, options.clock, graceMs);
    },
  };
}

/** Who calls, and whether they may: a caller without a right does not even learn that the hub exists. */
async function admitKnown(
  guard: Guard,
  rpc: RpcName,
  call: CallContext,
  engine: Engine,
): Promise<void> {
  call.caller = await guard.authenticate(call.authorization);
  guard.require(call.caller, RPC_PERMISSIONS[rpc], call.taskHub);
  assertHub(rpc, call, engine);
}

function assertHub(rpc: RpcName, { taskHub }: CallContext, engine: Engine): void {
  if (!NEEDS_NO_HUB.has(rpc)) engine.assertTaskHub(taskHub);
}

/** grpc-js has no option for it; a test notices should the field ever go. */
function allowStreamResets(server: Server): void {
  const { commonServerOptions = {} } = server as unknown as { commonServerOptions?: object };
  Object.assign(commonServerOptions, STREAM_RESETS);
}

/** The client and worker service; messages are decoded and encoded by the adapters. */
export function serviceDefinition(): ServiceDefinition {
  return Object.fromEntries(
    TaskHubSidecarService.methods.map((method) => [method.localName, rawMethod(method)]),
  );
}

function implementations(
  options: GrpcServerOptions,
  deps: AdapterDeps,
): Record<string, UntypedHandleCall> {
  const handlers = createTaskHubHandlers(options);
  const entries = TaskHubSidecarService.methods.map((method): [string, UntypedHandleCall] => {
    // The table's type ties each handler to its method; a loop over it cannot.
    const handler: unknown = handlers[method.localName as RpcName];
    if (method.methodKind === 'server_streaming') {
      const desc = method as DescMethodServerStreaming;
      return [method.localName, serverStream(desc, handler as StreamHandler<DescMessage>, deps)];
    }
    const desc = method as DescMethodUnary;
    return [method.localName, unary(desc, handler as UnaryHandler<DescMessage, DescMessage>, deps)];
  });
  return Object.fromEntries(entries);
}

/** Hubs are made and deleted by calls that need not find one. */
const NEEDS_NO_HUB: ReadonlySet<string> = new Set<RpcName>(['createTaskHub', 'deleteTaskHub']);

/** What a worker needs to finish the work it has. */
function isAllowedWhileDraining(rpc: RpcName): boolean {
  if (rpc === 'streamInstanceHistory') return true;
  return RPC_PERMISSIONS[rpc] === 'work' && rpc !== 'getWorkItems';
}

/** Clients repeat a call that gets UNAVAILABLE, so it is only for calls of which nothing was done. */
function shuttingDown(): TaskHubError {
  return new TaskHubError('UNAVAILABLE', 'The scheduler is shutting down; try again later.');
}

function bind(
  server: Server,
  { host, port: asked, tls }: Pick<GrpcServerOptions, 'host' | 'port' | 'tls'>,
): Promise<number> {
  const address = `${urlHost(host)}:${asked}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, serverCredentials(tls), (error, port) => {
      if (error) reject(error);
      else resolve(port);
    });
  });
}

function serverCredentials(tls: TlsFiles | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const { cert, key, clientCa } = tls;
  const pair = { cert_chain: cert, private_key: key };
  return ServerCredentials.createSsl(clientCa ?? null, [pair], clientCa !== undefined);
}

async function shutDown(server: Server, clock: Clock, graceMs: number): Promise<void> {
  const finished = new AbortController();
  const graceful = new Promise<void>((resolve) => {
    server.tryShutdown(() => {
      finished.abort();
      resolve();
    });
  });
  const late = clock.sleepUntil(clock.now() + graceMs, { signal: finished.signal }).then(
    () => {
      server.forceShutdown();
    },
    () => undefined, // ended in time
  );
  await Promise.race([graceful, late]);
}
