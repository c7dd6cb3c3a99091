import { readFileSync } from 'node:fs';
import type { Buffer } from 'node:buffer';
import { createPrivateKey, X509Certificate } from 'node:crypto';
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
  tryOut(() => new X509Certificate(cert), `tlsCert ${tlsCert} holds no certificate in PEM form`);
  tryOut(
    () => createPrivateKey(key),
    `tlsKey ${tlsKey} holds no private key in PEM form without a passphrase`,
  );
  tryOut(
    () => createSecureContext({ cert, key }),
    `tlsKey ${tlsKey} is not the key of the certificate in ${tlsCert}`,
  );
  if (clientCa) {
    tryOut(
      () => new X509Certificate(clientCa),
      `tlsClientCa ${tlsClientCa ?? ''} holds no certificate in PEM form`,
    );
  }
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

function tryOut(use: () => unknown, sentence: string): void {
  try {
    use();
  } catch (cause) {
    throw wrong(`${sentence}.`, cause);
  }
}

function wrong(message: string, cause: unknown): TaskHubError {
  return new TaskHubError('INVALID_ARGUMENT', message, { cause });
}
