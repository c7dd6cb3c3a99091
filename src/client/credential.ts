import type { Authentication, ConnectionString } from '../config/connection-string.ts';
import { TaskHubError } from '../core/errors.ts';

/** A token and when it ends. */
export interface AccessToken {
  readonly token: string;
  /** Epoch ms. */
  readonly expiresOnTimestamp: number;
  /** Epoch ms from which a new one should be asked for. */
  readonly refreshAfterTimestamp?: number | undefined;
}

/** Where tokens come from: any credential of `@azure/identity` is one. `null`: it has none. */
export interface Credential {
  getToken(scopes: string | string[]): Promise<AccessToken | null>;
}

/** What a connection string says of its caller's identity. */
export type IdentityOptions = Pick<ConnectionString, 'authentication'> & Partial<ConnectionString>;

/** Not for Node, or not for anything that runs unattended elsewhere; the rest have a credential. */
type Supported = Exclude<Authentication, 'None' | 'VisualStudio'>;

/**
 * Refuses early what can never work.
 *
 * @throws TaskHubError INVALID_ARGUMENT.
 */
export function assertSupported(authentication: Authentication): void {
  if (authentication !== 'VisualStudio') return;
  throw new TaskHubError(
    'INVALID_ARGUMENT',
    '"Authentication=VisualStudio" exists for .NET only; on a developer’s machine use AzureCli, AzurePowerShell or VisualStudioCode',
  );
}

/**
 * The credential that a connection string means. `@azure/identity` is loaded here and nowhere else:
 * it costs more than the rest of this package together.
 */
export async function createCredential(options: IdentityOptions): Promise<Credential> {
  const identity = await import('@azure/identity');
  const { clientId, tenantId, tokenFilePath, additionallyAllowedTenants: tenants } = options;
  const client = clientId === undefined ? {} : { clientId };
  const tenant = tenantId === undefined ? {} : { tenantId };
  const allowed = { ...tenant, additionallyAllowedTenants: [...(tenants ?? [])] };
  const credentials: Readonly<Record<Supported, () => Credential>> = {
    DefaultAzure: () =>
      new identity.DefaultAzureCredential({
        ...allowed,
        ...(clientId !== undefined && { managedIdentityClientId: clientId }),
      }),
    ManagedIdentity: () => new identity.ManagedIdentityCredential(client),
    WorkloadIdentity: () =>
      new identity.WorkloadIdentityCredential({
        ...{ ...client, ...allowed },
        ...(tokenFilePath !== undefined && { tokenFilePath }),
      }),
    Environment: () => new identity.EnvironmentCredential(allowed),
    AzureCli: () => new identity.AzureCliCredential(allowed),
    AzurePowerShell: () => new identity.AzurePowerShellCredential(allowed),
    VisualStudioCode: () => new identity.VisualStudioCodeCredential(allowed),
    InteractiveBrowser: () => new identity.InteractiveBrowserCredential({ ...client, ...allowed }),
  };
  return credentials[options.authentication as Supported]();
}

/** Longest text of a credential that is passed on. */
const REASON_MAX = 600;

/** The error that says which key to look at. */
export function credentialError(options: IdentityOptions, cause: unknown): TaskHubError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const reason = text.replace(/\s+/g, ' ').trim().slice(0, REASON_MAX);
  const { authentication } = options;
  const keys = suspects(options, text);
  const remedy = keys.length === 0 ? '' : ` (check ${keys.join(', ')} of the connection string)`;
  return new TaskHubError(
    isPassing(cause) ? 'UNAVAILABLE' : 'UNAUTHENTICATED',
    `Authentication=${authentication} gave no token${remedy}: ${reason}`,
    { cause },
  );
}

/** The keys that a refusal may be about: those it names, or else those that were given. */
function suspects(options: IdentityOptions, text: string): readonly string[] {
  const { clientId, tenantId, tokenFilePath } = options;
  const keys = [
    { key: 'ClientID', value: clientId, named: /client_?id|AADSTS700016/i },
    { key: 'TenantId', value: tenantId, named: /tenant_?id|AADSTS9000/i },
    { key: 'TokenFilePath', value: tokenFilePath, named: /token_?file|ENOENT/i },
  ].filter(({ key }) => usesKey(options.authentication, key));
  const named = keys.filter(({ named: pattern }) => pattern.test(text));
  const found = named.length > 0 ? named : keys.filter(({ value }) => value !== undefined);
  return found.map(({ key, value }) => (value === undefined ? `"${key}"` : `"${key}=${value}"`));
}

function usesKey(authentication: Authentication, key: string): boolean {
  if (authentication === 'WorkloadIdentity' || authentication === 'InteractiveBrowser') return true;
  if (authentication === 'ManagedIdentity') return key === 'ClientID';
  return key !== 'TokenFilePath';
}

const NETWORK_CODES = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ETIMEDOUT', 'EAI_AGAIN'];

/** The identity service did not answer, or is overloaded: later it may. */
function isPassing(cause: unknown): boolean {
  const { statusCode, code } = (cause ?? {}) as { statusCode?: unknown; code?: unknown };
  if (typeof statusCode === 'number') return statusCode === 429 || statusCode >= 500;
  return typeof code === 'string' && NETWORK_CODES.includes(code);
}
