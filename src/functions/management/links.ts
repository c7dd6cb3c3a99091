import type { HttpRequest } from '@azure/functions';
import type { HttpSettings } from '../settings.ts';
import { signLink } from './link-signature.ts';

/** The routes that a host key opens, below the route prefix. */
export const KEY_ROUTE = 'durabletask';
/** The routes that only a signature opens. */
export const SIGNED_ROUTE = 'durabletask-signed';

/** The URLs that manage one instance; `{eventName}` and `{text}` are for the caller to fill in. */
export interface ManagementLinks {
  readonly id: string;
  readonly statusQueryGetUri: string;
  readonly sendEventPostUri: string;
  readonly terminatePostUri: string;
  readonly rewindPostUri: string;
  readonly purgeHistoryDeleteUri: string;
  readonly restartPostUri: string;
  readonly suspendPostUri: string;
  readonly resumePostUri: string;
}

/** How links are made secret. */
export interface LinkSecrets {
  /** Key of the signatures; without it, links carry the caller's host key or nothing. */
  readonly secret: string | undefined;
  /** How long a signed link is good for. */
  readonly ttlMs: number;
}

export interface LinkOptions {
  readonly http: HttpSettings;
  readonly taskHub: string;
  readonly connectionName: string;
  readonly secrets: LinkSecrets;
  readonly now: number;
  /** The request that is being answered: it tells the origin, and may bring a host key. */
  readonly request?: HttpRequest | undefined;
}

/**
 * The links for an instance. They carry the caller's own host key when the request had one (the
 * caller learns nothing new); otherwise a signature for each operation, when there is a secret.
 */
export function createLinks(instanceId: string, options: LinkOptions): ManagementLinks {
  const { http, request, secrets } = options;
  const key = request === undefined ? undefined : hostKeyOf(request);
  const isSigned = key === undefined && secrets.secret !== undefined;
  const route = isSigned ? SIGNED_ROUTE : KEY_ROUTE;
  const root = [originOf(http, request), http.routePrefix, route].filter((part) => part !== '');
  const base = `${root.join('/')}/instances/${encodeURIComponent(instanceId)}`;
  const link = (operation: string, path = '', query = ''): string => {
    const suffix = credentials({ options, key, instanceId, operation });
    return `${base}${path}?${query}${commonQuery(options)}${suffix}`;
  };
  const reason = 'reason={text}&';
  return {
    id: instanceId,
    statusQueryGetUri: link('status'),
    sendEventPostUri: link('raiseevent', '/raiseEvent/{eventName}'),
    terminatePostUri: link('terminate', '/terminate', reason),
    rewindPostUri: link('rewind', '/rewind', reason),
    purgeHistoryDeleteUri: link('purge'),
    restartPostUri: link('restart', '/restart'),
    suspendPostUri: link('suspend', '/suspend', reason),
    resumePostUri: link('resume', '/resume', reason),
  };
}

interface CredentialOptions {
  readonly options: LinkOptions;
  readonly key: string | undefined;
  readonly instanceId: string;
  readonly operation: string;
}

function credentials({ options, key, instanceId, operation }: CredentialOptions): string {
  if (key !== undefined) return `&code=${encodeURIComponent(key)}`;
  const { secrets, taskHub, now } = options;
  if (secrets.secret === undefined) return '';
  const { sig, se } = signLink(
    { taskHub, instanceId, operation },
    { secret: secrets.secret, expiresAt: now + secrets.ttlMs },
  );
  return `&se=${se}&sig=${sig}`;
}

function commonQuery({ taskHub, connectionName }: LinkOptions): string {
  return `taskHub=${encodeURIComponent(taskHub)}&connection=${encodeURIComponent(connectionName)}`;
}

/** The key that the caller proved to the host with, in either of the host's two places. */
function hostKeyOf(request: HttpRequest): string | undefined {
  const key = request.query.get('code') ?? request.headers.get('x-functions-key') ?? '';
  return key === '' ? undefined : key;
}

function originOf(http: HttpSettings, request: HttpRequest | undefined): string {
  if (request === undefined) return http.ownOrigin;
  const url = URL.parse(request.url);
  if (url === null) return http.ownOrigin;
  if (!http.usesForwardedHost) return url.origin;
  const host = firstOf(request.headers.get('x-forwarded-host')) ?? url.host;
  const protocol = firstOf(request.headers.get('x-forwarded-proto')) ?? url.protocol.slice(0, -1);
  return URL.parse(`${protocol}://${host}`)?.origin ?? url.origin;
}

/** Proxies append to these headers: the first entry is what the caller asked for. */
function firstOf(header: string | null): string | undefined {
  const text = header?.split(',')[0]?.trim();
  return text === '' ? undefined : text;
}
