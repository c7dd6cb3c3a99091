import { z } from 'zod';
import { DEFAULT_PAYLOAD_LIMITS, type PayloadKind } from '../core/limits.ts';
import {
  DEFAULT_POSTGRES_LIMITS,
  POSTGRES_LIMIT_BOUNDS,
  type PostgresLimit,
} from '../core/postgres-limits.ts';
import { LOG_LEVELS } from '../telemetry/logger.ts';
import { SECURITY_SHAPE } from './security-config.ts';

const port = (use: string, byDefault: number) =>
  z
    .int('must be a whole number from 0 to 65535')
    .min(0, 'must be a whole number from 0 to 65535')
    .max(65_535, 'must be a whole number from 0 to 65535')
    .default(byDefault)
    .describe(`Port of ${use}; 0 picks a free one`);

/** Storage addresses that the store can be asked to open; the value may hold a password. */
const STORAGE = /^(?:memory|sqlite:.+|postgres(?:ql)?:\/\/.+)$/;
/** The engine's rule for hub names, said early and with the option's name. */
const TASK_HUB = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const TASK_HUB_RULE =
  "must be one or more names of 1 to 64 letters, digits, '-' or '_', beginning with a letter or digit";

const PAYLOAD_KINDS = Object.keys(DEFAULT_PAYLOAD_LIMITS) as PayloadKind[];
const PAYLOAD_BYTES_MAX = 512 * 1024 * 1024;
const PAYLOAD_RULE = `must be kind=bytes pairs, with whole numbers from 1024 to ${PAYLOAD_BYTES_MAX} and kinds of ${PAYLOAD_KINDS.join(', ')}`;
const payloadBytes = z
  .int(PAYLOAD_RULE)
  .min(1024, PAYLOAD_RULE)
  .max(PAYLOAD_BYTES_MAX, PAYLOAD_RULE);

const HUB_OR_REST = /^(?:\*|[A-Za-z0-9][A-Za-z0-9_-]{0,63})$/;
const RATE_RULE =
  'must be hub=number pairs, with whole numbers from 1 to 1000000 and names of task hubs, or * for all others';
const rate = z.int(RATE_RULE).min(1, RATE_RULE).max(1_000_000, RATE_RULE);

const POSTGRES_LIMITS = Object.keys(DEFAULT_POSTGRES_LIMITS) as PostgresLimit[];
const POSTGRES_RULE = `must be name=number pairs: ${POSTGRES_LIMITS.map(
  (name) => `${name} from ${POSTGRES_LIMIT_BOUNDS[name].join(' to ')}`,
).join(', ')}`;
const postgresLimit = (name: PostgresLimit) => {
  const [min, max] = POSTGRES_LIMIT_BOUNDS[name];
  return z
    .int(POSTGRES_RULE)
    .min(min, POSTGRES_RULE)
    .max(max, POSTGRES_RULE)
    .default(DEFAULT_POSTGRES_LIMITS[name]);
};

/**
 * Everything that `durabletask start` and `durabletask dev` can be told, complete with defaults.
 * One key is one flag, one environment variable and one key of the configuration file.
 */
