import { invalidArgument } from '../core/errors.ts';
import { didYouMean } from './did-you-mean.ts';

/** How a client proves who it is. The spelling is the product's; parsing ignores case. */
export const AUTHENTICATION_VALUES = [
  'None',
  'DefaultAzure',
  'ManagedIdentity',
  'WorkloadIdentity',
  'Environment',
  'AzureCli',
  'AzurePowerShell',
  'VisualStudio',
  'VisualStudioCode',
  'InteractiveBrowser',
] as const;

export type Authentication = (typeof AUTHENTICATION_VALUES)[number];

/** What a connection string says, checked and completed. */
export type ConnectionString = {
  /** Scheme, host and port: `https://name.westeurope.durabletask.io`. Never a path. */
  readonly endpoint: string;
  readonly taskHub: string;
  readonly authentication: Authentication;
  /** Client id of a user-assigned identity. */
  readonly clientId?: string;
  readonly tenantId?: string;
  /** Where a federated token lies. */
  readonly tokenFilePath?: string;
  /** Empty when not given. */
  readonly additionallyAllowedTenants: readonly string[];
  /** PEM file of the CA to trust, for certificates that Node does not know. */
  readonly caFile?: string;
  /** PEM files of the certificate to show, where the scheduler asks for one. */
  readonly clientCertFile?: string;
  readonly clientKeyFile?: string;
};

export interface ParseConnectionStringOptions {
  /** Taken when the string has no `TaskHub` (Durable Functions: `hubName` of host.json). */
  readonly defaultTaskHub?: string | undefined;
}

const KEYS = {
  endpoint: 'Endpoint',
  taskHub: 'TaskHub',
  authentication: 'Authentication',
  clientId: 'ClientID',
  tenantId: 'TenantId',
  tokenFilePath: 'TokenFilePath',
  additionallyAllowedTenants: 'AdditionallyAllowedTenants',
  caFile: 'CaFile',
  clientCertFile: 'ClientCertFile',
  clientKeyFile: 'ClientKeyFile',
} as const;

/** Keys whose value is kept as it is, and that may be left out. */
const PLAIN_KEYS = [
  'clientId',
  'tenantId',
  'tokenFilePath',
  'caFile',
  'clientCertFile',
  'clientKeyFile',
] as const;

const EXAMPLE = 'Endpoint=http://localhost:8080;TaskHub=default;Authentication=None';

/**
 * Reads `Key=Value` pairs separated by `;`. Keys and `Authentication` values ignore case, a
 * repeated key takes its last value, a pair without a key or a value counts as not given, and
 * keys that nobody knows are left alone, as in the SDKs.
 *
 * An endpoint without a scheme gets `https://`.
 *
 * @throws TaskHubError INVALID_ARGUMENT naming the key that is missing or wrong, never its value
 *   (the string may have been mixed up with one that holds a secret).
 */
export function parseConnectionString(
  text: string,
  options: ParseConnectionStringOptions = {},
): ConnectionString {
  const pairs = readPairs(text);
  if (pairs.size === 0) {
    throw invalidArgument(`The connection string is empty. Example: ${EXAMPLE}`);
  }
  const plain = PLAIN_KEYS.flatMap((key) => {
    const value = pairs.get(KEYS[key].toLowerCase());
    return value === undefined ? [] : [[key, value] as const];
  });
  return {
    endpoint: parseEndpoint(required(pairs, KEYS.endpoint)),
    taskHub: pairs.get('taskhub') ?? options.defaultTaskHub ?? required(pairs, KEYS.taskHub),
    authentication: parseAuthentication(required(pairs, KEYS.authentication)),
    ...Object.fromEntries(plain),
    additionallyAllowedTenants: parseList(pairs.get('additionallyallowedtenants')),
  };
}

/**
 * The text form; `parseConnectionString` gives the same value back.
 *
 * @throws TaskHubError INVALID_ARGUMENT naming the key whose value cannot be written (`;`, blanks
 *   at an end, empty).
 */
export function formatConnectionString(value: ConnectionString): string {
  const tenants = value.additionallyAllowedTenants;
  const pairs = [
    [KEYS.endpoint, value.endpoint],
    [KEYS.taskHub, value.taskHub],
    [KEYS.authentication, value.authentication],
    ...PLAIN_KEYS.map((key) => [KEYS[key], value[key]] as const),
    [KEYS.additionallyAllowedTenants, tenants.length === 0 ? undefined : tenants.join(',')],
  ] as const;
  return pairs
    .filter(([, text]) => text !== undefined)
    .map(([key, text = '']) => `${key}=${assertWritable(key, text)}`)
    .join(';');
}

/**
 * Scheme, host and port of a scheduler's address. Without a scheme `https://` is meant.
 *
 * @throws TaskHubError INVALID_ARGUMENT when it is not an http or https address.
 */
export function parseEndpoint(text: string): string {
  const url = URL.parse(text.includes('://') ? text : `https://${text}`);
  if (url === null || url.hostname === '' || !['http:', 'https:'].includes(url.protocol)) {
    throw invalidArgument(
      '"Endpoint" must be an http or https address such as http://localhost:8080',
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw invalidArgument('"Endpoint" must not contain a user name or a password');
  }
  return url.origin;
}

/** Key in lower case to value; pairs without a key or without a value are left out. */
function readPairs(text: string): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const pair of text.split(';')) {
    const at = pair.indexOf('=');
    const key = pair.slice(0, Math.max(at, 0)).trim().toLowerCase();
    const value = pair.slice(at + 1).trim();
    if (key !== '' && value !== '') pairs.set(key, value);
  }
  return pairs;
}

function required(pairs: ReadonlyMap<string, string>, key: string): string {
  const value = pairs.get(key.toLowerCase());
  if (value !== undefined) return value;
  throw invalidArgument(
    `The connection string has no value for "${key}"${misspelled(pairs)}. Example: ${EXAMPLE}`,
  );
}

/** Names keys that nobody knows, since a missing key is most often a misspelled one. */
function misspelled(pairs: ReadonlyMap<string, string>): string {
  const known: readonly string[] = Object.values(KEYS).map((key) => key.toLowerCase());
  // Only what looks like a key: a secret that contains `;` may end up on this side of a `=`.
  const unknown = [...pairs.keys()].filter(
    (key) => !known.includes(key) && /^[a-z]{1,30}$/.test(key),
  );
  return unknown.length === 0 ? '' : ` (unknown: "${unknown.join('", "')}")`;
}

function parseAuthentication(text: string): Authentication {
  const found = AUTHENTICATION_VALUES.find((value) => value.toLowerCase() === text.toLowerCase());
  if (found !== undefined) return found;
  // The value is repeated only as far as it is like one of ours: it may be a secret in the wrong place.
  const hint = didYouMean(text, AUTHENTICATION_VALUES);
  throw invalidArgument(
    `"Authentication" must be one of ${AUTHENTICATION_VALUES.join(', ')}${hint}`,
  );
}

function parseList(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function assertWritable(key: string, text: string): string {
  if (text !== '' && text === text.trim() && !text.includes(';')) return text;
  throw invalidArgument(`"${key}" must not be empty, contain ";" or begin or end with a blank`);
}
