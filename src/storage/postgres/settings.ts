/** What a `postgres://…` storage setting says, and the settings that our connections run with. */
import type { PoolConfig } from 'pg';
import { invalidArgument } from '../../core/errors.ts';
import type { PostgresLimits } from '../../core/postgres-limits.ts';

export interface PostgresSettings {
  /** Without our own parameters; still holds the password: never to be shown. */
  readonly connectionString: string;
  /** Server and database for messages: `host:5432/database`. */
  readonly target: string;
  /** Of `?schema=`; `undefined`: whatever the connection's search path says. */
  readonly schema: string | undefined;
  /** Of `?application_name=`: what the server calls our connections, each with its role behind it. */
  readonly applicationName: string;
}

/** What a connection is for. */
export type ConnectionRole = 'opener' | 'writer' | 'reader' | 'doorbell';

const SCHEMA_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/**
 * Reads `postgres://user:password@host:5432/database?schema=name&sslmode=…`. `schema` is ours (a deployment of its
 * own within a database; made when missing); `application_name` gets the role of each connection behind it; the other
 * parameters are those of `pg`. INVALID_ARGUMENT, never
 * quoting the setting: it may hold a password.
 */
export function readPostgresUrl(storage: string): PostgresSettings {
  const url = URL.parse(storage);
  if (!url) {
    throw invalidArgument(
      'the storage setting is not a PostgreSQL URL; use postgres://user:password@host:5432/database, with special characters in user and password percent-encoded',
    );
  }
  const schema = url.searchParams.get('schema') ?? undefined;
  if (schema !== undefined && !SCHEMA_NAME.test(schema)) {
    throw invalidArgument(
      `schema '${schema.slice(0, 80)}' of the storage setting is not allowed; use 1 to 63 letters, digits or '_', not beginning with a digit`,
    );
  }
  const applicationName = url.searchParams.get('application_name') ?? 'durabletask';
  url.searchParams.delete('schema');
  url.searchParams.delete('application_name');
  const host = url.searchParams.get('host') ?? url.hostname;
  const port = url.port === '' ? (url.searchParams.get('port') ?? '5432') : url.port;
  const target = `${host === '' ? 'localhost' : host}:${port}${url.pathname}`;
  return { connectionString: url.toString(), target, schema, applicationName };
}

/** How much longer than its statement may take a connection is waited for until it counts as lost, in ms. */
const ANSWER_EXTRA_MS = 5000;

type Parser = (text: string) => unknown;

/** By the type's oid: integers (row ids and times stay far below 2^53), truth values, bytes; the rest is text. */
const PARSERS: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [16, (text) => text === 't'],
  [17, parseBytes],
  [20, Number],
  [21, Number],
  [23, Number],
]);

/** `\x` and hexadecimal digits, as plain bytes: what the other engine gives. */
function parseBytes(text: string): Uint8Array {
  const { buffer, byteOffset, byteLength } = Buffer.from(text.slice(2), 'hex');
  return new Uint8Array(buffer, byteOffset, byteLength);
}

const asText: Parser = (text) => text;

export function connectionConfig(
  { connectionString, applicationName }: PostgresSettings,
  { role, limits }: { readonly role: ConnectionRole; readonly limits: PostgresLimits },
): PoolConfig {
  return {
    connectionString,
    application_name: `${applicationName} ${role}`,
    connectionTimeoutMillis: limits.connectMs,
    query_timeout: limits.statementMs + ANSWER_EXTRA_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: { getTypeParser: (oid: number) => PARSERS.get(oid) ?? asText },
  };
}

/** A transaction that does nothing for so long has lost its scheduler: its locks are given back. */
const IDLE_IN_TRANSACTION = "set idle_in_transaction_session_timeout = '10s'";

/**
 * Every hot statement is a look-up by key. Tables start empty, and a plan made for an empty table reads all of it
 * for minutes once it is not; measured: 1,340 to 7,000 workflows/s with and without these.
 */
const WRITER = [
  'set synchronous_commit = on',
  'set enable_seqscan = off',
  'set enable_hashjoin = off',
  'set enable_mergejoin = off',
  'set plan_cache_mode = force_generic_plan',
  'set jit = off',
];

/** What a ring says is in no table: it need not be on disk. */
const DOORBELL = ['set synchronous_commit = off'];

const SETUP = { opener: [], writer: WRITER, reader: [], doorbell: DOORBELL } as const;

/** Statements for a new connection. */
export function sessionSetup(
  { schema }: PostgresSettings,
  { role, limits }: { readonly role: ConnectionRole; readonly limits: PostgresLimits },
): string {
  return [
    ...(schema === undefined ? [] : [`set search_path = "${schema}"`]),
    'set bytea_output = hex',
    IDLE_IN_TRANSACTION,
    `set statement_timeout = ${limits.statementMs}`,
    `set lock_timeout = ${limits.lockMs}`,
    ...SETUP[role],
  ].join('; ');
}
