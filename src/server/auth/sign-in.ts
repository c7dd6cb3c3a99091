/** How people sign in to the dashboard: authorization code with PKCE, as a public client of the first issuer. */
import type { Clock } from '../../base/clock.ts';
import type { SecurityConfig } from '../../config/security-config.ts';
import { TaskHubError } from '../../core/errors.ts';
import { issuerMetadata } from './issuer.ts';

/** What the page must know to send somebody to the issuer. */
export interface SignInEndpoints {
  readonly issuer: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
}

/** The issuer's metadata is asked for again after so long, in ms. */
const REFRESH_MS = 10 * 60_000;
/** After a failure nobody asks again for so long, whoever opens the page. */
const RETRY_AFTER_MS = 5_000;

export class SignIn {
  readonly #config: Pick<SecurityConfig, 'authIssuers' | 'signInClientId' | 'signInScopes'>;
  readonly #clock: Clock;
  #found: { until: number; readonly endpoints: Promise<SignInEndpoints> } | undefined;

  constructor(
    config: Pick<SecurityConfig, 'authIssuers' | 'signInClientId' | 'signInScopes'>,
    clock: Clock,
  ) {
    this.#config = config;
    this.#clock = clock;
  }

  /** Whether anybody is asked who they are. */
  get isRequired(): boolean {
    return this.#config.authIssuers.length > 0;
  }

  /**
   * `undefined` where there is no client to sign in with.
   *
   * @throws TaskHubError UNAVAILABLE when the issuer does not answer or names no endpoints.
   */
  async endpoints(): Promise<SignInEndpoints | undefined> {
    const { authIssuers, signInClientId: clientId, signInScopes: scopes } = this.#config;
    const [issuer] = authIssuers;
    if (issuer === undefined || clientId === undefined) return undefined;
    const now = this.#clock.now();
    if (!this.#found || now >= this.#found.until) {
      const endpoints = discover({ issuer, clientId, scopes });
      const found = { until: now + REFRESH_MS, endpoints };
      this.#found = found;
      endpoints.catch(() => {
        found.until = this.#clock.now() + RETRY_AFTER_MS;
      });
    }
    return this.#found.endpoints;
  }

  /** Where the page sends the code it got, for its content security policy; nothing while the issuer is away. */
  async tokenOrigin(): Promise<string | undefined> {
    const endpoints = await this.endpoints().catch(() => undefined);
    return endpoints && new URL(endpoints.tokenEndpoint).origin;
  }
}

async function discover(
  client: Pick<SignInEndpoints, 'issuer' | 'clientId' | 'scopes'>,
): Promise<SignInEndpoints> {
  try {
    const metadata = await issuerMetadata(client.issuer);
    return {
      ...client,
      authorizationEndpoint: addressIn(metadata, 'authorization_endpoint'),
      tokenEndpoint: addressIn(metadata, 'token_endpoint'),
    };
  } catch (cause) {
    throw new TaskHubError(
      'UNAVAILABLE',
      `Nobody can sign in now: ${cause instanceof Error ? cause.message : String(cause)}; the issuer is ${client.issuer}. Try again later.`,
      { cause },
    );
  }
}

/** It ends up in a header, and people are sent there. */
function addressIn(metadata: object, name: string): string {
  const value = (metadata as Readonly<Record<string, unknown>>)[name];
  const url = typeof value === 'string' ? URL.parse(value) : null;
  if (!url || !['https:', 'http:'].includes(url.protocol)) {
    throw new Error(`its metadata names no ${name}`);
  }
  return url.href;
}
