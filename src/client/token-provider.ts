import type { ConnectionString } from '../config/connection-string.ts';
import { TaskHubError } from '../core/errors.ts';

/** Gives the bearer token of the next call; keeps it until shortly before it expires. */
export interface TokenProvider {
  getToken(options: { readonly signal: AbortSignal | undefined }): Promise<string>;
}

/**
 * What proves the caller's identity, or `undefined` for `Authentication=None`.
 *
 * @throws TaskHubError UNIMPLEMENTED for every other value.
 */
export function createTokenProvider(
  connection: Pick<ConnectionString, 'authentication'>,
): TokenProvider | undefined {
  if (connection.authentication === 'None') return undefined;
  throw new TaskHubError(
    'UNIMPLEMENTED',
    `Authentication=${connection.authentication} arrives with a later version of ` +
      'durabletask-scheduler; this one connects with Authentication=None only',
  );
}
