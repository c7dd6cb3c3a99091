import { createRemoteJWKSet, type RemoteJWKSet } from 'jose';
import type { Clock } from '../../base/clock.ts';
import { TaskHubError } from '../../core/errors.ts';
import { logEvent } from '../../telemetry/log-events.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { entraIssuers } from './entra.ts';

/** How long one request for metadata or keys may take. */
const FETCH_TIMEOUT_MS = 5_000;
/** After a failure nobody asks again for so long, whatever tokens come in. */
const RETRY_AFTER_MS = 5_000;
/** Keys older than this are fetched again in the background: an issuer that withdraws one is believed. */
const KEYS_REFRESH_MS = 10 * 60_000;
/** Keys older than this do not count although the issuer cannot be asked. */
const KEYS_MAX_MS = 24 * 60 * 60_000;

export interface IssuerOptions {
  /** As configured. */
  readonly url: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * One OIDC issuer whose tokens count, and its keys: found through its metadata at the first token, fetched again
 * when a token names a key that is not among them (at most every 30 s).
 */
export class Issuer {
  readonly url: string;
  /** Every spelling of `iss` that this issuer writes into its tokens. */
  readonly names: readonly string[];
  readonly #clock: Clock;
  readonly #logger: Logger;
  #keys: Promise<RemoteJWKSet> | undefined;
  #failedAt = -Infinity;
  #refreshedAt = 0;

  constructor({ url, clock, logger }: IssuerOptions) {
    this.url = url;
    this.names = namesOf(url);
    this.#clock = clock;
    this.#logger = logger;
  }

  /** @throws TaskHubError UNAVAILABLE when the issuer does not answer: no fault of the caller. */
  async keys(): Promise<RemoteJWKSet> {
    const now = this.#clock.now();
    if (this.#keys === undefined) {
      if (now < this.#failedAt + RETRY_AFTER_MS) throw issuerAway(this.url);
      this.#refreshedAt = now;
      this.#keys = this.#discover();
      this.#keys.catch((error: unknown) => {
        this.#keys = undefined;
        this.#failedAt = this.#clock.now();
        logEvent(this.#logger, 'issuerOutOfReach', {
          issuer: this.url,
          error,
        });
      });
    }
    const keys = await this.#discovered(this.#keys);
    if (now >= this.#refreshedAt + KEYS_REFRESH_MS) this.#refresh(keys, now);
    return keys;
  }

  async #discovered(keys: Promise<RemoteJWKSet>): Promise<RemoteJWKSet> {
    try {
      return await keys;
    } catch (cause) {
      throw issuerAway(this.url, cause);
    }
  }

  async #discover(): Promise<RemoteJWKSet> {
    const keys = createRemoteJWKSet(new URL((await issuerMetadata(this.url)).jwks_uri), {
      timeoutDuration: FETCH_TIMEOUT_MS,
      cacheMaxAge: KEYS_MAX_MS,
    });
    await keys.reload();
    return keys;
  }

  #refresh(keys: RemoteJWKSet, now: number): void {
    this.#refreshedAt = now;
    keys.reload().catch((error: unknown) => {
      logEvent(this.#logger, 'issuerKeysStale', {
        issuer: this.url,
        error,
      });
    });
  }
}

/** What an issuer says of itself. */
export interface IssuerMetadata {
  readonly jwks_uri: string;
  readonly authorization_endpoint?: unknown;
  readonly token_endpoint?: unknown;
  readonly end_session_endpoint?: unknown;
}

/** Rejects when the issuer does not answer, or answers for another. */
export async function issuerMetadata(issuer: string): Promise<IssuerMetadata> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
  if (!response.ok) throw new Error(`GET ${url} answered ${response.status}`);
  const metadata = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown };
  if (typeof metadata.issuer !== 'string' || !namesOf(issuer).includes(metadata.issuer)) {
    throw new Error(`${url} is the metadata of another issuer (${String(metadata.issuer)})`);
  }
  if (typeof metadata.jwks_uri !== 'string') throw new Error(`${url} names no jwks_uri`);
  return { ...metadata, jwks_uri: metadata.jwks_uri };
}

function namesOf(issuer: string): readonly string[] {
  return [...new Set([issuer, ...entraIssuers(issuer)])];
}

/** UNAVAILABLE: clients try again, and nothing was done. */
export function issuerAway(url: string, cause?: unknown): TaskHubError {
  return new TaskHubError(
    'UNAVAILABLE',
    `The token cannot be checked now: its issuer ${url} does not answer; try again later.`,
    { cause },
  );
}
