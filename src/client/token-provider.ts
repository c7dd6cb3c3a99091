import { untilAborted } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import {
  assertSupported,
  createCredential,
  credentialError,
  type AccessToken,
  type Credential,
  type IdentityOptions,
} from './credential.ts';

/** Gives the bearer token of the next call; keeps it until shortly before it expires. */
export interface TokenProvider {
  /** @throws TaskHubError UNAUTHENTICATED or UNAVAILABLE; the signal's reason. */
  getToken(options: { readonly signal: AbortSignal | undefined }): Promise<string>;
}

export interface TokenProviderOptions {
  readonly identity: IdentityOptions;
  /** Instead of the one that the connection string means. */
  readonly credential?: Credential | undefined;
  readonly clock: Clock;
}

/** The product's resource: what every SDK asks a token for. */
const SCOPE = 'https://durabletask.io/.default';
/** A new token is asked for so long before the old one ends, as in the SDKs. */
const REFRESH_BEFORE_MS = 5 * 60_000;
/** A token with less than this left is not sent any more. */
const LAST_USE_BEFORE_MS = 10_000;
/** After a refresh that failed, while the old token still counts. */
const RETRY_AFTER_MS = 30_000;

/**
 * What proves the caller's identity, or `undefined` for `Authentication=None`. Nothing is loaded or asked for yet.
 *
 * @throws TaskHubError INVALID_ARGUMENT for an identity that does not exist in Node.
 */
export function createTokenProvider(options: TokenProviderOptions): TokenProvider | undefined {
  const { identity, credential } = options;
  if (credential === undefined && identity.authentication === 'None') return undefined;
  if (credential === undefined) assertSupported(identity.authentication);
  return new CachingTokenProvider(options);
}

class CachingTokenProvider implements TokenProvider {
  readonly #options: TokenProviderOptions;
  #credential: Promise<Credential> | undefined;
  #token: AccessToken | undefined;
  #refreshAt = 0;
  /** One request at a time, whoever waits for it. */
  #request: Promise<AccessToken> | undefined;

  constructor(options: TokenProviderOptions) {
    this.#options = options;
  }

  async getToken({ signal }: { readonly signal: AbortSignal | undefined }): Promise<string> {
    const now = this.#options.clock.now();
    const current = this.#token;
    if (current && now < current.expiresOnTimestamp - LAST_USE_BEFORE_MS) {
      // The old one serves until the new one is there; should that fail, it serves on.
      if (now >= this.#refreshAt) this.#renew().catch(() => undefined);
      return current.token;
    }
    const renewed = this.#renew();
    const token = await (signal === undefined ? renewed : untilAborted(renewed, signal));
    signal?.throwIfAborted();
    return token?.token ?? '';
  }

  #renew(): Promise<AccessToken> {
    this.#request ??= this.#ask().finally(() => {
      this.#request = undefined;
    });
    return this.#request;
  }

  async #ask(): Promise<AccessToken> {
    const { clock, identity } = this.#options;
    this.#refreshAt = clock.now() + RETRY_AFTER_MS;
    let token: AccessToken | null;
    try {
      const credential = await this.#open();
      token = await credential.getToken(SCOPE);
    } catch (error) {
      throw credentialError(identity, error);
    }
    if (token === null) throw credentialError(identity, new Error('the credential has none'));
    this.#token = token;
    this.#refreshAt = Math.max(
      Math.min(
        token.refreshAfterTimestamp ?? Infinity,
        token.expiresOnTimestamp - REFRESH_BEFORE_MS,
      ),
      // A token that is short-lived from the start is not asked for again with each call.
      clock.now() + (token.expiresOnTimestamp - clock.now()) / 2,
    );
    return token;
  }

  /** A credential that could not be made is made anew next time: a file may have appeared. */
  #open(): Promise<Credential> {
    const { credential, identity } = this.#options;
    if (credential !== undefined) return Promise.resolve(credential);
    this.#credential ??= createCredential(identity).catch((error: unknown) => {
      this.#credential = undefined;
      throw error;
    });
    return this.#credential;
  }
}
