import { systemClock, type Clock } from '../../../src/base/clock.ts';
import { openGrpcServer, type GrpcServer } from '../../../src/server/grpc/grpc-server.ts';
import type { Guard } from '../../../src/server/auth/guard.ts';
import type { Engine } from '../../../src/server/engine.ts';
import type { TlsFiles } from '../../../src/server/tls.ts';
import type { LogFields, Logger } from '../../../src/telemetry/logger.ts';
import { EngineDouble } from '../../support/engine-double.ts';
import { onLeakCheck } from '../../support/hooks.ts';
import { RawClient } from './raw-client.ts';

export interface GrpcFixture {
  readonly engine: EngineDouble;
  readonly server: GrpcServer;
  readonly client: RawClient;
  readonly log: RecordedLog;
  close(): Promise<void>;
}

export interface GrpcFixtureOptions {
  readonly methods?: Partial<Engine>;
  readonly clock?: Clock;
  readonly receiveBytesMax?: number;
  readonly allowHubRecreate?: boolean;
  readonly guard?: Guard;
  readonly tls?: TlsFiles;
}

let openCount = 0;
onLeakCheck(() => (openCount === 0 ? undefined : `${openCount} gRPC servers`));

/** A gRPC server on a free port in front of an engine double, with a client of it. */
export async function openGrpcFixture(options: GrpcFixtureOptions = {}): Promise<GrpcFixture> {
  const engine = new EngineDouble(options.methods);
  const log = new RecordedLog();
  const server = await openGrpcServer({
    engine,
    clock: options.clock ?? systemClock,
    logger: log,
    host: '127.0.0.1',
    port: 0,
    receiveBytesMax: options.receiveBytesMax ?? 64 * 1024 * 1024,
    allowHubRecreate: options.allowHubRecreate ?? false,
    guard: options.guard,
    tls: options.tls,
  });
  const client = new RawClient(server.port);
  openCount += 1;
  let isOpen = true;
  return {
    ...{ engine, server, client, log },
    async close() {
      if (isOpen) openCount -= 1;
      isOpen = false;
      client.close();
      await server.close({ graceMs: 0 });
    },
  };
}

export class RecordedLog implements Logger {
  readonly lines: {
    readonly level: string;
    readonly message: string;
    readonly fields: LogFields;
  }[] = [];
  debug = this.#at('debug');
  info = this.#at('info');
  warn = this.#at('warn');
  error = this.#at('error');

  #at(level: string) {
    return (message: string, fields: LogFields = {}): void => {
      this.lines.push({ level, message, fields });
    };
  }
}
