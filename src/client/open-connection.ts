import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import type { ConnectionString } from '../config/connection-string.ts';
import { parseConnectionString, parseEndpoint } from '../config/connection-string.ts';
import { invalidArgument } from '../core/errors.ts';
import type { Connection } from './connection.ts';
import type { Credential } from './credential.ts';
import { openGrpcConnection } from './grpc-connection.ts';
import { createTokenProvider } from './token-provider.ts';
import { userAgent } from './user-agent.ts';
import type { Caller } from './user-agent.ts';

/** Where the scheduler is: a connection string, its parts, or a connection made elsewhere. */
export interface SchedulerAddress {
  /** `Endpoint=…;TaskHub=…;Authentication=…` */
  readonly connectionString?: string | undefined;
  /** Instead of a connection string, with no authentication. Without a scheme: https. */
  readonly endpoint?: string | undefined;
  /** The hub, when the connection string names none. */
  readonly taskHub?: string | undefined;
  /**
   * Gives the tokens, instead of the one that `Authentication` means: any credential of `@azure/identity`, or an
   * object of one's own for other issuers.
   */
  readonly credential?: Credential | undefined;
  /** A connection that the caller made; closing the client or worker closes it. */
  readonly connection?: Connection | undefined;
}

export interface OpenConnectionOptions {
  readonly address: SchedulerAddress;
  readonly caller: Caller;
  readonly workerId?: string | undefined;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/**
 * The connection that an address means. Nothing is sent yet.
 *
 * @throws TaskHubError INVALID_ARGUMENT when the address is incomplete or wrong.
 */
export function openConnection(options: OpenConnectionOptions): Connection {
  const { address, caller, ...rest } = options;
  if (address.connection !== undefined) return address.connection;
  const resolved = resolveAddress(address);
  const { credential } = address;
  return openGrpcConnection({
    ...rest,
    ...resolved,
    userAgent: userAgent(caller),
    tokenProvider: createTokenProvider({ identity: resolved, credential, clock: rest.clock }),
  });
}

/**
 * The hub that an address names, if it does.
 *
 * @throws TaskHubError INVALID_ARGUMENT when the address is incomplete or wrong.
 */
export function taskHubOf(address: SchedulerAddress): string | undefined {
  return address.connection === undefined ? resolveAddress(address).taskHub : address.taskHub;
}

function resolveAddress(address: SchedulerAddress): ConnectionString {
  const { connectionString, endpoint, taskHub } = address;
  if (connectionString !== undefined) {
    return parseConnectionString(connectionString, { defaultTaskHub: taskHub });
  }
  if (endpoint === undefined || taskHub === undefined || taskHub === '') {
    throw invalidArgument(
      'Say where the scheduler is: a "connectionString", or "endpoint" and "taskHub"',
    );
  }
  return {
    endpoint: parseEndpoint(endpoint),
    taskHub,
    authentication: 'None',
    additionallyAllowedTenants: [],
  };
}
