import { isIP } from 'node:net';

/** True when nobody outside this machine can reach what listens on `host`. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}
