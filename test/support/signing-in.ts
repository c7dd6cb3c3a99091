/** The part of an issuer that people meet: authorization code with PKCE for one public client, strictly. */
import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { OidcIssuer, People } from './oidc-issuer.ts';

export interface SigningInOptions {
  readonly clientId: string;
  /** Asked for when somebody comes: the port is not known before. */
  readonly redirectUri: () => string;
}

interface Granted {
  readonly challenge: string;
  readonly who: string;
}

export class SigningIn implements People {
  /** Who sits before the browser; `undefined`: somebody who refuses. */
  who: string | undefined = 'ana';
  /** What tokens say of how long they count, in s. */
  expiresIn = 3600;
  /** Grants that were answered with a token. */
  readonly grants: string[] = [];
  readonly #issuer: OidcIssuer;
  readonly #options: SigningInOptions;
  readonly #codes = new Map<string, Granted>();
  readonly #refreshTokens = new Map<string, string>();

  constructor(issuer: OidcIssuer, options: SigningInOptions) {
    this.#issuer = issuer;
    this.#options = options;
    issuer.people = this;
  }

  answer(request: IncomingMessage, response: ServerResponse): boolean {
    const url = new URL(request.url ?? '', this.#issuer.url);
    if (url.pathname.endsWith('/authorize')) this.#authorize(url.searchParams, response);
    else if (url.pathname.endsWith('/token')) void this.#token(request, response);
    else return false;
    return true;
  }

  #authorize(asked: URLSearchParams, response: ServerResponse): void {
    const { clientId, redirectUri } = this.#options;
    const wrong =
      asked.get('client_id') !== clientId ||
      asked.get('redirect_uri') !== redirectUri() ||
      asked.get('response_type') !== 'code' ||
      asked.get('code_challenge_method') !== 'S256' ||
      (asked.get('state') ?? '').length < 20 ||
      !(asked.get('scope') ?? '').split(' ').includes('openid');
    if (wrong) {
      response.writeHead(400).end(`refused: ${asked.toString()}`);
      return;
    }
    const back = new URL(redirectUri());
    back.searchParams.set('state', asked.get('state') ?? '');
    if (this.who === undefined) {
      back.searchParams.set('error', 'access_denied');
      back.searchParams.set('error_description', 'the person said no');
    } else {
      const code = randomUUID();
      this.#codes.set(code, { challenge: asked.get('code_challenge') ?? '', who: this.who });
      back.searchParams.set('code', code);
    }
    response.writeHead(302, { location: back.href }).end();
  }

  async #token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams(await text(request));
    const who = this.#whoOf(form);
    response.setHeader('access-control-allow-origin', new URL(this.#options.redirectUri()).origin);
    response.setHeader('content-type', 'application/json');
    if (who === undefined || form.get('client_id') !== this.#options.clientId) {
      response.writeHead(400).end(JSON.stringify({ error: 'invalid_grant' }));
      return;
    }
    this.grants.push(form.get('grant_type') ?? '');
    const refreshToken = randomUUID();
    this.#refreshTokens.set(refreshToken, who);
    const claims = { sub: who, preferred_username: `${who}@example.com` };
    const body = {
      ...{ access_token: await this.#issuer.token({ claims }), token_type: 'Bearer' },
      ...{ expires_in: this.expiresIn, refresh_token: refreshToken },
    };
    response.end(JSON.stringify(body));
  }

  /** A code counts once, and only with the verifier of its challenge. */
  #whoOf(form: URLSearchParams): string | undefined {
    if (form.get('grant_type') === 'refresh_token') {
      return this.#refreshTokens.get(form.get('refresh_token') ?? '');
    }
    const code = form.get('code') ?? '';
    const granted = this.#codes.get(code);
    this.#codes.delete(code);
    const verifier = form.get('code_verifier') ?? '';
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const isRight =
      granted?.challenge === challenge && form.get('redirect_uri') === this.#options.redirectUri();
    return isRight ? granted.who : undefined;
  }
}