export const serverConfigSchema = z.strictObject({
  storage: z
    .string('must be memory, sqlite:<path> or postgres://…')
    .regex(STORAGE, 'must be memory, sqlite:<path> or postgres://…')
    .default('sqlite:./.durabletask/scheduler.db')
    .describe('Where state is kept: memory, sqlite:<path> or postgres://…'),
  taskHubs: z
    .array(z.string(TASK_HUB_RULE).regex(TASK_HUB, TASK_HUB_RULE), TASK_HUB_RULE)
    .min(1, TASK_HUB_RULE)
    .default(['default'])
    .describe('Task hubs to create when missing; hubs already in the store are always served'),
  grpcPort: port('gRPC', 8080),
  httpPort: port('the dashboard and the HTTP API', 8082),
  functionsPort: port('the local Functions host (dev only)', 7071),
  host: z
    .string('must be the address or name of this machine to listen on')
    .regex(/^[A-Za-z0-9.:_-]+$/, 'must be the address or name of this machine to listen on')
    .default('127.0.0.1')
    .describe('Address to listen on'),
  allowInsecure: z
    .boolean('must be true or false')
    .default(false)
    .describe('Listen beyond loopback although there is neither TLS nor authentication'),
  allowHubRecreate: z
    .boolean('must be true or false')
    .default(false)
    .describe('Let CreateTaskHub with recreateIfExists wipe an existing hub'),
  allowedHosts: z
    .array(z.string('must be host names').min(1, 'must be host names'), 'must be host names')
    .default([])
    .describe('Host names, beside those of loopback, that HTTP requests may name'),
  ...SECURITY_SHAPE,
  grpcReceiveBytesMax: z
    .int('must be a whole number of bytes from 4194304 to 1073741824')
    .min(4_194_304, 'must be a whole number of bytes from 4194304 to 1073741824')
    .max(1_073_741_824, 'must be a whole number of bytes from 4194304 to 1073741824')
    .default(64 * 1024 * 1024)
    .describe('Largest gRPC message accepted, in bytes'),
  payloadLimits: z
    .partialRecord(z.enum(PAYLOAD_KINDS, PAYLOAD_RULE), payloadBytes, PAYLOAD_RULE)
    .default({})
    .transform((given) => ({ ...DEFAULT_PAYLOAD_LIMITS, ...given }))
    .describe(`Largest payloads in bytes, as kind=bytes: ${PAYLOAD_KINDS.join(', ')}; 1 MiB each`),
  hubRateLimits: z
    .record(z.string().regex(HUB_OR_REST, RATE_RULE), rate, RATE_RULE)
    .default({})
    .describe(
      'Starts, signals and events that a task hub may ask for in a second, as hub=number; * stands for all others',
    ),
  postgresLimits: z
    .strictObject(
      {
        rounds: postgresLimit('rounds'),
        readers: postgresLimit('readers'),
        connectMs: postgresLimit('connectMs'),
        statementMs: postgresLimit('statementMs'),
        lockMs: postgresLimit('lockMs'),
        patienceMs: postgresLimit('patienceMs'),
      },
      POSTGRES_RULE,
    )
    .prefault({})
    .describe(
      `Connections to PostgreSQL and patience with it, as name=number: ${POSTGRES_LIMITS.map(
        (name) => `${name}=${DEFAULT_POSTGRES_LIMITS[name]}`,
      ).join(', ')}`,
    ),
  logLevel: z
    .enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`)
    .default('info')
    .describe('Least severe log lines to print'),
});

export type ServerConfig = Readonly<z.infer<typeof serverConfigSchema>>;
export type ServerConfigKey = keyof ServerConfig;

/** How one key is written where there is only text. */
export interface ServerOption {
  /** Command-line flag, as commander reads it. */
  readonly flag: string;
  readonly environment: string;
  /** `list`: comma-separated; `sizes`: comma-separated `name=number`; `flag`: true or false; `json`: JSON text. */
  readonly kind: 'text' | 'integer' | 'list' | 'sizes' | 'flag' | 'json';
}

export const SERVER_OPTIONS: Readonly<Record<ServerConfigKey, ServerOption>> = {
  storage: { flag: '--storage <where>', environment: 'DURABLETASK_STORAGE', kind: 'text' },
  taskHubs: { flag: '--task-hubs <names>', environment: 'DTS_TASK_HUB_NAMES', kind: 'list' },
  grpcPort: {
    flag: '--grpc-port <port>',
    environment: 'DURABLETASK_GRPC_PORT',
    kind: 'integer',
  },
  httpPort: {
    flag: '--http-port <port>',
    environment: 'DURABLETASK_HTTP_PORT',
    kind: 'integer',
  },
  functionsPort: {
    flag: '--functions-port <port>',
    environment: 'DURABLETASK_FUNCTIONS_PORT',
    kind: 'integer',
  },
  host: { flag: '--host <address>', environment: 'DURABLETASK_HOST', kind: 'text' },
  allowInsecure: {
    flag: '--allow-insecure',
    environment: 'DURABLETASK_ALLOW_INSECURE',
    kind: 'flag',
  },
  allowHubRecreate: {
    flag: '--allow-hub-recreate',
    environment: 'DURABLETASK_ALLOW_HUB_RECREATE',
    kind: 'flag',
  },
  allowedHosts: {
    flag: '--allowed-hosts <names>',
    environment: 'DURABLETASK_ALLOWED_HOSTS',
    kind: 'list',
  },
  tlsCert: { flag: '--tls-cert <file>', environment: 'DURABLETASK_TLS_CERT', kind: 'text' },
  tlsKey: { flag: '--tls-key <file>', environment: 'DURABLETASK_TLS_KEY', kind: 'text' },
  tlsClientCa: {
    flag: '--tls-client-ca <file>',
    environment: 'DURABLETASK_TLS_CLIENT_CA',
    kind: 'text',
  },
  authIssuers: {
    flag: '--auth-issuers <urls>',
    environment: 'DURABLETASK_AUTH_ISSUERS',
    kind: 'list',
  },
  authAudiences: {
    flag: '--auth-audiences <names>',
    environment: 'DURABLETASK_AUTH_AUDIENCES',
    kind: 'list',
  },
  authClockSkewMs: {
    flag: '--auth-clock-skew-ms <ms>',
    environment: 'DURABLETASK_AUTH_CLOCK_SKEW_MS',
    kind: 'integer',
  },
  signInClientId: {
    flag: '--sign-in-client-id <id>',
    environment: 'DURABLETASK_SIGN_IN_CLIENT_ID',
    kind: 'text',
  },
  signInScopes: {
    flag: '--sign-in-scopes <names>',
    environment: 'DURABLETASK_SIGN_IN_SCOPES',
    kind: 'list',
  },
  roleAssignments: {
    flag: '--role-assignments <json>',
    environment: 'DURABLETASK_ROLE_ASSIGNMENTS',
    kind: 'json',
  },
  grpcReceiveBytesMax: {
    flag: '--grpc-receive-bytes-max <bytes>',
    environment: 'DURABLETASK_GRPC_RECEIVE_BYTES_MAX',
    kind: 'integer',
  },
  payloadLimits: {
    flag: '--payload-limits <sizes>',
    environment: 'DURABLETASK_PAYLOAD_LIMITS',
    kind: 'sizes',
  },
  hubRateLimits: {
    flag: '--hub-rate-limits <numbers>',
    environment: 'DURABLETASK_HUB_RATE_LIMITS',
    kind: 'sizes',
  },
  postgresLimits: {
    flag: '--postgres-limits <numbers>',
    environment: 'DURABLETASK_POSTGRES_LIMITS',
    kind: 'sizes',
  },
  logLevel: { flag: '--log-level <level>', environment: 'DURABLETASK_LOG_LEVEL', kind: 'text' },
};

export const SERVER_CONFIG_KEYS = Object.keys(SERVER_OPTIONS) as readonly ServerConfigKey[];

/** `--grpc-port` of `--grpc-port <port>`. */
export function flagName(key: ServerConfigKey): string {
  return SERVER_OPTIONS[key].flag.split(' ', 1)[0] ?? '';
}
