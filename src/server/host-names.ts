import { isIP } from 'node:net';

/** A host as it stands in a URL: IPv6 addresses in brackets. */
export function urlHost(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

/** `http://host:port` that a client on this machine can use; a wildcard is not an address. */
export function endpointUrl(scheme: 'http' | 'https', host: string, port: number): string {
  if (host === '0.0.0.0') return `${scheme}://127.0.0.1:${port}`;
  if (host === '::') return `${scheme}://[::1]:${port}`;
  return `${scheme}://${urlHost(host)}:${port}`;
}
