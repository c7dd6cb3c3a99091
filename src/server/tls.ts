import { readFileSync } from 'node:fs';
import type { Buffer } from 'node:buffer';
import { createSecureContext } from 'node:tls';
import { TaskHubError } from '../core/errors.ts';

/** What both ports need to speak TLS; PEM. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Mutual TLS: only clients with a certificate of this CA come in. */
  readonly clientCa: Buffer | undefined;
}

export interface TlsConfig {
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tlsClientCa?: string | undefined;
}

/**
 * Reads the files and tries them out; `undefined` when there is to be no TLS.
 *
 * @throws TaskHubError INVALID_ARGUMENT naming the option and the file that is wrong, never what is in it.
 */
export function readTlsFiles({ tlsCert, tlsKey, tlsClientCa }: TlsConfig): TlsFiles | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  const cert = read('tlsCert', tlsCert);
  const key = read('tlsKey', tlsKey);
  const clientCa = tlsClientCa === undefined ? undefined : read('tlsClientCa', tlsClientCa);
  tryOut({ cert }, `tlsCert ${tlsCert} holds no certificate in PEM form`);
  tryOut({ key }, `tlsKey ${tlsKey} holds no private key in PEM form without a passphrase`);
  tryOut({ cert, key }, `tlsKey ${tlsKey} is not the key of the certificate in ${tlsCert}`);
  if (clientCa) tryOut({ ca: clientCa }, `tlsClientCa ${tlsClientCa ?? ''} holds no certificate`);
  return { cert, key, clientCa };
}

function read(option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    throw wrong(`${option} ${path} cannot be read (${code}). Name a file that exists.`, cause);
  }
}

function tryOut(parts: Parameters<typeof createSecureContext>[0], sentence: string): void {
  try {
    createSecureContext(parts);
  } catch (cause) {
    throw wrong(`${sentence}.`, cause);
  }
}

function wrong(message: string, cause: unknown): TaskHubError {
  return new TaskHubError('INVALID_ARGUMENT', message, { cause });
}
