import { hash } from 'node:crypto';
import { decodeJwt, errors, jwtVerify, type JWTPayload } from 'jose';
import type { Clock } from '../../base/clock.ts';
import { TaskHubError } from '../../core/errors.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { callerOf, type Caller } from './caller.ts';
import { Issuer, issuerAway } from './issuer.ts';

export interface TokenVerifierOptions {
  /** OIDC issuers whose tokens count. */
  readonly issuers: readonly string[];
  /** A token must be for one of them. */
  readonly audiences: readonly string[];
  /** How far the clocks of issuer and scheduler may be apart. */
  readonly clockSkewMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Public keys only: with a shared secret everybody who can check a token could make one. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA'],
];

/** Callers remembered: a client sends the same token with each call. */
const REMEMBERED_MAX = 1_000;
/** A remembered token is checked again after so long, in case its key was withdrawn. */
const REMEMBERED_MS = 5 * 60_000;

interface Remembered {
  readonly caller: Caller;
  readonly until: number;
}

/** Checks bearer tokens: signature, issuer, audience, times. */
export class TokenVerifier {
  readonly #options: TokenVerifierOptions;
  readonly #issuers = new Map<string, Issuer>();
  /** By digest: the tokens themselves are not kept. */
  readonly #remembered = new Map<string, Remembered>();

  constructor(options: TokenVerifierOptions) {
    this.#options = options;
    for (const url of options.issuers) {
      const issuer = new Issuer({ ...options, url });
      for (const name of issuer.names) this.#issuers.set(name, issuer);
    }
  }

  /**
   * Who the token is of.
   *
   * @throws TaskHubError UNAUTHENTICATED saying what is wrong with it; UNAVAILABLE when its issuer cannot be asked.
   */
  async verify(token: string): Promise<Caller> {
    const known = this.remembered(token);
    if (known) return known;
    const now = this.#options.clock.now();
    const digest = digestOf(token);
    this.#remembered.delete(digest);
    const caller = await this.#check(token, now);
    if (this.#remembered.size >= REMEMBERED_MAX) this.#forgetOldest();
    const until = Math.min(caller.expiresAt, now + REMEMBERED_MS);
    this.#remembered.set(digest, { caller, until });
    return caller;
  }

  /** Who the token is of, if it was checked lately. */
  remembered(token: string): Caller | undefined {
    const known = this.#remembered.get(digestOf(token));
    return known && this.#options.clock.now() < known.until ? known.caller : undefined;
  }

  #forgetOldest(): void {
    for (const digest of this.#remembered.keys()) {
      this.#remembered.delete(digest);
      return;
    }
  }

  async #check(token: string, now: number): Promise<Caller> {
    const issuer = this.#issuerOf(token);
    const keys = await issuer.keys();
    const { audiences, clockSkewMs } = this.#options;
    let claims: JWTPayload;
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: [...issuer.names],
        audience: [...audiences],
        algorithms: ALGORITHMS,
        clockTolerance: clockSkewMs / 1_000,
        currentDate: new Date(now),
        requiredClaims: ['exp'],
      });
      claims = payload;
    } catch (error) {
      throw refusal(error, { issuer: issuer.url, audiences });
    }
    const expiresAt = (claims.exp ?? 0) * 1_000 + clockSkewMs;
    const caller = callerOf(claims, { issuer: issuer.url, expiresAt });
    if (caller === undefined) throw refused('The token names nobody: it has neither oid nor sub.');
    return caller;
  }

  #issuerOf(token: string): Issuer {
    let name: unknown;
    try {
      name = decodeJwt(token).iss;
    } catch {
      // What is wrong inside it is of no use to its sender, and must not end up in a log.
      throw refused('The token is no JSON Web Token.');
    }
    const issuer = typeof name === 'string' ? this.#issuers.get(name) : undefined;
    if (issuer !== undefined) return issuer;
    const trusted = this.#options.issuers.join(', ');
    throw refused(`The token is of issuer ${shown(name)}; this scheduler trusts ${trusted}.`);
  }
}

function digestOf(token: string): string {
  return hash('sha256', token, 'base64');
}

interface Rules {
  readonly issuer: string;
  readonly audiences: readonly string[];
}

function refusal(error: unknown, { issuer, audiences }: Rules): TaskHubError {
  if (error instanceof errors.JWTExpired) {
    const { exp } = error.payload;
    const at = exp === undefined ? '' : ` at ${new Date(exp * 1_000).toISOString()}`;
    return refused(`The token expired${at}; get a new one.`);
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return refused(claimRefusal(error, audiences));
  }
  if (error instanceof errors.JWKSNoMatchingKey) {
    return refused(`The token is signed with a key that its issuer ${issuer} does not publish.`);
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return refused('The signature of the token is wrong.');
  }
  if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) {
    return issuerAway(issuer, error);
  }
  // The set of keys was not served as one: that is how jose says it.
  if (error.code === 'ERR_JOSE_GENERIC' || error instanceof errors.JWKSInvalid) {
    return issuerAway(issuer, error);
  }
  return refused(`The token is not one that counts (${error.code}).`);
}

function claimRefusal(
  { claim, payload }: errors.JWTClaimValidationFailed,
  audiences: readonly string[],
): string {
  switch (claim) {
    case 'aud':
      return `The token is for the audience ${shown(payload.aud)}, not for ${audiences.join(' or ')}.`;
    case 'exp':
      return 'The token has no expiry; tokens without one do not count.';
    case 'nbf':
    case 'iat':
      return 'The token does not count yet; compare the clocks of its issuer and this scheduler.';
    default:
      return `The claim ${claim} of the token is wrong.`;
  }
}

function refused(message: string): TaskHubError {
  return new TaskHubError('UNAUTHENTICATED', message);
}

/** A claim as it may stand in a sentence. */
function shown(value: unknown): string {
  const text = value === undefined ? 'none' : JSON.stringify(value);
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}
