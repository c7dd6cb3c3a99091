import { readFileSync } from 'node:fs';
import type { Buffer } from 'node:buffer';
import { credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { invalidArgument } from '../core/errors.ts';

/** How a channel is secured; paths of PEM files. */
export interface ChannelSecurity {
  readonly isTls: boolean;
  /** Trusted instead of the CAs that Node knows. */
  readonly caFile?: string | undefined;
  /** For schedulers that ask for a certificate. */
  readonly clientCertFile?: string | undefined;
  readonly clientKeyFile?: string | undefined;
}

/** @throws TaskHubError INVALID_ARGUMENT naming the key of the connection string whose file cannot be read. */
export function channelCredentials(security: ChannelSecurity): ChannelCredentials {
  const { isTls, caFile, clientCertFile, clientKeyFile } = security;
  if (!isTls) return credentials.createInsecure();
  const ca = read('CaFile', caFile);
  const cert = read('ClientCertFile', clientCertFile);
  const key = read('ClientKeyFile', clientKeyFile);
  if ((cert === null) !== (key === null)) {
    throw invalidArgument('"ClientCertFile" and "ClientKeyFile" need each other; give both');
  }
  return credentials.createSsl(ca, key, cert);
}

function read(key: string, path: string | undefined): Buffer | null {
  if (path === undefined) return null;
  try {
    return readFileSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw invalidArgument(`"${key}" ${path} cannot be read (${code}); name a PEM file`);
  }
}

/** What Node says of certificates that it does not accept, and of a peer that speaks no TLS. */
const UNTRUSTED =
  /self[- ]signed certificate|unable to (?:verify|get)[^.]*certificate|certificate has expired|certificate is not yet valid|Hostname\/IP does not match|CERT_/i;
const NO_TLS = /wrong version number|packet length too long|EPROTO/i;

/** grpc-js gives a story around what Node said. */
function lastError(details: string): string {
  return details.slice(Math.max(0, details.lastIndexOf('Last error: ')));
}

/** Why a TLS connection cannot come about, or `undefined` when it is about something else. */
export function tlsProblem(details: string, endpoint: string): string | undefined {
  const reason = /(?:Last error: )?(?:Error: )?([^;.]*)/.exec(lastError(details))?.[1] ?? details;
  if (UNTRUSTED.test(details)) {
    return (
      `The certificate of ${endpoint} is not trusted (${reason}); name its CA with "CaFile" in the ` +
      'connection string or NODE_EXTRA_CA_CERTS, and call it by a name that the certificate has'
    );
  }
  if (NO_TLS.test(details)) {
    return `${endpoint} does not answer with TLS; if that is right, write "Endpoint=http://…"`;
  }
  return undefined;
}
