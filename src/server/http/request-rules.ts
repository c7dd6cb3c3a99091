import { isIP } from 'node:net';

/**
 * Loopback is not trusted: a page in any browser on this machine can call it. These rules keep web
 * pages out whatever they do: a name that an attacker points at 127.0.0.1 fails on the Host header,
 * a request from another site on Origin or content type.
 */
export interface RequestRules {
  /** Host names, without ports and brackets, beside those of loopback. Lower case. */
  readonly allowedHosts: readonly string[];
  /**
   * True beyond loopback: an address as Host is let in, because DNS rebinding needs a name, and
   * probes of containers call by address.
   */
  readonly allowAddresses: boolean;
  /** How a page of this server was loaded. */
  readonly scheme: 'http' | 'https';
}

export interface CheckedRequest {
  readonly method: string;
  /** The `Host` header. */
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly contentType: string | undefined;
}

export interface RefusedRequest {
  readonly status: 403 | 415;
  readonly message: string;
}

const LOOPBACK_HOSTS = ['localhost', '127.0.0.1', '::1'];
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/** Why a request is refused, or `undefined` when it may go on. */
export function refuseRequest(
  request: CheckedRequest,
  rules: RequestRules,
): RefusedRequest | undefined {
  const host = hostName(request.host);
  if (host === undefined || !isAllowedHost(host, rules)) {
    const message = `Host '${request.host ?? ''}' is not served here; call localhost, or name the host with --allowed-hosts.`;
    return { status: 403, message };
  }
  if (SAFE_METHODS.includes(request.method)) return undefined;
  if (request.origin !== undefined && !isSameOrigin(request, rules)) {
    return { status: 403, message: `Origin '${request.origin}' may not change anything here.` };
  }
  if (!/^application\/json\s*(?:;|$)/i.test(request.contentType ?? '')) {
    const message = 'Calls that change something need the header Content-Type: application/json.';
    return { status: 415, message };
  }
  return undefined;
}

/** The name in a Host header, without port and brackets; `undefined` when it is none. */
function hostName(header: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:/@[\]]+))(?::\d{1,5})?$/i.exec(header ?? '');
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

function isAllowedHost(host: string, rules: RequestRules): boolean {
  if (LOOPBACK_HOSTS.includes(host) || rules.allowedHosts.includes(host)) return true;
  return rules.allowAddresses && isIP(host) !== 0;
}

function isSameOrigin({ origin, host }: CheckedRequest, { scheme }: RequestRules): boolean {
  return origin?.toLowerCase() === `${scheme}://${host?.toLowerCase() ?? ''}`;
}
